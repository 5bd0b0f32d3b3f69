"""The grant and response types of RFC 6749."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portula.engine.grants import (
    AuthorizationCodeGrant,
    ClientCredentialsGrant,
    PasswordGrant,
    RefreshTokenGrant,
)

if TYPE_CHECKING:
    from portula.engine.grants import GrantFactory
    from portula_oauth2.settings import OAuth2Settings


def grant_types(settings: OAuth2Settings) -> dict[str, GrantFactory]:
    """Return the grant types by name on the wire; password only when the setting allows it."""
    made: dict[str, GrantFactory] = {
        "authorization_code": lambda validator: AuthorizationCodeGrant(
            validator, settings.CODE_CHALLENGE_METHODS
        ),
        "client_credentials": ClientCredentialsGrant,
        "refresh_token": RefreshTokenGrant,
    }
    if settings.PASSWORD_GRANT_ENABLED:
        made["password"] = PasswordGrant
    return made


def response_types(settings: OAuth2Settings) -> dict[str, GrantFactory]:
    """Return the response types of RFC 6749 that RFC 9700 still recommends."""
    return {"code": lambda validator: AuthorizationCodeGrant(validator, settings.CODE_CHALLENGE_METHODS)}
