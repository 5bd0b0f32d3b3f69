"""The machine endpoints: token (RFC 6749 §3.2) and revocation (RFC 7009)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portula import hookimpl
from portula.errors import OAuth2Error
from portula.plugin import (
    REVOCATION_STEPS,
    TOKEN_STEPS,
    Answer,
    Application,
    Endpoint,
    Message,
    basic_credentials,
    parse_form,
    uri_scheme,
)
from portula_oauth2.settings import OAuth2Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from portula import Provider


@hookimpl
def portula_endpoints(provider: Provider) -> list[Endpoint]:
    """Return the endpoints; the backend is made here, so that what it lacks shows at start."""
    backend, schemes = provider.backend, provider.settings(OAuth2Settings).ALLOWED_SCHEMES
    return [
        Endpoint(
            "token",
            "token/",
            ("POST",),
            _with_cors(provider, backend.create_token_response),
            cors="client",
            origin_schemes=schemes,
            steps=TOKEN_STEPS,
        ),
        Endpoint(
            "revoke_token",
            "revoke_token/",
            ("POST",),
            _with_cors(provider, backend.create_revocation_response),
            cors="client",
            origin_schemes=schemes,
            steps=REVOCATION_STEPS,
        ),
    ]


def _with_cors(provider: Provider, handler: Callable[[Message], Answer]) -> Callable[[Message], Answer]:
    """Let a browser page of the client read the answer, an error too (Fetch standard, CORS protocol)."""
    settings = provider.settings(OAuth2Settings)
    schemes = {*settings.ALLOWED_SCHEMES, *settings.ALLOWED_REDIRECT_URI_SCHEMES}

    def answer(message: Message) -> Answer:
        result = handler(message)
        origin = message.headers.get("origin")
        if origin is None or uri_scheme(origin) not in schemes:
            return result
        client = _named_client(provider, message)
        if client is None or not client.origin_allowed(origin):
            return result
        return result.with_headers({"Access-Control-Allow-Origin": origin})

    return answer


def _named_client(provider: Provider, message: Message) -> Application | None:
    """Return the client that the request names, whether or not it proved to be it."""
    try:
        named = [value for name, value in parse_form(message) if name == "client_id"]
    except OAuth2Error:
        named = []
    named += [user for user, _ in basic_credentials(message.headers.get("authorization", "")) or ()]
    return provider.client_cache.find(named[0]) if named else None
