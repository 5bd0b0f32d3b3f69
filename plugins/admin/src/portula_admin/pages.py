"""The base of all views: access, rendering, forms bound to one session, notices after a redirect."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from flask import Response, g, redirect, request

from portula import Plugin
from portula.plugin import PageForm, current_request, return_address, unkeyed_digest
from portula_admin.access import may_enter
from portula_admin.cells import Cell, Link, Moment
from portula_admin.options import RecordAdmin
from portula_admin.site import SYSTEM

if TYPE_CHECKING:
    from werkzeug.datastructures import MultiDict

    from portula import Provider
    from portula.plugin import AuthenticatedUser, Login
    from portula_admin.site import Kind, Site

NOTICE = "admin notice"
NOTICE_SECONDS = 120
"""How long a notice is believed; it travels in the address, sealed."""

View = Callable[..., Response]


FORM_STATE = "form_state"
"""Field of a form that says what was stored when it was opened."""
CHANGED_MEANWHILE = (
    "Somebody else changed this after you had opened the form, so nothing was saved. Look in another tab at what it is "
    "now; saving again puts what stands here in its place."
)


class ChangedMeanwhile(Exception):
    """What a form shows is not what is stored any more: saving it would undo what somebody else has changed."""


def form_state(values: Mapping[str, Any]) -> str:
    """Return what tells the values that a form is filled in with from others."""
    return unkeyed_digest(json.dumps(values, sort_keys=True, default=str))


def require_unchanged(posted: Mapping[str, str], values: Mapping[str, Any]) -> None:
    """Require that a form was filled in with these values; one that does not say what it showed is not asked.

    Raises:
        ChangedMeanwhile: it was filled in with others.
    """
    if posted.get(FORM_STATE) not in (None, form_state(values)):
        raise ChangedMeanwhile


class NotPermitted(Exception):
    """Ends a view: the person may not do this."""

    def __init__(self, answer: Response) -> None:
        """Take what the person is answered."""
        self.answer = answer
        super().__init__("the person may not do this")


class AdminPages:
    """Base of the views of one provider."""

    def __init__(self, provider: Provider, site: Site) -> None:
        """Take the provider and what is shown."""
        self.provider = provider
        self.site = site

    def require_admin(self, view: View) -> View:
        """Let only administrators reach a view; it is given the person first."""

        @functools.wraps(view)
        def enter(**values: Any) -> Response:
            login = self.provider.hooks.ruling(Plugin.portula_login).answer
            person = None if login is None else login.current()
            if person is None and login is not None:
                return self.redirect(login.login_url(self._here()))
            if person is None or not may_enter(self.provider, person):
                return self.provider.pages.render("portula_admin/refused.html", 403, person=person)
            # Now: nothing may fail once something is written.
            g.portula_admin_links, g.portula_admin_navigation = _own_links(login), self._navigation(person)
            asked = current_request()
            if asked is not None:
                asked.actor = person.subject
            try:
                return view(person, **values)
            except NotPermitted as barred:
                return barred.answer

        return enter

    def page(
        self,
        template: str,
        person: AuthenticatedUser,
        status: int = 200,
        *,
        crumbs: Sequence[Link] = (),
        **context: Any,
    ) -> Response:
        """Return a page with navigation and, after a redirect, what was done."""
        return self.provider.pages.render(
            f"portula_admin/{template}",
            status,
            person=person,
            navigation=g.portula_admin_navigation,
            crumbs=[Link("Admin", self.url("overview")), *crumbs],
            notice=self._notice(person),
            own_links=g.portula_admin_links,
            url_for_admin=self.url,
            moment=Moment,
            **context,
        )

    def refusal(self, person: AuthenticatedUser) -> Response:
        """Return the page for what an administrator may not do."""
        return self.provider.pages.render(
            "portula_admin/refused.html", 403, person=person, back=self.url("overview")
        )

    def require(self, person: AuthenticatedUser, kind: Kind, action: str, record: Any = None) -> None:
        """Let a view go on only if the person may do something.

        Raises:
            NotPermitted: they may not. Where the admin class hides it there is no page, else they are refused.
        """
        if isinstance(kind, RecordAdmin) and not kind.allows(action, person, record):
            raise NotPermitted(self.provider.pages.missing())
        if not self.site.permits(person, kind, action, record):
            raise NotPermitted(self.refusal(person))

    def reachable(self, person: AuthenticatedUser, cell: Cell) -> Cell:
        """Return a cell, without its link where that leads to what the person may not see."""
        if not isinstance(cell, Link) or not cell.to:
            return cell
        return cell if self.site.allows(person, self.site.admins[cell.to], "view") else cell.text

    def form(
        self, purpose: str, person: AuthenticatedUser, posted: MultiDict[str, str] | None = None
    ) -> PageForm:
        """Return a form of buttons only."""
        return PageForm(self.provider.pages, self.context(purpose, person), posted)

    def context(self, purpose: str, person: AuthenticatedUser) -> str:
        """Return what a form's token is bound to besides the browser: the session and what it is about."""
        return f"admin {purpose} {person.sid or person.subject}"

    def url(self, view: str, **values: Any) -> str:
        """Return the address of a page."""
        return self.provider.url_for(f"admin.{view}", **values)

    def redirect(self, location: str) -> Response:
        """Send the browser elsewhere with GET."""
        response = cast("Response", redirect(location, 303))
        response.headers["Cache-Control"] = "no-store"
        return response

    def redirect_with_notice(
        self, person: AuthenticatedUser, said: str, view: str, **values: Any
    ) -> Response:
        """Send the browser on, to a page that says what was done."""
        fresh = json.dumps([person.subject, self.provider.now() + NOTICE_SECONDS, said])
        return self.redirect(self.url(view, **values, notice=self.provider.keys.seal(NOTICE, fresh)))

    def _notice(self, person: AuthenticatedUser) -> str | None:
        sealed = self.provider.keys.unseal(NOTICE, request.args.get("notice", ""))
        if sealed is None:
            return None
        subject, until, said = json.loads(sealed)
        return str(said) if subject == person.subject and self.provider.now() <= until else None

    def _navigation(self, person: AuthenticatedUser) -> list[tuple[Link, bool]]:
        links = [
            Link(admin.title_plural, self.url("records", slug=admin.slug))
            for admin in self.site.visible(person)
        ]
        links += [
            Link(kind.title_plural, self.url("managed", slug=kind.slug))
            for kind in self.site.visible_managed(person, of_person=False)
        ]
        if self.site.allows(person, SYSTEM, "view"):
            links.append(Link("System", self.url("system")))
        here = f"{request.root_path}{request.path}"
        return [(link, here.startswith(link.url)) for link in links]

    def _here(self) -> str:
        """Return the page that was asked for, to come back to; a form is not posted again."""
        if request.method != "GET":
            return self.url("overview")
        return return_address()


def _own_links(login: Login | None) -> list[Link]:
    """Return the ways out: the person's account, and signing out, where the login has pages for them."""
    ways = (("Your account", login.account_url()), ("Sign out", login.sign_out_url())) if login else ()
    return [Link(text, url) for text, url in ways if url is not None]
