"""The response modes (JARM §2.3): each writes one parameter, `response`, in the way of the mode that it is made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from portula import Plugin, hookimpl
from portula.plugin import (
    Answer,
    Application,
    AuthorizationExchange,
    ResponseMode,
    TokenEncryption,
    in_front_channel,
)
from portula_jarm.settings import JarmSettings

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import AuthorizationServer

SHORTCUT = "jwt"
PLAIN = ("query", "fragment", "form_post")
SIGNED_ALG = "authorization_signed_response_alg"
ENCRYPTION = TokenEncryption("authorization")
"""How a client has responses encrypted (JARM §3)."""

_OF_ID_TOKENS = frozenset({"sub", "nonce"})
"""Without them nobody takes a response for an ID token (attack S44)."""


def is_on(provider: AuthorizationServer) -> bool:
    """Say whether somebody signs JWTs here."""
    return provider.hooks.ruling(Plugin.portula_jose).answer is not None


def algorithms(provider: AuthorizationServer) -> list[str]:
    """Return the algorithms that a response may be signed with (authorization_signing_alg_values_supported)."""
    return list(provider.hooks.ask(Plugin.portula_jose).algorithms_for_clients())


def effective(mode: str | None, response_type: str) -> str:
    """Return the mode that a request names, or that it means without one or by the shortcut (JARM §2.3.4)."""
    plain = "fragment" if in_front_channel(response_type) else "query"
    if mode is None:
        return plain
    return f"{plain}.{SHORTCUT}" if mode == SHORTCUT else mode


@hookimpl
def portula_response_modes(provider: Provider) -> list[ResponseMode]:
    """Return the modes."""
    names = (*(f"{plain}.{SHORTCUT}" for plain in PLAIN), SHORTCUT) if is_on(provider) else ()
    return [ResponseMode(name=name, write=_write, signed=True) for name in names]


def _write(exchange: AuthorizationExchange, parameters: Mapping[str, str]) -> Answer:
    """Write the response, success or error alike: every parameter stands in the JWT, and nowhere else (JARM §2.1).

    Raises:
        JoseError: it cannot be signed, or not be encrypted; it is never sent without.
    """
    request, client = exchange.request, cast("Application", exchange.client)
    jose = exchange.provider.hooks.ask(Plugin.portula_jose)
    signed = jose.sign(
        _claims(exchange, client, parameters),
        typ="JWT",
        algorithm=client.metadata.get(SIGNED_ALG) or jose.default_algorithm(client),
        client=client,
    )
    plain = effective(request.response_mode, request.response_type or "").removesuffix(f".{SHORTCUT}")
    response = ENCRYPTION.encrypt(exchange.provider, client, signed)
    return exchange.provider.response_modes[plain].write(exchange, {"response": response})


def _claims(
    exchange: AuthorizationExchange, client: Application, parameters: Mapping[str, str]
) -> dict[str, Any]:
    """Return the claims: the parameters, `iss` among them (RFC 9207 §2), whom it is for, and until when it counts."""
    provider = exchange.provider
    claims: dict[str, Any] = {
        name: int(value) if name == "expires_in" else value
        for name, value in parameters.items()
        if name not in _OF_ID_TOKENS
    }
    lifetime = provider.settings(JarmSettings).JARM_LIFETIME_SECONDS
    return {**claims, "aud": client.client_id, "exp": provider.now() + lifetime}
