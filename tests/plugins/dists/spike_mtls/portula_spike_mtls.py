"""Access tokens bound to the certificate that the client showed in TLS (RFC 8705 §3)."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from typing import TYPE_CHECKING

from portula import hookimpl
from portula.errors import InvalidRequestError, InvalidTokenError
from portula.plugin import ClientMember, Step, TokenPresentation

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import Exchange, Message, PresentedToken

CONFIRMATION = "x5t#S256"
MEMBER = "tls_client_certificate_bound_access_tokens"


def thumbprint(message: Message) -> str | None:
    shown = message.client_certificate
    return shown and urlsafe_b64encode(hashlib.sha256(shown).digest()).decode().rstrip("=")


@hookimpl
def portula_client_metadata(provider: Provider) -> Sequence[ClientMember]:
    return [ClientMember(MEMBER, bool)]


@hookimpl
def portula_steps(provider: Provider) -> Sequence[Step]:
    def certificate(exchange: Exchange) -> None:
        """Bind the access token to the certificate, for a client that is registered so (RFC 8705 §3)."""
        if exchange.issue is None or exchange.client is None or not exchange.client.metadata.get(MEMBER):
            return
        proven = thumbprint(exchange.message)
        if proven is None:
            raise InvalidRequestError(description="A client certificate is needed.")
        exchange.issue.confirmation = {**exchange.issue.confirmation, CONFIRMATION: proven}

    reads = frozenset({"issue", "client"})
    step = Step(
        endpoint="token", name="certificate", run=certificate, after="shaping", reads=reads, guards=True
    )
    return [step]


@hookimpl
def portula_token_presentations(provider: Provider) -> Sequence[TokenPresentation]:
    def prove(presented: PresentedToken, bound: object) -> None:
        if thumbprint(presented.message) != bound:
            raise InvalidTokenError

    return [TokenPresentation(confirmation=CONFIRMATION, prove=prove)]
