"""The page where a person sees in which browsers they are signed in, and ends what should not be."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from flask import Blueprint, Response, redirect
from werkzeug.datastructures import MultiDict
from wtforms import HiddenField

from portula import Plugin
from portula.plugin import Mount, PageForm
from portula_sessions.devices import device_name
from portula_sessions.sessions import ServerSessions

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import AuthenticatedUser, SessionSummary

VIEW = "sessions.sessions"


class EndForm(PageForm):
    """Ends one session; without a sid, all but the one of this browser."""

    sid = HiddenField()


def make_mount(provider: Provider, sessions: ServerSessions) -> Mount:
    """Return the page, below the mount point."""
    blueprint = Blueprint("sessions", __name__, template_folder="templates")
    views = SessionsPage(provider, sessions)
    blueprint.add_url_rule("/sessions/", "sessions", views.show, methods=["GET"], strict_slashes=False)
    blueprint.add_url_rule("/sessions/", "end", views.end, methods=["POST"], strict_slashes=False)
    return Mount(blueprint)


class SessionsPage:
    """The views of one provider."""

    def __init__(self, provider: Provider, sessions: ServerSessions) -> None:
        """Take the provider and its sessions."""
        self._provider = provider
        self._sessions = sessions

    def show(self) -> Response:
        """List the sessions of the person signed in."""
        person = self._provider.hooks.ask(Plugin.portula_login).current()
        return self._page(person) if person else self._to_login()

    def end(self) -> Response:
        """End one of them, or all others."""
        person = self._provider.hooks.ask(Plugin.portula_login).current()
        if person is None:
            return self._to_login()
        posted = self._provider.pages.posted_form()
        sid = posted.get("sid", "")
        form = self._form(person, sid, posted)
        if not form.validate():
            return self._page(person, {sid: form}, status=400)
        if sid:
            self._sessions.end_one(person.subject, sid)
        else:
            here = self._sessions.current()
            self._sessions.end_all(person.subject, except_sid=here.sid if here else None)
        return self._redirect(self._provider.url_for(VIEW))

    def _page(
        self, person: AuthenticatedUser, tried: dict[str, EndForm] | None = None, status: int = 200
    ) -> Response:
        seen = sorted(self._live_sessions(person), key=lambda entry: not entry.current)
        forms = {sid: self._form(person, sid) for sid in ("", *(entry.session.sid for entry in seen))}
        return self._provider.pages.render(
            "portula_sessions/sessions.html",
            status,
            sessions=[_row(entry) for entry in seen],
            forms={**forms, **(tried or {})},
            action=self._provider.url_for(VIEW),
            account=self._provider.hooks.ask(Plugin.portula_login).account_url(),
        )

    def _live_sessions(self, person: AuthenticatedUser) -> list[SessionSummary]:
        return self._sessions.live_sessions(person.subject)

    def _form(
        self, person: AuthenticatedUser, sid: str, posted: MultiDict[str, str] | None = None
    ) -> EndForm:
        """Make a form that serves this person's session and this entry of the list alone."""
        context = f"end {person.sid or person.subject} {sid}"
        return EndForm(self._provider.pages, context, posted, sid=sid)

    def _to_login(self) -> Response:
        url = self._provider.url_for(VIEW)
        return self._redirect(self._provider.hooks.ask(Plugin.portula_login).login_url(url))

    def _redirect(self, location: str) -> Response:
        response = cast("Response", redirect(location, 303))
        response.headers["Cache-Control"] = "no-store"
        return response


def _row(seen: SessionSummary) -> dict[str, Any]:
    return {
        "sid": seen.session.sid,
        "device": device_name(seen.agent),
        "address": seen.address,
        "current": seen.current,
        "started_at": datetime.fromtimestamp(seen.started_at, UTC),
        "seen_at": datetime.fromtimestamp(seen.seen_at, UTC),
    }
