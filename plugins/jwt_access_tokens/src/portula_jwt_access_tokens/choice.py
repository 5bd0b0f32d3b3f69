"""Which access tokens are JWTs: by the setting, and by what a client is registered with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portula import Plugin, hookimpl
from portula.errors import ConfigError, HookFailed
from portula.plugin import ClientMember, Server
from portula_jwt_access_tokens.settings import JWT, OPAQUE, JwtAccessTokensSettings

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import Application, AuthorizationServer, Exchange

MEMBER = "jwt_access_token"
"""Member of client metadata, named as django-oauth-toolkit names the field of its applications."""


def is_on(provider: AuthorizationServer) -> bool:
    """Say whether tokens can be JWTs: somebody signs here, and the server class is one that makes formats."""
    signs = provider.hooks.ruling(Plugin.portula_jose).answer is not None
    server = provider.hooks.ruling(Plugin.portula_server_class).answer
    return signs and isinstance(server, type) and issubclass(server, Server)


def is_wanted(provider: AuthorizationServer) -> bool:
    """Say whether the setting has JWTs made, so that it is an error where none can be."""
    return provider.settings(JwtAccessTokensSettings).ACCESS_TOKEN_FORMAT != OPAQUE


def require_signer(provider: AuthorizationServer) -> None:
    """Require at start what the settings need.

    Raises:
        EmptySlot: nobody signs JWTs.
        ConfigError: nobody signs with ACCESS_TOKEN_JWT_ALG.
    """
    algorithm = provider.settings(JwtAccessTokensSettings).ACCESS_TOKEN_JWT_ALG
    if algorithm is None and not is_wanted(provider):
        return
    known = provider.hooks.ask(Plugin.portula_jose).signing_algorithms()
    if algorithm is not None and algorithm not in known:
        raise ConfigError(f"ACCESS_TOKEN_JWT_ALG: {algorithm!r} is none of {', '.join(known)}")


@hookimpl
def portula_client_metadata(provider: Provider) -> list[ClientMember]:
    """Return the member by which a client chooses."""
    if not is_on(provider):
        return []
    label, hint = "Access tokens as JWTs", "Resource servers verify them by themselves (RFC 9068)."
    return [ClientMember(MEMBER, bool, label=label, hint=hint)]


@hookimpl
def portula_shape_token(exchange: Exchange) -> None:
    """Choose the format of a token for which no plugin has chosen another.

    Raises:
        HookFailed: the callable of ACCESS_TOKEN_FORMAT fails, or returns something else.
    """
    issue, client = exchange.issue, exchange.client
    if issue is None or client is None or issue.format or not is_on(exchange.provider):
        return
    if _choose(exchange, client) == JWT:
        issue.format = JWT


def _choose(exchange: Exchange, client: Application) -> str:
    setting = exchange.provider.settings(JwtAccessTokensSettings).ACCESS_TOKEN_FORMAT
    if not callable(setting):
        registered = client.metadata.get(MEMBER)
        return setting if registered is None else (JWT if registered else OPAQUE)
    try:
        chosen = setting(client, exchange.resources)
    except Exception as error:
        raise HookFailed(f"ACCESS_TOKEN_FORMAT: the callable failed: {error}") from error
    if chosen not in (OPAQUE, JWT):
        raise HookFailed(f"ACCESS_TOKEN_FORMAT: the callable returned {chosen!r}, neither 'opaque' nor 'jwt'")
    return chosen
