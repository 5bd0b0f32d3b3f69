"""The end session endpoint (OpenID Connect RP-Initiated Logout §2), a page for people: its steps, in their order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast
from urllib.parse import urlencode

from flask import Response, redirect, request

from portula import Plugin
from portula.errors import InvalidRequestError, TemporarilyUnavailableError
from portula.plugin import (
    PageForm,
    Plan,
    Steps,
    WaitingRequests,
    display_name,
    refuse_head,
    step,
    unkeyed_digest,
    uri_scheme,
)
from portula_logout.front_channel import Frames, frames_of
from portula_logout.front_channel import page as front_page
from portula_logout.hints import Hint, client_of, hint_of, refusal
from portula_logout.hooks import LogoutHooks, LogoutSucceeded
from portula_logout.settings import LogoutSettings
from portula_logout.tokens import plan_tokens

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import Application, AuthenticatedUser, ChangeAll, Counts, Pairs, Remove

FORM_FIELDS = frozenset({"csrf_token", "answer"})
"""What only our own form sends."""
TEMPLATES = "portula_logout"

WAITING = "logout_request"
"""Kind of the artifact of a request that came by POST, and the parameter that names it in our own URLs."""


@dataclass(kw_only=True, eq=False)
class LogoutExchange:
    """A request to the end session endpoint, in the current Flask request, from its parameters to its answer."""

    provider: Provider
    pairs: Pairs = field(default_factory=list)
    """The parameters, as the app sent them."""
    confirming: bool = False
    """Whether the person answers our page."""
    client: Application | None = None
    """The app that asks, if it says so."""
    hint: Hint | None = None
    """Whom its ID token is about."""
    redirect_uri: str | None = None
    """Where it wants the person to go afterwards; registered by the client."""
    person: AuthenticatedUser | None = None
    """Who is signed in at the browser."""
    frames: Frames = field(default_factory=Frames)
    """What the browser opens afterwards."""
    plan: Plan = field(default_factory=Plan)
    """What ends with the session, applied with its end."""
    revoked: ChangeAll | Remove | None = None
    """The part of the plan that counts tokens."""
    counts: Counts = field(default_factory=dict)
    """What became of the plan."""
    answer: Response | None = None

    def parameter(self, name: str) -> str | None:
        """Return a parameter; None where it is empty or was not sent."""
        return dict(self.pairs).get(name) or None

    @property
    def location(self) -> str | None:
        """Where to go afterwards: the address with `state`, if it was sent, and nothing else added (§3)."""
        state = dict(self.pairs).get("state")
        if self.redirect_uri is None or state is None:
            return self.redirect_uri
        separator = "&" if "?" in self.redirect_uri else "?"
        return f"{self.redirect_uri}{separator}{urlencode({'state': state})}"

    @property
    def app(self) -> str | None:
        """What the app is called on pages."""
        return (display_name(self.client.name).strip() or "an app") if self.client else None


class Pause(Exception):
    """Nobody is signed out yet: the browser comes back, or the person is asked, or wants to stay."""

    def __init__(self, answer: Response) -> None:
        """Take what the browser is answered."""
        self.answer = answer
        super().__init__("nobody is signed out yet")


# --- What the app asks for ---


def read(exchange: LogoutExchange) -> None:
    """Read the parameters: from query or form, or from where a form that was sent before waits (§2)."""
    pages = exchange.provider.pages
    query = pages.query()
    fields = pages.posted_form() if request.method == "POST" else None
    exchange.confirming = fields is not None and not FORM_FIELDS.isdisjoint(fields)
    if fields is not None and not exchange.confirming:
        if not set(fields).isdisjoint(query):
            raise refusal("A parameter stands in both the query and the body.")
        exchange.pairs = list(fields.items(multi=True))
    elif set(query) == {WAITING}:
        waiting = _waiting(exchange.provider).find(query[WAITING])
        if waiting is None:
            raise refusal("The request waited too long. Please start again at the app.")
        exchange.pairs = waiting.pairs
    else:
        exchange.pairs = list(query.items(multi=True))


def hint(exchange: LogoutExchange) -> None:
    """Verify the ID token that says whom the app means, and of which app it is (§2, attack S44)."""
    token = exchange.parameter("id_token_hint")
    if token:
        exchange.hint, exchange.client = hint_of(exchange.provider, token, exchange.parameter("client_id"))


def client(exchange: LogoutExchange) -> None:
    """Find the app that `client_id` names, where no ID token has said it."""
    client_id = exchange.parameter("client_id")
    if exchange.hint is None and client_id:
        exchange.client = client_of(exchange.provider, client_id)


def redirect_uri(exchange: LogoutExchange) -> None:
    """Let nobody be sent to where no client has registered, exactly (§3, attacks S13 and S63)."""
    uri = exchange.parameter("post_logout_redirect_uri")
    if uri is None:
        return
    if exchange.client is None:
        raise refusal("The request names an address to go to, but not the app it belongs to.")
    if not exchange.client.post_logout_redirect_uri_allowed(uri):
        raise refusal("The app has not registered the address that it wants to go to.")
    strict = exchange.provider.settings(LogoutSettings).OIDC_RP_INITIATED_LOGOUT_STRICT_REDIRECT_URIS
    if strict and uri_scheme(uri) == "http" and exchange.client.client_type != "confidential":
        raise refusal("The app may only name an https address to go to.")
    exchange.redirect_uri = uri


def come_back(exchange: LogoutExchange) -> None:
    """Keep an app's form while the browser comes back by GET, so that Lax cookies arrive."""
    if request.method == "POST" and not exchange.confirming:
        name = _waiting(exchange.provider).keep_posted(exchange.pairs)
        raise Pause(_to(exchange.provider.url_for("logout.end_session", **{WAITING: name})))


