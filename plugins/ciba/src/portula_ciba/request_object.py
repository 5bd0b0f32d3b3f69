"""Requests that are signed: all that is asked for stands in one JWT (CIBA Core §7.1.1).

Whatever is wrong with it is `invalid_request` (§13): there is no browser that has to be told it in another way.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from portula import Plugin
from portula.errors import (
    InvalidRequestError,
    KeysUnavailable,
    RetryLater,
    UntrustedToken,
)
from portula.plugin import OAUTHLIB_STATE, is_time, is_valid_too_long, pairs_from_claims, use_once
from portula_ciba.registration import SIGNING_ALG
from portula_ciba.settings import CibaSettings

if TYPE_CHECKING:
    from portula.plugin import Application, AuthorizationServer, Jwt, Pairs
    from portula_ciba.exchange import CibaExchange


EXPLICIT_TYPE = "oauth-authz-req+jwt"
TYPES = ("", "JWT", EXPLICIT_TYPE)
REQUIRED = frozenset({"aud", "iss", "exp", "iat", "nbf", "jti"})
OF_A_BROWSER = frozenset({"redirect_uri", "response_mode", "response_type"})
"""Claims of the other requests that a client signs with the same key, and that travel through browsers (RFC 9101)."""
KIND = "backchannel request object"
MAX_JTI_CHARACTERS = 512
LEEWAY_SECONDS = 60
"""How far a client's clock may be wrong."""


def is_required(provider: AuthorizationServer, client: Application) -> bool:
    """Say whether a client has to sign its requests: it is registered to, or everybody has to."""
    return (
        SIGNING_ALG in client.metadata
        or provider.settings(CibaSettings, client).CIBA_SIGNED_REQUESTS_REQUIRED
    )


def parameters_of(exchange: CibaExchange, token: str) -> Pairs:
    """Return the parameters of a signed request, which counts once.

    Raises:
        InvalidRequestError: it cannot be trusted, or says what it may not.
        RetryLater: the keys of the client cannot be fetched now.
    """
    client = exchange.party
    verified = _verify(exchange, token)
    _check_claims(exchange, verified)
    try:
        pairs = pairs_from_claims(verified.claims)
    except ValueError as error:
        raise InvalidRequestError(description=str(error)) from None
    until = int(verified.claims["exp"]) + LEEWAY_SECONDS
    name = f"{client.client_id}\0{verified.claims['jti']}"
    if not use_once(exchange.provider, KIND, name, until=until, client_id=client.client_id):
        raise InvalidRequestError(description="The signed request was sent before (jti).")
    return [("client_id", client.client_id), *((name, value) for name, value in pairs if name != "client_id")]


def _verify(exchange: CibaExchange, token: str) -> Jwt:
    client, registered = exchange.party, exchange.party.metadata.get(SIGNING_ALG)
    known = exchange.provider.settings(CibaSettings, client).CIBA_REQUEST_SIGNING_ALGS
    allowed = [name for name in known if registered in (None, name)]
    jose = exchange.provider.hooks.ask(Plugin.portula_jose)
    try:
        return jose.verify_of_client(token, client, algorithms=allowed, typ=TYPES)
    except KeysUnavailable as error:
        raise RetryLater("The keys of the client cannot be fetched now.", error.retry_after) from None
    except UntrustedToken as untrusted:
        exchange.reason = f"the signed request {untrusted}"
        raise InvalidRequestError(description="The signed request cannot be trusted.") from None


def _check_claims(exchange: CibaExchange, verified: Jwt) -> None:
    """Judge what a signed request says of itself (CIBA Core §7.1.1, FAPI-CIBA §5.2.2)."""
    claims, client_id, now = verified.claims, exchange.party.client_id, exchange.provider.now()
    settings = exchange.provider.settings(CibaSettings, exchange.client)
    longest = settings.CIBA_REQUEST_MAX_LIFETIME_SECONDS
    aud = claims.get("aud")
    problems = {
        "missing claims": not claims.keys() >= REQUIRED,
        "iss": claims.get("iss") != client_id,
        "aud": exchange.issuer not in (aud if isinstance(aud, list) else [aud]),
        **_wrong_times(claims, now, longest),
        "jti": not isinstance(claims.get("jti"), str) or not 1 <= len(claims["jti"]) <= MAX_JTI_CHARACTERS,
        "client_id": claims.get("client_id", client_id) != client_id,
        "sub": verified.typ != EXPLICIT_TYPE and claims.get("sub") == client_id,
        "request": not claims.keys().isdisjoint({"request", "request_uri"}),
        "kind: it is one for a browser": not OF_A_BROWSER.isdisjoint(claims),
        "name": not OAUTHLIB_STATE.isdisjoint(claims),
    }
    wrong = [name for name, is_wrong in problems.items() if is_wrong]
    if wrong:
        raise InvalidRequestError(description=f"The signed request is refused for its {wrong[0]}.")


def _wrong_times(claims: Mapping[str, Any], now: int, longest: int) -> dict[str, bool]:
    exp, nbf, iat = claims.get("exp"), claims.get("nbf"), claims.get("iat")
    return {
        "lifetime": is_valid_too_long(claims, now, longest),
        "exp": not (is_time(exp) and now < exp + LEEWAY_SECONDS < now + 2 * longest),
        "nbf": not (is_time(nbf) and nbf - LEEWAY_SECONDS <= now),
        "iat": not (is_time(iat) and iat - LEEWAY_SECONDS <= now),
    }
