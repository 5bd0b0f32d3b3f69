"""Signs people out of all they signed in to here: at the wish of an app, and telling the others.

Sources: OpenID Connect RP-Initiated Logout, Back-Channel Logout, Front-Channel Logout and Session Management 1.0.
It never sends a browser to an address that was not registered, and never lets an app's server delay a person.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from portula import hookimpl
from portula_logout import browser_state, metadata, participants
from portula_logout.back_channel import portula_deliveries
from portula_logout.commands import make_commands
from portula_logout.ends import record_end
from portula_logout.hooks import LogoutSucceeded, portula_declarations
from portula_logout.metadata import portula_metadata
from portula_logout.mount import mounts
from portula_logout.registration import portula_client_metadata, portula_validate_client_registration
from portula_logout.settings import LogoutSettings

if TYPE_CHECKING:
    import click

    from portula import Provider
    from portula.plugin import AuthorizationGranted, AuthorizationResponse, Mount, SessionEnded

__all__ = [
    "LogoutSucceeded",
    "portula_client_metadata",
    "portula_declarations",
    "portula_deliveries",
    "portula_metadata",
    "portula_validate_client_registration",
]
__version__ = "0.1.0"


@hookimpl
def portula_settings(provider: Provider) -> list[type[LogoutSettings]]:
    return [LogoutSettings]


@hookimpl
def portula_blueprints(provider: Provider) -> list[Mount]:
    return mounts(provider)


@hookimpl
def portula_commands(provider: Provider) -> list[click.Command]:
    return make_commands(provider) if metadata.back_channel(provider) else []


@hookimpl
def portula_authorization_response(answer: AuthorizationResponse) -> dict[str, str]:
    return browser_state.members(cast("Provider", answer.provider), answer.request)


@hookimpl
def portula_record_authorization(event: AuthorizationGranted) -> list[object]:
    return participants.remember(event.provider, event) if metadata.openid(event.provider) else []


@hookimpl
def portula_record_session_end(event: SessionEnded) -> list[object]:
    return record_end(event.provider, event) if metadata.openid(event.provider) else []


@hookimpl
def portula_session_ended(event: SessionEnded) -> None:
    if metadata.openid(event.provider):
        browser_state.forget(cast("Provider", event.provider), event.sid)
