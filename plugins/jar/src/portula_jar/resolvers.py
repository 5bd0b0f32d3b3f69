"""Request objects, by value and by reference (RFC 9101 §5, OpenID Connect Core §6)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast
from urllib.parse import urldefrag

from portula import Plugin, hookimpl
from portula.errors import (
    FetchFailed,
    InvalidRequestObject,
    InvalidRequestURI,
    KeysUnavailable,
    OAuth2Error,
    RequestNotSupported,
    RequestURINotSupported,
    RetryLater,
    UntrustedToken,
)
from portula.plugin import (
    OAUTHLIB_STATE,
    RequestResolver,
    is_encrypted,
    is_time,
    is_valid_too_long,
    pairs_from_claims,
)
from portula_jar.settings import JarSettings, algorithms, is_on, is_required

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import Application, AuthorizationExchange, AuthorizationServer, Jwt, Pairs

EXPLICIT_TYPE = "oauth-authz-req+jwt"
TYPES = ("", "JWT", EXPLICIT_TYPE)
MAX_BYTES = 64 * 1024
LEEWAY_SECONDS = 60
"""How far a client's clock may be wrong."""

_OUTSIDE = ("response_type", "scope")
"""Parameters that count outside where the object does not have them, since OAuth 2.0 asks for them there (Core §6.1);
not where requests have to be signed."""


@hookimpl
def portula_request_resolvers(provider: Provider) -> list[RequestResolver]:
    """Return what the settings allow."""
    if not is_on(provider):
        return []
    settings, found = provider.settings(JarSettings), []
    if settings.REQUEST_OBJECTS_ENABLED:
        found.append(RequestResolver(name="request", presented=_is_by_value, resolve=_by_value))
    if settings.REQUEST_URI_ENABLED:
        found.append(RequestResolver(name="request_uri", presented=_is_web_reference, resolve=_by_reference))
    return found


def _is_by_value(parameters: Mapping[str, str]) -> bool:
    return "request" in parameters


def _is_web_reference(parameters: Mapping[str, str]) -> bool:
    return parameters.get("request_uri", "").lower().startswith(("https:", "http:"))


def _by_value(exchange: AuthorizationExchange) -> Pairs:
    return _merge(exchange, dict(exchange.pairs)["request"], RequestNotSupported)


def _by_reference(exchange: AuthorizationExchange) -> Pairs:
    provider, uri = exchange.provider, dict(exchange.pairs)["request_uri"]
    registered = provider.settings(JarSettings).REQUEST_URI_MUST_BE_REGISTERED
    if registered and not _is_registered(_client(exchange), uri):
        raise InvalidRequestURI(description="This request_uri is not registered for the client.")
    try:
        fetched = provider.hooks.ask(Plugin.portula_fetcher).get(
            urldefrag(uri)[0], accept=(), max_bytes=MAX_BYTES
        )
        token = fetched.body.decode("ascii").strip()
    except (FetchFailed, UnicodeDecodeError):
        raise InvalidRequestURI(description="The request_uri leads to no request object.") from None
    return _merge(exchange, token, RequestURINotSupported)


def _client(exchange: AuthorizationExchange) -> Application:
    return cast("Application", exchange.client)


def _is_registered(client: Application, uri: str) -> bool:
    """Compare exactly; a fragment may be there to tell versions apart (Core §6.2)."""
    known = client.metadata.get("request_uris", ())
    return uri in known or urldefrag(uri)[0] in known


def _merge(exchange: AuthorizationExchange, token: str, unsupported: type[OAuth2Error]) -> Pairs:
    """Return the parameters of the request object, which alone count (RFC 9101 §6.3).

    `request` stands among them with the algorithm of its signature, for whoever asks whether there was one.
    """
    verified = _verify(exchange.provider, _client(exchange), token, unsupported)
    claims = verified.claims
    _check_claims(exchange, verified)
    try:
        inner = pairs_from_claims(claims)
    except ValueError as error:
        raise InvalidRequestObject(description=str(error)) from None
    outer, named = dict(exchange.pairs), dict(inner)
    for name in ("client_id", "response_type"):
        if name in named and name in outer and sorted(named[name].split()) != sorted(outer[name].split()):
            raise InvalidRequestObject(description=f"{name} is another in the request object.")
    lenient = not is_required(exchange.provider, exchange.client)
    counting = ("client_id", *(_OUTSIDE if lenient else ()))
    beside = [(name, outer[name]) for name in counting if name in outer and name not in named]
    return [*beside, *inner, ("request", str(verified.header["alg"]))]


def _verify(
    provider: AuthorizationServer, client: Application, token: str, unsupported: type[OAuth2Error]
) -> Jwt:
    jose, allowed = provider.hooks.ask(Plugin.portula_jose), algorithms(provider, client)
    registered = client.metadata.get("request_object_signing_alg")
    try:
        if is_encrypted(token):
            token = jose.decrypt(token, client)
        is_unsigned = jose.read(token).header.get("alg") == "none"
        if is_unsigned and "none" not in allowed and registered is None and not is_required(provider, client):
            raise unsupported(description="Request objects have to be signed.")
        return jose.verify_of_client(
            token, client, algorithms=[name for name in allowed if registered in (None, name)], typ=TYPES
        )
    except KeysUnavailable as error:
        raise RetryLater("The keys of the client cannot be fetched now.", error.retry_after) from None
    except UntrustedToken:
        raise InvalidRequestObject(description="The request object cannot be trusted.") from None


def _check_claims(exchange: AuthorizationExchange, verified: Jwt) -> None:
    """Judge what a request object says of itself, where it does (Core §6.1).

    A token about the client itself that has not the type of a request object is the client's assertion of who it is
    (RFC 9101 §10.8, RFC 8725 §3.11, §3.12).
    """
    claims = verified.claims
    now, settings = exchange.provider.now(), exchange.provider.settings(JarSettings, exchange.client)
    exp, aud = claims.get("exp"), claims.get("aud")
    audiences = aud if isinstance(aud, list) else [aud]
    problems = {
        "missing claims": not claims.keys() >= set(settings.REQUEST_OBJECT_REQUIRED_CLAIMS),
        "lifetime": is_valid_too_long(claims, now, settings.REQUEST_OBJECT_MAX_LIFETIME_SECONDS),
        "iss": claims.get("iss") not in (None, _client(exchange).client_id),
        "sub": verified.typ != EXPLICIT_TYPE and claims.get("sub") == _client(exchange).client_id,
        "aud": aud is not None and exchange.issuer not in audiences,
        "exp": exp is not None and not (is_time(exp) and exp + LEEWAY_SECONDS > now),
        "nbf": _lies_ahead(claims.get("nbf"), now),
        "iat": _lies_ahead(claims.get("iat"), now),
        "request": "request" in claims,
        "request_uri": "request_uri" in claims,
        "name": not OAUTHLIB_STATE.isdisjoint(claims),
    }
    wrong = [name for name, is_wrong in problems.items() if is_wrong]
    if wrong:
        raise InvalidRequestObject(description=f"The request object is refused for its {wrong[0]}.")


def _lies_ahead(begins: object, now: int) -> bool:
    """Say whether a claim that is there is no time, or one too far ahead (FAPI 2.0 Security Profile §5.3.2.1)."""
    return begins is not None and not (is_time(begins) and begins - LEEWAY_SECONDS <= now)
