"""The end session endpoint (OpenID Connect RP-Initiated Logout §2): a page for people.

The steps are: read the request, judge it, ask the person where that is needed, sign them out, send them on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from flask import Blueprint, Response, redirect, request

from portula import Plugin
from portula.errors import InvalidRequestError
from portula.plugin import LogoutSucceeded, PageForm, Plan, shown_name, unkeyed_digest
from portula_logout import posted
from portula_logout.asked import LogoutRequest, judge
from portula_logout.front_channel import frames_of
from portula_logout.front_channel import page as front_page
from portula_logout.settings import LogoutSettings
from portula_logout.tokens import plan_tokens

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import Authenticated, Pairs

FORM_FIELDS = frozenset({"csrf_token", "answer"})
"""What only our own form sends."""
TEMPLATES = "portula_logout"


def add_page(blueprint: Blueprint, provider: Provider) -> None:
    """Add the page; what it lacks (somebody who verifies ID tokens) shows at start."""
    _ = provider.hooks.ask(Plugin.portula_jose)
    views = EndSession(provider)
    for rule in ("/logout/", "/logout"):
        blueprint.add_url_rule(rule, "end_session", views.view, methods=["GET", "POST"], strict_slashes=True)


class EndSession:
    """The view and its steps."""

    def __init__(self, provider: Provider) -> None:
        """Take the provider."""
        self._provider = provider
        self._pages = provider.pages

    def view(self) -> Response:
        """Answer an app's request, or the person's word on it."""
        try:
            if request.method == "POST":
                return self._posted()
            return self._asked(judge(self._provider, self._read()))
        except InvalidRequestError as error:
            return self._pages.error(
                400, "You cannot be signed out like this", error.description, error.error
            )

    # --- Reading ---

    def _read(self) -> Pairs:
        """Return the parameters of the request, from where they wait if they do."""
        asked = self._pages.query()
        if set(asked) == {posted.KIND}:
            return posted.find(self._provider, asked[posted.KIND])
        return list(asked.items(multi=True))

    def _posted(self) -> Response:
        """Take the answer to our page; or keep an app's POST and come back by GET, so that Lax cookies arrive."""
        fields = self._pages.posted()
        if not FORM_FIELDS.isdisjoint(fields):
            return self._answered(judge(self._provider, self._read()))
        if not set(fields).isdisjoint(self._pages.query()):
            raise InvalidRequestError(description="A parameter stands in both the query and the body.")
        pairs = list(fields.items(multi=True))
        judge(self._provider, pairs)
        name = posted.keep(self._provider, pairs)
        return _to(self._provider.url_for("logout.end_session", **{posted.KIND: name}))

    # --- Asking ---

    def _asked(self, asked: LogoutRequest) -> Response:
        person = self._provider.hooks.ask(Plugin.portula_login).current()
        if person is None:
            return self._done(asked, known=asked.hint is not None)
        always = self._provider.settings(LogoutSettings).OIDC_RP_INITIATED_LOGOUT_ALWAYS_PROMPT
        if always or not asked.proves(self._provider, person):
            return self._ask(asked, person, self._form(asked, person))
        return self._sign_out(asked, person)

    def _ask(
        self, asked: LogoutRequest, person: Authenticated, form: PageForm, status: int = 200
    ) -> Response:
        return self._pages.render(
            f"{TEMPLATES}/confirm.html",
            status,
            form=form,
            username=person.username,
            app=_shown(asked),
        )

    def _form(self, asked: LogoutRequest, person: Authenticated) -> PageForm:
        """Make a form for this request, in this browser and this session (attack S10)."""
        about = unkeyed_digest(repr(asked.pairs))
        context = f"end session {person.subject} {person.sid} {person.authentication} {about}"
        fields = self._pages.posted() if request.method == "POST" else None
        return PageForm(self._pages, context, fields)

    # --- Answering ---

    def _answered(self, asked: LogoutRequest) -> Response:
        person = self._provider.hooks.ask(Plugin.portula_login).current()
        if person is None:
            return self._done(asked, known=asked.hint is not None)
        form = self._form(asked, person)
        if not form.validate():
            return self._ask(asked, person, form, status=400)
        if self._pages.posted().get("answer") != "yes":
            return self._pages.render(f"{TEMPLATES}/stayed.html", username=person.username)
        return self._sign_out(asked, person)

    def _sign_out(self, asked: LogoutRequest, person: Authenticated) -> Response:
        """End the session, and tokens as the settings say, in one plan: after a fault the person may try again."""
        provider, plan = self._provider, Plan()
        frames = frames_of(provider, person.sid)
        revoked = plan_tokens(provider, plan, person.subject)
        counts = provider.hooks.ask(Plugin.portula_login).sign_out_with(provider.storage, plan)
        client_id = asked.client.client_id if asked.client else None
        event = LogoutSucceeded(
            provider=provider,
            subject=person.subject,
            sid=person.sid,
            client_id=client_id,
            tokens=counts[revoked] if revoked else 0,
        )
        provider.hooks.tell(Plugin.portula_logout_succeeded, event)
        if frames.urls:
            return front_page(provider, frames, _shown(asked), asked.location)
        return self._done(asked, known=True)

    def _done(self, asked: LogoutRequest, *, known: bool) -> Response:
        """Send the person on; if nothing proves that they were meant, and they said nothing, only by a click."""
        if asked.location and known:
            return _to(asked.location)
        return self._pages.render(f"{TEMPLATES}/signed_out.html", app=_shown(asked), onward=asked.location)


def _shown(asked: LogoutRequest) -> str | None:
    return (shown_name(asked.client.name).strip() or "an app") if asked.client else None


def _to(location: str) -> Response:
    """Redirect by GET (attack S12), and tell the app nothing of where the person comes from."""
    response = cast("Response", redirect(location, 303))
    response.headers.update({"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"})
    return response
