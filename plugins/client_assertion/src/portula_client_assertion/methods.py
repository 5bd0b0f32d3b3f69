"""The two methods, told apart by the algorithm that the assertion names (OpenID Connect Core §9)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from portula import Plugin
from portula.errors import UntrustedToken
from portula.plugin import ClientAuthMethod
from portula_client_assertion.assertion import ASSERTION_TYPE, Assertions
from portula_client_assertion.settings import (
    CLIENT_SECRET_JWT,
    PRIVATE_KEY_JWT,
    ClientAssertionSettings,
    algorithms_of,
)

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import AuthorizationServer, OAuthRequest


def algorithms_in_use(provider: AuthorizationServer) -> dict[str, tuple[str, ...]]:
    """Return the algorithms of each method by which clients may authenticate here."""
    enabled = provider.client_auth_methods
    return {method: found for method, found in _algorithms(provider).items() if method in enabled}


def _algorithms(provider: AuthorizationServer) -> dict[str, tuple[str, ...]]:
    """Return the algorithms of each method that is contributed; none is while nobody answers the slot `jose`."""
    if provider.hooks.ruling(Plugin.portula_jose).winner is None:
        return {}
    settings = provider.settings(ClientAssertionSettings)
    offered: dict[str, tuple[str, ...]] = {
        method: algorithms_of(settings, method) for method in (PRIVATE_KEY_JWT, CLIENT_SECRET_JWT)
    }
    return {method: algorithms for method, algorithms in offered.items() if algorithms}


def make(provider: Provider) -> list[ClientAuthMethod]:
    """Return the methods that are on."""
    offered = _algorithms(provider)
    named = {algorithm: method for method, algorithms in offered.items() for algorithm in algorithms}

    def method_of(request: OAuthRequest) -> str | None:
        """Return by which method a request authenticates; what cannot be read is refused by the first that is on."""
        if not _presents(request):
            return None
        try:
            header = (
                provider.hooks.ask(Plugin.portula_jose).read(request.body.get("client_assertion", "")).header
            )
        except UntrustedToken:
            header = {}
        return named.get(str(header.get("alg")), next(iter(offered)))

    def is_presented(name: str, request: OAuthRequest) -> bool:
        return method_of(request) == name

    return [
        ClientAuthMethod(name, partial(is_presented, name), Assertions(provider, name).client_of)
        for name in offered
    ]


def _presents(request: OAuthRequest) -> bool:
    """Say whether there is an assertion of ours, or one without its type; another type is for who understands that."""
    untyped = ASSERTION_TYPE if "client_assertion" in request.body else None
    return request.body.get("client_assertion_type", untyped) == ASSERTION_TYPE
