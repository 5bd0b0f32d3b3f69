"""Client authentication by secret, and none at all (RFC 6749 §2.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portula import Plugin, hookimpl
from portula.plugin import (
    CLIENT_ADDRESS,
    Application,
    ClientAuthMethod,
    OAuthRequest,
    basic_credentials_of,
    exchange_of,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portula import Provider


@hookimpl
def portula_client_auth_methods(provider: Provider) -> list[ClientAuthMethod]:
    """Return client_secret_basic, client_secret_post and none."""

    def by_secret(request: OAuthRequest, candidates: Sequence[tuple[str, str]]) -> Application | None:
        hasher, address = (
            provider.hooks.ask(Plugin.portula_secret_hasher),
            request.headers.get(CLIENT_ADDRESS, ""),
        )
        exchange = exchange_of(request, provider)
        for client_id, secret in candidates:
            client = provider.client_cache.find(client_id)
            stored = client.secret_hashes if client else ()
            exchange.reason = "too many wrong secrets"
            held = hasher.verify_any(secret, stored, client_id=client_id, client_address=address)
            if held is None:
                provider.client_cache.confirm(client)  # it may be a new one
            if client is not None and held is not None:
                renewal = hasher.renewal(secret, held)
                if renewal is not None:
                    provider.clients.renew_secret(client, held, renewal)
                exchange.client_secret_hash, exchange.reason = held, None
                return client
            known = "wrong secret" if stored else "the client has no secret"
            exchange.reason = "unknown client" if client is None else known
        return None

    def basic(request: OAuthRequest) -> Application | None:
        return by_secret(request, basic_credentials_of(request) or [])

    def post(request: OAuthRequest) -> Application | None:
        return by_secret(request, [(request.client_id or "", request.client_secret or "")])

    def none(request: OAuthRequest) -> Application | None:
        """Know a public client by its client_id, in the body or as a Basic user without a password."""
        client_id = _user_without_password(request) or request.client_id
        client = provider.client_cache.find(client_id) if client_id else None
        return client if client is not None and client.client_type == "public" else None

    return [
        ClientAuthMethod("client_secret_basic", _presents_basic, basic),
        ClientAuthMethod("client_secret_post", lambda request: request.client_secret is not None, post),
        ClientAuthMethod("none", lambda _request: False, none),
    ]


def _user_without_password(request: OAuthRequest) -> str | None:
    return next((user for user, password in basic_credentials_of(request) or [] if not password), None)


def _presents_basic(request: OAuthRequest) -> bool:
    """Tell Basic from a public client without a password; a secret in the body makes it Basic again."""
    if basic_credentials_of(request) is None:
        return False
    return _user_without_password(request) is None or request.client_secret is not None