# --- The person ---


def person(exchange: LogoutExchange) -> None:
    """Find out who is signed in at the browser; without anybody there is nothing to end."""
    exchange.person = exchange.provider.hooks.ask(Plugin.portula_login).current()


def confirm(exchange: LogoutExchange) -> None:
    """Ask the person, unless the ID token is about them and this session; hear what they answer (§2, attack S10)."""
    provider, who = exchange.provider, exchange.person
    if who is None or (not exchange.confirming and _proven(exchange, who)):
        return
    form = _form(exchange, who)
    if not exchange.confirming:
        raise Pause(_question(exchange, who, form, 200))
    if not form.validate():
        raise Pause(_question(exchange, who, form, 400))
    if provider.pages.posted_form().get("answer") != "yes":
        raise Pause(provider.pages.render(f"{TEMPLATES}/stayed.html", username=who.username))


# --- The end ---


def frames(exchange: LogoutExchange) -> None:
    """Find the apps that the browser tells, which nobody knows after the end (Front-Channel Logout §3)."""
    if exchange.person is not None:
        exchange.frames = frames_of(exchange.provider, exchange.person.sid)


def tokens(exchange: LogoutExchange) -> None:
    """Plan to revoke the tokens of the person, as the settings say."""
    if exchange.person is not None:
        exchange.revoked = plan_tokens(exchange.provider, exchange.plan, exchange.person.subject)


def write(exchange: LogoutExchange) -> None:
    """Write the answer: the page with frames, the way on to the app, or a page that says it.

    If nothing proves that the person was meant, and they said nothing, they go on only by a click.
    """
    onward = exchange.location
    if exchange.frames.urls:
        exchange.answer = front_page(exchange.provider, exchange.frames, exchange.app, onward)
    elif onward and (exchange.person or exchange.hint):
        exchange.answer = _to(onward)
    else:
        page = f"{TEMPLATES}/signed_out.html"
        exchange.answer = exchange.provider.pages.render(page, app=exchange.app, onward=onward)


