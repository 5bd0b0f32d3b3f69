"""Remembers on the server who is signed in; the browser holds a random pointer and nothing else.

Sources: OpenID Connect Core §2 (auth_time, amr) and OWASP's Session Management Cheat Sheet.
It never accepts an identifier that it did not make, and never carries one identifier over a sign-in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from portula import hookimpl
from portula_sessions.sessions import ServerSessions
from portula_sessions.settings import SessionSettings

if TYPE_CHECKING:
    from portula import Provider


@hookimpl
def portula_settings() -> list[type[SessionSettings]]:
    """How long a session lasts."""
    return [SessionSettings]


@hookimpl
def portula_sessions(provider: Provider) -> ServerSessions:
    """Sessions kept as artifacts in the provider's storage."""
    return ServerSessions(provider)
