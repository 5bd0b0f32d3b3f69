"""The grant and response types of RFC 6749."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from portula import Plugin
from portula.errors import ConfigError
from portula.plugin import (
    IMPLICIT,
    AuthorizationCodeGrant,
    ClientCredentialsGrant,
    PasswordGrant,
    RefreshTokenGrant,
    ResponseType,
    in_front_channel,
    nearest,
)

if TYPE_CHECKING:
    from portula.plugin import AuthorizationServer, GrantFactory, ResponseTypeFactory
    from portula_oauth2.settings import OAuth2Settings

_RESPONSE_TYPES = "OIDC_RESPONSE_TYPES_SUPPORTED"
_AUTH_METHODS = "OIDC_TOKEN_ENDPOINT_AUTH_METHODS_SUPPORTED"


def grant_types(settings: OAuth2Settings) -> dict[str, GrantFactory]:
    """Return the grant types by name on the wire; password only when the setting allows it."""
    made: dict[str, GrantFactory] = {
        "authorization_code": AuthorizationCodeGrant,
        "client_credentials": ClientCredentialsGrant,
        "refresh_token": RefreshTokenGrant,
    }
    if settings.PASSWORD_GRANT_ENABLED:
        made["password"] = PasswordGrant
    return made


RESPONSE_TYPES: dict[str, ResponseTypeFactory] = {"code": ResponseType, "token": ResponseType}
"""The response types of RFC 6749."""


def enabled_response_types(settings: OAuth2Settings, contributed: Collection[str]) -> list[str]:
    """Return which response types are in use, of those that rooms contribute.

    Raises:
        ConfigError: OIDC_RESPONSE_TYPES_SUPPORTED names one that nobody contributes, or only such as
            IMPLICIT_GRANT_ENABLED leaves out.
    """
    listed = _choose(_RESPONSE_TYPES, settings.OIDC_RESPONSE_TYPES_SUPPORTED, contributed)
    enabled = [name for name in listed if settings.IMPLICIT_GRANT_ENABLED or "token" not in name.split()]
    if listed and not enabled:
        raise ConfigError(f"{_RESPONSE_TYPES}: all of these need IMPLICIT_GRANT_ENABLED = True")
    return enabled


def enabled_client_auth_methods(settings: OAuth2Settings, contributed: Collection[str]) -> list[str]:
    """Return which client authentication methods are in use, of those that rooms contribute.

    Raises:
        ConfigError: OIDC_TOKEN_ENDPOINT_AUTH_METHODS_SUPPORTED names one that nobody contributes.
    """
    return _choose(_AUTH_METHODS, settings.OIDC_TOKEN_ENDPOINT_AUTH_METHODS_SUPPORTED, contributed)


def registrable_grant_types(provider: AuthorizationServer) -> list[str]:
    """Return the grant types that a client may be registered for: those of the token endpoint, and `implicit`."""
    names = list(provider.hooks.collect(Plugin.portula_grant_types))
    return [*names, IMPLICIT] if any(map(in_front_channel, provider.response_types)) else names


def _choose(setting: str, names: Collection[str] | None, contributed: Collection[str]) -> list[str]:
    """Return the names of a list, all that are contributed where there is none."""
    if names is None:
        return list(contributed)
    findings = [
        f"{setting}: no installed plugin answers {name!r}{nearest(name, contributed)}; there are: "
        f"{', '.join(contributed)}"
        for name in names
        if name not in contributed
    ]
    if findings:
        raise ConfigError(*findings)
    return list(names)
