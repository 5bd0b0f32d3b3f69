"""Steps of three endpoints that judge proofs, and bind tokens and codes to keys (RFC 9449 §5, §10)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from portula import hookimpl
from portula.errors import InvalidGrantError, InvalidRequestError
from portula.plugin import Step
from portula_dpop.errors import InvalidProof
from portula_dpop.metadata import CONFIRMATION
from portula_dpop.proofs import HEADER, Proofs
from portula_dpop.settings import DpopSettings, binds

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import AuthorizationExchange, Exchange, TokenExchange

ROOM = "dpop"
PARAMETER = "dpop_jkt"

_THUMBPRINT = re.compile(r"[A-Za-z0-9_-]{43}")
"""A SHA-256 in base64url (RFC 7638 §3, RFC 9449 §10)."""


@hookimpl
def portula_steps(provider: Provider) -> list[Step]:
    """Return the steps; none where no token is bound."""
    if not binds(provider):
        return []
    proofs = Proofs(provider)

    def bind_request(exchange: Exchange) -> None:
        """Bind a pushed request to the key that is proven with it, as its parameter would (RFC 9449 §10.1)."""
        if HEADER not in exchange.message.headers:
            return
        thumbprint = proofs.of_exchange(exchange, exchange.client)
        pairs = getattr(exchange, "pairs", exchange.request.decoded_body)  # of a request object, or the form
        parameter = dict(pairs).get(PARAMETER)
        if parameter is None:
            pairs.append((PARAMETER, thumbprint))
        elif parameter != thumbprint:
            raise InvalidProof(description=f"{PARAMETER} names another key than the proof.")

    def bind_token(exchange: TokenExchange) -> None:
        """Bind the access token to the key that is proven; a code that names a key is redeemed with that (§5, §10)."""
        thumbprint = None
        if HEADER in exchange.message.headers:
            thumbprint = proofs.of_exchange(exchange, exchange.client)
        of_code = exchange.facts.get(ROOM, {}).get(PARAMETER) if exchange.code is not None else None
        if of_code not in (None, thumbprint):
            raise InvalidGrantError(description="The code is bound to a key that is not proven.")
        if thumbprint is not None and exchange.issue is not None:
            exchange.issue.confirmation = {**exchange.issue.confirmation, CONFIRMATION: thumbprint}

    request, issue = frozenset({"redirect_uri", "scope"}), frozenset({"issue", "client", "authorization"})
    client = frozenset({"client"})
    return [
        Step(endpoint="authorize", name=PARAMETER, run=bind_code, after="judge", reads=request, guards=True),
        Step(endpoint="token", name=ROOM, run=bind_token, before="bind", reads=issue, guards=True),
        Step(endpoint="par", name=ROOM, run=bind_request, before="judge", reads=client, optional=True),
        Step(endpoint="challenge", name=ROOM, run=proofs.nonce, before="write", optional=True),
    ]


def bind_code(exchange: AuthorizationExchange) -> None:
    """Remember the key that the code is to be bound to (RFC 9449 §10)."""
    thumbprint = exchange.request.dpop_jkt
    if thumbprint is None:
        return
    if not _THUMBPRINT.fullmatch(thumbprint):
        raise InvalidRequestError(description=f"{PARAMETER} is no thumbprint.", request=exchange.request)
    exchange.facts[ROOM] = {PARAMETER: thumbprint}


@hookimpl
def portula_validate_token_request(exchange: Exchange) -> None:
    """Refuse a token that is bound to nothing, where DPOP_REQUIRED says so (RFC 9449 §5.2).

    Raises:
        InvalidRequestError: no key was proven.
    """
    required = exchange.provider.settings(DpopSettings).DPOP_REQUIRED
    if exchange.client is not None and callable(required):
        required = required(exchange.client)
    if required and exchange.issue is not None and CONFIRMATION not in exchange.issue.confirmation:
        raise InvalidRequestError(description="A proof of a key is needed (DPoP).")
