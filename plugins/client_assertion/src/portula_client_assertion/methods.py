"""The two methods, told apart by the algorithm that the assertion names (OpenID Connect Core §9)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portula.client_auth import ClientAuthMethod
from portula.errors import UntrustedToken
from portula_client_assertion.assertion import ASSERTION_TYPE, Assertions
from portula_client_assertion.settings import ClientAssertionSettings

if TYPE_CHECKING:
    from portula import Provider
    from portula.engine.messages import OAuthRequest

PRIVATE_KEY_JWT = "private_key_jwt"
CLIENT_SECRET_JWT = "client_secret_jwt"


def algorithms_of(provider: Provider) -> dict[str, tuple[str, ...]]:
    """Return the algorithms of each method that is on; none is while nobody answers the slot `jose`."""
    if provider.hooks.ruling("jose").winner is None:
        return {}
    settings = provider.settings(ClientAssertionSettings)
    offered: dict[str, tuple[str, ...]] = {
        PRIVATE_KEY_JWT: settings.CLIENT_ASSERTION_PRIVATE_KEY_JWT_ALGS,
        CLIENT_SECRET_JWT: settings.CLIENT_ASSERTION_CLIENT_SECRET_JWT_ALGS,
    }
    return {method: algorithms for method, algorithms in offered.items() if algorithms}


def make(provider: Provider) -> list[ClientAuthMethod]:
    """Return the methods that are on."""
    return [_method(provider, name, algorithms) for name, algorithms in algorithms_of(provider).items()]


def _method(provider: Provider, name: str, algorithms: tuple[str, ...]) -> ClientAuthMethod:
    def presented(request: OAuthRequest) -> bool:
        return _presents(request) and _method_of(provider, request) == name

    return ClientAuthMethod(name, presented, Assertions(provider, name, algorithms).client_of)


def _presents(request: OAuthRequest) -> bool:
    """Say whether there is an assertion of ours; one of another type is for who understands that."""
    given = request.body.get(
        "client_assertion_type", ASSERTION_TYPE if "client_assertion" in request.body else None
    )
    return given == ASSERTION_TYPE


def _method_of(provider: Provider, request: OAuthRequest) -> str:
    """Return whose assertion it is; what cannot be read is refused as the first that is on."""
    offered = algorithms_of(provider)
    try:
        algorithm = str(provider.hooks.jose.read(request.body.get("client_assertion", "")).header.get("alg"))
    except UntrustedToken:
        algorithm = ""
    return next(
        (name for name, algorithms in offered.items() if algorithm in algorithms), next(iter(offered))
    )
