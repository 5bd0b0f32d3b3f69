"""The default answers to the slots of the models: core's own record classes, in tables of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portula import hookimpl
from portula.plugin import AccessToken, Application, Grant, IDToken, RefreshToken

if TYPE_CHECKING:
    from portula import Provider


@hookimpl
def portula_application_model(provider: Provider) -> type[Application]:
    """Answer with core's record of a client."""
    return Application


@hookimpl
def portula_grant_model(provider: Provider) -> type[Grant]:
    """Answer with core's record of an authorization code."""
    return Grant


@hookimpl
def portula_access_token_model(provider: Provider) -> type[AccessToken]:
    """Answer with core's record of an access token."""
    return AccessToken


@hookimpl
def portula_refresh_token_model(provider: Provider) -> type[RefreshToken]:
    """Answer with core's record of a refresh token."""
    return RefreshToken


@hookimpl
def portula_id_token_model(provider: Provider) -> type[IDToken]:
    """Answer with core's record of an ID token."""
    return IDToken