def apply(exchange: LogoutExchange) -> None:
    """End the session with what is planned and what apps are to be told, whole or not at all."""
    if exchange.person is not None:
        login = exchange.provider.hooks.ask(Plugin.portula_login)
        exchange.counts = login.sign_out_with(exchange.provider.storage, exchange.plan)


def tell(exchange: LogoutExchange) -> None:
    """Tell listeners."""
    if exchange.person is not None:
        event = LogoutSucceeded(
            provider=exchange.provider,
            subject=exchange.person.subject,
            sid=exchange.person.sid,
            client_id=exchange.client.client_id if exchange.client else None,
            tokens=exchange.counts[exchange.revoked] if exchange.revoked else 0,
        )
        exchange.provider.hooks.tell(LogoutHooks.portula_logout_succeeded, event)


def refuse(exchange: LogoutExchange, error: Exception) -> Response | None:
    """Write a page for what is refused, never a redirect (attack S63)."""
    if isinstance(error, Pause):
        return error.answer
    if isinstance(error, TemporarilyUnavailableError):
        return exchange.provider.pages.error(503, "Please try again later", error.description, error.error)
    if not isinstance(error, InvalidRequestError):
        return None
    return exchange.provider.pages.error(
        400, "You cannot be signed out like this", error.description, error.error
    )


LOGOUT_STEPS = Steps(
    "logout",
    [
        step(read, sets="pairs confirming"),
        step(hint, reads="pairs", sets="hint client"),
        step(client, reads="pairs hint", sets="client"),
        step(redirect_uri, reads="pairs client", sets="redirect_uri"),
        step(come_back, reads="pairs confirming"),
        step(person, sets="person"),
        step(confirm, reads="pairs confirming client hint person"),
        step(frames, reads="person", sets="frames"),
        step(tokens, reads="person", sets="plan revoked"),
        step(write, reads="person client hint redirect_uri frames", sets="answer"),
        step(apply, reads="person plan", sets="counts"),
        step(tell, reads="person client revoked counts"),
    ],
    refuse=refuse,
    closed=("write", "apply"),
)


def make_view(provider: Provider) -> Callable[[], Response]:
    """Return the view; what it lacks (somebody who verifies ID tokens) shows at start."""
    _ = provider.hooks.ask(Plugin.portula_jose)

    def view() -> Response:
        refuse_head()
        return cast("Response", provider.steps(LOGOUT_STEPS).answer(LogoutExchange(provider=provider)))

    return view


def _waiting(provider: Provider) -> WaitingRequests:
    return WaitingRequests(provider, WAITING)


def _proven(exchange: LogoutExchange, who: AuthenticatedUser) -> bool:
    """Say whether the hint is about the person and the session that are here, where that is enough."""
    provider, given = exchange.provider, exchange.hint
    if given is None or provider.settings(LogoutSettings).OIDC_RP_INITIATED_LOGOUT_ALWAYS_PROMPT:
        return False
    validator, client = provider.validator, exchange.client
    known = validator.sid_for(who.sid, client.client_id) if who.sid and client else None
    return given.subject == validator.subject_for(who.subject, client) and given.sid in (None, known)


def _form(exchange: LogoutExchange, who: AuthenticatedUser) -> PageForm:
    """Make a form for this request, in this browser and this session (attack S10)."""
    pages, about = exchange.provider.pages, unkeyed_digest(repr(exchange.pairs))
    context = f"end session {who.subject} {who.sid} {who.authentication} {about}"
    return PageForm(pages, context, pages.posted_form() if exchange.confirming else None)


def _question(exchange: LogoutExchange, who: AuthenticatedUser, form: PageForm, status: int) -> Response:
    page = f"{TEMPLATES}/confirm.html"
    return exchange.provider.pages.render(page, status, form=form, username=who.username, app=exchange.app)


def _to(location: str) -> Response:
    """Redirect by GET (attack S12), and tell the app nothing of where the person comes from."""
    response = cast("Response", redirect(location, 303))
    response.headers.update({"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"})
    return response
