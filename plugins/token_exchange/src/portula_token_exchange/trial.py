"""Token exchange as `portula try` plays it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from portula import hookimpl
from portula_token_exchange.grant import GRANT_TYPE
from portula_token_exchange.hooks import ACCESS_TOKEN
from portula_token_exchange.policies import policy_of

if TYPE_CHECKING:
    from portula import Provider


def play_exchange(player: Any) -> None:
    """A server gets, for a token of a person, one for the server behind it (--set subject_token=…)."""
    player.shorten("subject_token")
    player.post(
        "RFC 8693 §2.1: a token becomes another, for somebody else and never wider",
        "token_endpoint",
        grant_type=GRANT_TYPE,
        subject_token=player.require("subject_token"),
        subject_token_type=player.given_values.get("subject_token_type", ACCESS_TOKEN),
        audience=player.given_values.get("audience", ""),
        scope=player.scope,
        resource=player.resource,
    )


@hookimpl(optionalhook=True)
def portula_grant_trials(provider: Provider) -> dict[str, tuple[Sequence[str], Callable[[Any], Any]]]:
    """Return the exchange, where a policy allows something."""
    return {"token_exchange": ((GRANT_TYPE,), play_exchange)} if policy_of(provider) is not None else {}
