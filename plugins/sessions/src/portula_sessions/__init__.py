"""Remembers on the server who is signed in; the browser holds a random pointer and nothing else.

Sources: OpenID Connect Core §2 (auth_time, amr) and OWASP's Session Management Cheat Sheet.
It never accepts an identifier that it did not make, and never carries one identifier over a sign-in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from portula import Plugin, hookimpl
from portula.plugin import AccountLink
from portula_sessions.administering import SessionRecords
from portula_sessions.commands import sessions_group
from portula_sessions.endpoint import VIEW, make_mount
from portula_sessions.sessions import ServerSessions
from portula_sessions.settings import SessionSettings

if TYPE_CHECKING:
    import click

    from portula import Provider
    from portula.plugin import AuthorizationGranted, AuthorizationServer, Mount, PlanPart

__version__ = "0.1.0"


@hookimpl
def portula_settings(provider: Provider) -> list[type[SessionSettings]]:
    """How long a session lasts."""
    return [SessionSettings]


@hookimpl
def portula_sessions(provider: Provider) -> ServerSessions:
    """Sessions kept as artifacts in the provider's storage."""
    return ServerSessions(provider)


def _own(provider: AuthorizationServer) -> ServerSessions | None:
    """Return our sessions if they won their slot: a room that lost leaves no pages behind."""
    sessions = provider.hooks.ruling(Plugin.portula_sessions).answer
    return sessions if isinstance(sessions, ServerSessions) else None


@hookimpl
def portula_blueprints(provider: Provider) -> list[Mount]:
    """The page where people see where they are signed in."""
    sessions = _own(provider)
    return [make_mount(provider, sessions)] if sessions else []


@hookimpl
def portula_account_links(provider: Provider) -> list[AccountLink]:
    """The way to that page."""
    return [AccountLink("Where you are signed in", VIEW)] if _own(provider) else []


@hookimpl
def portula_commands(provider: Provider) -> list[click.Command]:
    """The group `sessions`."""
    sessions = _own(provider)
    return [sessions_group(provider, sessions)] if sessions else []


@hookimpl
def portula_admin_records(provider: Provider) -> list[SessionRecords]:
    """The sessions of a person, in the pages of administrators."""
    sessions = _own(provider)
    return [SessionRecords(sessions)] if sessions else []


@hookimpl
def portula_record_authorization(event: AuthorizationGranted) -> list[PlanPart]:
    """Require the session in which an authorization begins: it ends before both are written or after."""
    sessions = _own(event.provider)
    return sessions.require_session(event.sid) if sessions else []
