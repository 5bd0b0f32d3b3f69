"""The endpoint where clients get challenges (draft §6.3): its steps, in the order in which they run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portula import hookimpl
from portula.plugin import Endpoint, Exchange, Steps, json_answer, step
from portula_attestation.challenges import Challenges
from portula_attestation.settings import AttestationSettings, is_on

if TYPE_CHECKING:
    from portula import Provider

PATH = "challenge/"


def write(exchange: Exchange) -> None:
    """Answer with a new challenge, of which nothing is kept."""
    made = Challenges(exchange.provider).make(exchange.issuer)
    exchange.answer = json_answer(200, {"attestation_challenge": made})


CHALLENGE_STEPS: Steps[Exchange] = Steps("challenge", [step(write, sets="answer")], begin=Exchange.of)


def is_offered(provider: Provider) -> bool:
    """Say whether challenges are given; where they are, proofs need them."""
    return is_on(provider) and provider.settings(AttestationSettings).ATTESTATION_CHALLENGE_REQUIRED


@hookimpl
def portula_endpoints(provider: Provider) -> list[Endpoint]:
    """Return the endpoint, where proofs need challenges."""
    if not is_offered(provider):
        return []
    return [Endpoint("challenge", PATH, ("POST",), cors="open", in_memory=True, steps=CHALLENGE_STEPS)]
