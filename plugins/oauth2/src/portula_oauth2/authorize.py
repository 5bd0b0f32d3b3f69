"""The authorization endpoint (RFC 6749 §3.1): a page for people, so Flask, sessions and forms are in here.

The steps are: read the request, know client and redirect URI, know the person, ask them, answer. What the person is
asked about stays on the server between the page and the answer (attack S07).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast
from urllib.parse import urlencode, urlsplit

from flask import Blueprint, Response, redirect, request
from werkzeug.exceptions import HTTPException

from portula import Plugin, hookimpl
from portula.errors import (
    AuthorizationRefused,
    Conflict,
    ConsentRequired,
    DuplicateRecord,
    InvalidRequestError,
    LoginRequired,
    OAuth2Error,
    Replayed,
    ServerError,
)
from portula.plugin import (
    AUTHORIZATION_ANSWER_STEPS,
    AUTHORIZATION_STEPS,
    Application,
    AuthorizationRequestRefused,
    ConsentGiven,
    ConsentQuestion,
    Interaction,
    Mount,
    fault_of,
    is_loopback_host,
)
from portula_oauth2.settings import OAuth2Settings
from portula_oauth2.waiting import KIND, Waiting, WaitingRequests

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import Answer, Authenticated, AuthorizationExchange, Demands, OAuthRequest, Pairs

ANSWER_TRIES = 5

MAX_RETURN_CHARACTERS = 2000
"""A longer URL would have to pass through a query string of the login, where few servers promise room for it."""


@hookimpl
def portula_blueprints(provider: Provider) -> list[Mount]:
    """Return the blueprint of the endpoint; what it lacks (a login, a consent page) shows at start."""
    steps = Authorize(provider)
    blueprint = Blueprint(
        "oauth2",
        __name__,
        template_folder="templates",
        static_folder="static",
        static_url_path="/authorize/static",
    )
    for rule in ("/authorize/", "/authorize"):
        blueprint.add_url_rule(rule, "authorize", steps.view, methods=["GET", "POST"], strict_slashes=True)
    return [Mount(blueprint, steps=(AUTHORIZATION_STEPS, AUTHORIZATION_ANSWER_STEPS))]


class Authorize:
    """The view and its steps."""

    def __init__(self, provider: Provider) -> None:
        """Resolve the slots that the endpoint cannot do without."""
        self._provider = provider
        self._backend = provider.backend
        self._login = provider.hooks.ask(Plugin.portula_login)
        self._consent = provider.hooks.ask(Plugin.portula_consent)
        self._waiting = WaitingRequests(provider)

    def view(self) -> Response:
        """Answer a request, an error of it, or the person's word on it."""
        try:
            if request.method == "POST":
                return self._posted()
            return self._asked(*self._read())
        except AuthorizationRefused as refused:
            self._tell_refusal(refused.error, refused.exchange.request.client_id)
            return _sent(self._backend.error_response(refused, self._provider.current_issuer()))
        except OAuth2Error as error:
            self._tell_refusal(error)
            return self._provider.pages.error(
                400, "This request cannot be answered", error.description, error.error
            )

    def _tell_refusal(self, error: OAuth2Error, client_id: str | None = None) -> None:
        """Tell listeners of an error, which the client hears of where it is known."""
        event = AuthorizationRequestRefused(
            provider=self._provider,
            client_id=client_id or request.args.get("client_id"),
            error=error.error or "",
            reason=error.description or None,
            redirected=client_id is not None,
        )
        self._provider.hooks.tell(Plugin.portula_authorization_request_refused, event)

    # --- Reading ---

    def _read(self) -> tuple[Pairs, Waiting | None]:
        """Return the parameters of the request; and where they waited, if they did."""
        asked = self._provider.pages.query()
        if set(asked) != {KIND}:
            return list(asked.items(multi=True)), None
        waiting = self._waiting.find(asked[KIND])
        if waiting is None:
            raise InvalidRequestError(
                description="The request waited too long. Please start again at the app."
            )
        return waiting.pairs, waiting

    def _posted(self) -> Response:
        """Take an answer to our page; or keep a client's POST and come back by GET, so that Lax cookies arrive."""
        pairs = list(self._provider.pages.posted().items(multi=True))
        if not set(dict(pairs)).isdisjoint(self._provider.pages.query()):
            raise InvalidRequestError(description="A parameter stands in both the query and the body.")
        answered = dict(pairs).get(KIND)
        if answered is not None:
            return self._answered(answered)
        authorization = self._backend.validate_authorization_request(pairs, self._provider.current_issuer())
        with _errors_to_client(authorization):
            return cast("Response", redirect(self._back_to(self._waiting.keep_posted(pairs)), 303))

    # --- Asking ---

    def _demands(self, request: OAuthRequest, user: Authenticated | None, *, fresh: bool) -> Demands:
        interaction = Interaction(provider=self._provider, request=request, user=user, fresh=fresh)
        return self._provider.hooks.require(Plugin.portula_interaction_demands, interaction)

    def _asked(self, pairs: Pairs, waiting: Waiting | None) -> Response:
        issuer = self._provider.current_issuer()
        presented = waiting.presented if waiting else None
        authorization = self._backend.validate_authorization_request(pairs, issuer, presented)
        with _errors_to_client(authorization):
            user = self._login.current()
            fresh = waiting is not None and waiting.fresh(user)
            demands = self._demands(authorization.request, user, fresh=fresh)
            if user is None or demands.login:
                return self._to_login(authorization, demands, user)
            if not self._may_skip(authorization, demands, user):
                return self._to_page(authorization, demands, user)
            if waiting is not None:
                self._waiting.end(waiting, authorization.plan)
            return self._allowed(authorization, user, issuer)

    def _allowed(self, authorization: AuthorizationExchange, user: Authenticated, issuer: str) -> Response:
        """Answer with what was asked for; the end of the wait is in the same plan, so it is answered once."""
        try:
            answer = self._backend.create_authorization_response(
                authorization, user, authorization.scope, issuer
            )
        except Replayed:
            raise _PageError(description="This request was answered before.") from None
        return _sent(answer)

    def _to_login(
        self, authorization: AuthorizationExchange, demands: Demands, user: Authenticated | None
    ) -> Response:
        """Send the browser to the login.

        A demand waits on the server, where its fulfilment can be told, and so does a request too long for a URL.
        """
        if demands.silent:
            raise LoginRequired(request=authorization.request)
        back = request.root_path + (request.full_path if request.query_string else request.path)
        if demands.login or len(back) > MAX_RETURN_CHARACTERS:
            back = self._back_to(self._waiting.keep_for_login(authorization, user))
        url = self._login.login_url(back, authorization.request.client)
        if demands.hints:
            url += ("&" if "?" in url else "?") + urlencode(demands.hints)
        return cast("Response", redirect(url))

    def _to_page(
        self, authorization: AuthorizationExchange, demands: Demands, user: Authenticated
    ) -> Response:
        """Ask the person."""
        if demands.silent:
            raise ConsentRequired(request=authorization.request)
        name = self._waiting.keep_for_page(authorization, user)
        return cast("Response", self._consent.page(self._question(name, authorization, user, demands)))

    def _may_skip(self, authorization: AuthorizationExchange, demands: Demands, user: Authenticated) -> bool:
        """Say whether to go on without asking. A client can only make it stricter (attack S09).

        REQUEST_APPROVAL_PROMPT is about pages: where none may be shown, what is remembered counts.
        """
        client = cast("Application", authorization.request.client)
        if demands.consent:
            return False
        if client.skips_authorization(authorization.request):
            return True
        prompt = self._provider.settings(OAuth2Settings).REQUEST_APPROVAL_PROMPT
        forced = dict(authorization.pairs).get("approval_prompt") == "force"
        if forced or (prompt != "auto" and not demands.silent):
            return False
        host = urlsplit(authorization.request.redirect_uri or "").hostname or ""
        if client.client_type == "public" and (client.application_type == "native" or is_loopback_host(host)):
            return False  # RFC 8252 §8.6: nothing proves that it is the same app
        question = self._question("", authorization, user, demands)
        return question.may_be_remembered and self._consent.remembered(client, user.subject).issuperset(
            question.memory
        )

    def _back_to(self, name: str) -> str:
        return self._provider.url_for("oauth2.authorize", **{KIND: name})

    def _question(
        self,
        name: str,
        authorization: AuthorizationExchange,
        user: Authenticated,
        demands: Demands,
    ) -> ConsentQuestion:
        """Return what the person is asked: scopes, those that claims of the request stand for, and what plugins add."""
        if demands.items and not self._consent.shows_items:
            raise ServerError(description="The consent page cannot show what the request asks for.")
        return ConsentQuestion(
            interaction=name,
            client=cast("Application", authorization.request.client),
            user=user,
            scopes=(*authorization.scope, *sorted(demands.permissions.difference(authorization.scope))),
            redirect_uri=authorization.request.redirect_uri or "",
            action=self._provider.url_for("oauth2.authorize"),
            csrf_context=f"consent {name} {user.subject}",
            items=demands.items,
        )

    # --- Answering ---

    def _answered(self, name: str) -> Response:
        """Act on the form of our page; again if the same person answers another page of the app in this moment."""
        for _ in range(ANSWER_TRIES - 1):
            try:
                return self._answer(name)
            except (Conflict, DuplicateRecord):
                continue
        return self._answer(name)

    def _answer(self, name: str) -> Response:
        """Act on the form: once, in the browser and for the person it was shown to (attack S10)."""
        user, waiting = self._login.current(), self._waiting.find(name)
        if user is None or waiting is None or waiting.subject != user.subject:
            raise InvalidRequestError(
                description="This page was open too long. Please start again at the app."
            )
        issuer = self._provider.current_issuer()
        authorization = self._backend.validate_authorization_request(waiting.pairs, issuer, waiting.presented)
        with _errors_to_client(authorization):
            demands = self._demands(authorization.request, user, fresh=True)
            question = self._question(name, authorization, user, demands)
            allowed = self._consent.answer(question)
            if allowed is None:
                raise _PageError(description="This page was open too long or came from another browser.")
            self._waiting.end(waiting, authorization.plan)
            if not allowed:
                return self._denied(authorization, issuer)
            self._consent.remember(question.client, user.subject, question.memory, authorization.plan)
            answer = self._allowed(authorization, user, issuer)
        given = ConsentGiven(
            provider=self._provider,
            issuer=issuer,
            client_id=question.client.client_id,
            subject=user.subject,
            scopes=question.scopes,
        )
        self._provider.hooks.tell(Plugin.portula_consent_given, given)
        return answer

    def _denied(self, authorization: AuthorizationExchange, issuer: str) -> Response:
        """Answer that the person said no; once too."""
        answer = self._backend.denied_response(authorization, issuer)
        try:
            self._provider.storage.apply(authorization.plan)
        except Replayed:
            raise _PageError(description="This page was answered before.") from None
        return _sent(answer)


class _PageError(InvalidRequestError):  # type: ignore[misc]
    """What the person did cannot be answered; the client has no part in it."""


@contextmanager
def _errors_to_client(authorization: AuthorizationExchange) -> Iterator[None]:
    """Let the client hear of errors, and of whatever fails, at its redirect URI (RFC 6749 §4.1.2.1).

    Raises:
        AuthorizationRefused: for `error_response`.
        Conflict, DuplicateRecord: somebody was quicker, and it may be tried again.
    """
    try:
        yield
    except (AuthorizationRefused, Conflict, DuplicateRecord, HTTPException, _PageError):
        raise
    except OAuth2Error as error:
        raise AuthorizationRefused(error, authorization) from error
    except Exception as failure:
        raise AuthorizationRefused(fault_of(failure, "the authorization request"), authorization) from failure


def _sent(answer: Answer) -> Response:
    return Response(answer.body, answer.status, dict(answer.headers))
