"""Tokens that are bound to a certificate: where they are given, and where they are used (RFC 8705 §3, §4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portula import hookimpl
from portula.errors import InvalidTokenError
from portula.plugin import Step, TokenPresentation
from portula_mtls.certificates import thumbprint
from portula_mtls.registration import BOUND, CONFIRMATION
from portula_mtls.settings import binds, is_on

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import Exchange, PresentedToken


@hookimpl
def portula_steps(provider: Provider) -> list[Step]:
    """Return the step; none where no token is bound."""
    if not binds(provider):
        return []
    reads = frozenset({"issue", "client"})
    return [
        Step(endpoint="token", name="certificate", run=certificate, after="shaping", reads=reads, guards=True)
    ]


def certificate(exchange: Exchange) -> None:
    """Bind the token to the certificate that is shown, for a client that is registered so (RFC 8705 §3)."""
    der, client, issue = exchange.message.client_certificate, exchange.client, exchange.issue
    if der is not None and issue is not None and client is not None and client.metadata.get(BOUND):
        issue.confirmation = {**issue.confirmation, CONFIRMATION: thumbprint(der)}


@hookimpl
def portula_token_presentations(provider: Provider) -> list[TokenPresentation]:
    """Return the proof that goes along with any scheme; none while certificates do not count."""
    if not is_on(provider):
        return []
    return [TokenPresentation(confirmation=CONFIRMATION, prove=prove, label="TLS certificate")]


def prove(presented: PresentedToken, bound: object) -> None:
    """Require the certificate that the token is bound to; who issued it, or when it ends, is no matter (§3, §6.2)."""
    der = presented.message.client_certificate
    if der is None or thumbprint(der) != bound:
        raise InvalidTokenError(description="The token is bound to a certificate that is not shown.")
