"""`portula sessions`: where a person is signed in, and its end. No cookie is ever printed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from portula.errors import UnknownPerson
from portula.plugin import User, console, find_person, nearest
from portula_sessions.devices import device_name

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import SessionSummary
    from portula_sessions.sessions import ServerSessions

COLUMNS = {
    "sid": "Session",
    "device": "Device",
    "address": "Address",
    "started_at": "Begun",
    "seen_at": "In use",
    "ends_at": "Ends",
}
"""What the table of a list shows."""


def sessions_group(provider: Provider, sessions: ServerSessions) -> click.Group:
    """Make the group `sessions` for one provider."""

    @click.group("sessions")
    def group() -> None:
        """Where people are signed in."""

    group.add_command(_list(provider, sessions))
    group.add_command(_show(provider, sessions))
    group.add_command(_end(provider, sessions))
    return group


def _list(provider: Provider, sessions: ServerSessions) -> click.Command:
    @click.command("list")
    @click.argument("user")
    @console.page_options("session")
    @console.json_option
    def list_sessions(user: str, limit: int, after: str | None, *, as_json: bool) -> None:
        """List the live sessions of USER, the newest first."""
        person = _person(provider, user)
        last = None if after is None else _find(sessions, person, after).session.sid
        rows = [facts_of(seen) for seen in sessions.page(person.subject, limit=limit, after=last)]
        none = f"{user} is signed in nowhere." if last is None else "There is no other session."
        console.print_page(rows, COLUMNS, limit=limit, key="sid", as_json=as_json, none=none)

    return list_sessions


def _show(provider: Provider, sessions: ServerSessions) -> click.Command:
    @click.command("show", context_settings=console.NAMES)
    @click.argument("user")
    @click.argument("session")
    @console.json_option
    def show(user: str, session: str, *, as_json: bool) -> None:
        """Show one session of USER."""
        console.print_record(facts_of(_find(sessions, _person(provider, user), session)), as_json=as_json)

    return show


def _end(provider: Provider, sessions: ServerSessions) -> click.Command:
    @click.command("end", context_settings=console.NAMES)
    @click.argument("user")
    @click.argument("session", required=False)
    @click.option("--all", "everywhere", is_flag=True, help="End all of them.")
    @console.yes_option
    @console.json_option
    def end(user: str, session: str | None, *, everywhere: bool, yes: bool, as_json: bool) -> None:
        """End one session of USER, or all; the apps hear of it, and their tokens are not touched."""
        if (session is None) != everywhere:
            raise click.UsageError("name a session, or say --all")
        person = _person(provider, user)
        if session is None:
            console.confirm(f"End all sessions of {person.username}?", yes=yes)
            ended = sessions.end_all(person.subject)
        else:
            sid = _find(sessions, person, session).session.sid
            console.confirm(f"End this session of {person.username}?", yes=yes)
            ended = int(sessions.end_one(person.subject, sid))
        if as_json:
            console.print_record({"ended": ended}, as_json=True)
        else:
            click.echo(f"Ended {ended}.")

    return end


def _person(provider: Provider, user: str) -> User:
    try:
        return find_person(provider, user)
    except UnknownPerson as error:
        raise click.ClickException(str(error)) from None


def _find(sessions: ServerSessions, person: User, sid: str) -> SessionSummary:
    found = sessions.find(person.subject, sid)
    if found is None:
        near = nearest(sid, [each.session.sid for each in sessions.live_sessions(person.subject)])
        raise click.ClickException(f"{person.username} has no session {sid!r}{near}")
    return found


def facts_of(seen: SessionSummary) -> dict[str, Any]:
    """Return what is shown of a session."""
    session = seen.session
    return {
        "sid": session.sid,
        "subject": session.subject,
        "username": session.username,
        "device": device_name(seen.agent),
        "agent": seen.agent,
        "address": seen.address,
        "amr": list(session.amr),
        "auth_time": session.auth_time,
        "started_at": seen.started_at,
        "seen_at": seen.seen_at,
        "ends_at": session.expires_at,
    }
