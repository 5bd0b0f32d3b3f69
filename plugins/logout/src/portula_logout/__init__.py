"""Signs people out of all they signed in to here: at the wish of an app, and telling the others.

Sources: OpenID Connect RP-Initiated Logout, Back-Channel Logout, Front-Channel Logout and Session Management 1.0.
It never sends a browser to an address that was not registered, and never lets an app's server delay a person.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portula import hookimpl
from portula.client_metadata import ClientMember
from portula_logout import metadata
from portula_logout.endpoint import make_mount
from portula_logout.settings import LogoutSettings

if TYPE_CHECKING:
    from portula import Provider
    from portula.blueprints import Mount


@hookimpl
def portula_settings() -> list[type[LogoutSettings]]:
    return [LogoutSettings]


@hookimpl
def portula_blueprints(provider: Provider) -> list[Mount]:
    return [make_mount(provider)] if metadata.rp_initiated(provider) else []


@hookimpl
def portula_metadata(provider: Provider) -> dict[str, Any]:
    return metadata.members(provider)


@hookimpl
def portula_client_metadata(provider: Provider) -> list[ClientMember]:
    if not metadata.rp_initiated(provider):
        return []
    return [ClientMember("post_logout_redirect_uris", list[str], field="post_logout_redirect_uris")]
