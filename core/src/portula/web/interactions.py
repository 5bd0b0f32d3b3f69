"""A page on which a person decides what a client gets: they sign in, are asked, and what they answer happens once.

What the person is asked about stays on the server between the page and the answer (attack S07).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, cast
from urllib.parse import urlencode

from flask import Blueprint, Response, redirect, request
from oauthlib.oauth2 import FatalClientError, OAuth2Error
from oauthlib.oauth2.rfc6749.errors import AccessDeniedError, InvalidRequestError, ServerError
from oauthlib.openid.connect.core.exceptions import ConsentRequired, LoginRequired
from werkzeug.exceptions import HTTPException

from portula.flow.authorization import plan_authorization_records
from portula.flow.event_hooks import EventHooks
from portula.flow.events import AuthorizationRequestRefused, ConsentGiven
from portula.flow.exchange import PageExchange
from portula.flow.interaction import Demands, Interaction
from portula.flow.messages import RepeatedParameter
from portula.flow.request_hooks import RequestHooks
from portula.flow.responses import RetryLater, server_error_of
from portula.flow.service_hooks import ServiceHooks
from portula.host.hooks import RuleFailed
from portula.model.consent import ConsentQuestion
from portula.model.errors import AuthorizationRefused, Conflict, DuplicateRecord, RecordReplayed
from portula.model.people import AuthenticatedUser, person_of_login
from portula.model.records import Application, Authorization
from portula.web.blueprints import Mount, refuse_head
from portula.web.pages import return_address
from portula.web.waiting import Waiting, WaitingRequests

if TYPE_CHECKING:
    from portula.flow.messages import Pairs
    from portula.web.provider import Provider

KIND = "interaction"
"""Kind of the artifact that waits, and the parameter that names it in our own URLs and forms."""

TRIES = 5

MAX_RETURN_CHARACTERS = 2000
"""A longer URL would have to pass through a query string of the login, where few servers promise room for it."""

X = TypeVar("X", bound=PageExchange)


class InteractionView(ABC, Generic[X]):
    """Asks the person at the browser about an exchange, and does what they decide.

    A room derives from it, says what is asked and what follows, and mounts it: by `mount`, or `view` for GET and POST.
    Login, what plugins demand of the person (`portula_interaction_demands`), the consent page, its memory, reloads,
    second clicks, other browsers, and people who change in between are dealt with here.
    """

    endpoint: ClassVar[str]
    """Names of the blueprint and of the view in it, as `Provider.url_for` takes them, e.g. `tea.approve`."""

    def __init__(self, provider: Provider) -> None:
        """Resolve the slots that it cannot do without."""
        self.provider = provider
        self._login = provider.hooks.ask(ServiceHooks.portula_login)
        self._consent = provider.hooks.ask(ServiceHooks.portula_consent)
        self._waiting = WaitingRequests(provider, KIND, f"{self.endpoint}\0")

    # --- What a room says ---

    @abstractmethod
    def exchange(self, pairs: Pairs, presented: Pairs) -> X:
        """Make the exchange of a request: client, scope, and whatever `decide` needs.

        It is made anew for each visit, so what the person is asked is true when they answer.

        Args:
            pairs: the parameters of the URL or the form, or those that `PageExchange.pairs` held when it began to wait.
            presented: the same, unless they were found elsewhere before.

        Raises:
            OAuth2Error: for a page that says so. AuthorizationRefused, for `refuse`.
        """

    @abstractmethod
    def decide(self, exchange: X, *, allowed: bool) -> Response:
        """Do what follows, and return what the browser is answered; `exchange.login` is who decided.

        `exchange.plan` holds the end of the question and the memory of the answer. What follows joins it, and it is
        applied here, by `Storage.apply` or by steps: where RecordReplayed, Conflict or DuplicateRecord come of that,
        they are let through, so that the person is answered as they should be. What `exchange.on_answer` is given,
        before the plan is applied, a second click gets too.
        """

    def refuse(self, exchange: X, error: OAuth2Error) -> Response:
        """Answer a request whose exchange is known and that is refused: on a page, unless a room knows better."""
        return self.error_page(error)

    def refuse_repeated(self, error: RepeatedParameter) -> None:
        """Hear that parameters stand more than once, before a page says so.

        Raises:
            AuthorizationRefused: for `refuse`, where a room knows how the client hears of it.
        """

    def error_page(self, error: OAuth2Error) -> Response:
        """Tell the person of an error; on the page for all errors, unless a room knows better."""
        status = 500 if isinstance(error, ServerError | RuleFailed) else 400
        if isinstance(error, RetryLater):
            status = error.status_code
        page = self.provider.pages.error(
            status, "This request cannot be answered", error.description, error.error
        )
        if isinstance(error, RetryLater):
            page.headers["Retry-After"] = str(error.retry_after)
        return page

    def may_skip(self, exchange: X, question: ConsentQuestion, demands: Demands) -> bool:
        """Say whether the request is allowed without a page; never, unless a room knows better.

        It is not asked where a plugin demands a page.
        """
        return False

    def offline(self, exchange: X) -> bool:
        """Say whether a refresh token may come of it, which the page tells; never, unless a room knows better."""
        return False

    def is_remembered(self, question: ConsentQuestion) -> bool:
        """Say whether the person allowed all of this before, and nothing of it is asked about each time."""
        known = self._consent.recall(question.client, question.user.subject)
        return question.may_be_remembered and known.issuperset(question.memory)

    def grant(self, exchange: X, **facts: Any) -> Authorization:
        """Begin an authorization by the person who allowed it, with what plugins keep beside it, for `decide`.

        Args:
            exchange: its client and scope are what was allowed.
            facts: further fields of the authorization.
        """
        given = exchange.begin(**facts)
        plan_authorization_records(exchange)
        return given

    # --- The view ---

    def mount(self, rule: str) -> Mount:
        """Return a blueprint with the view alone, below the mount point; `rule` is its path, without variables."""
        blueprint, _, view = self.endpoint.partition(".")
        found = Blueprint(blueprint, __name__)
        found.add_url_rule(rule, view, self.view, methods=["GET", "POST"])
        return Mount(found)

    def view(self) -> Response:
        """Answer a request, its error, or what the person decided."""
        refuse_head()
        try:
            for _ in range(TRIES - 1):
                try:
                    return self._respond()
                except (
                    Conflict,
                    DuplicateRecord,
                    RecordReplayed,
                ):  # the same person answers another page, or twice
                    continue
            return self._respond()
        except RecordReplayed:
            return self._answered_before()
        except AuthorizationRefused as refusal:
            self._tell_refusal(refusal.error, refusal.exchange.request.client_id)
            return self.refuse(refusal.exchange, refusal.error)
        except OAuth2Error as error:
            self._tell_refusal(error)
            return self.error_page(error)

    def _tell_refusal(self, error: OAuth2Error, client_id: str | None = None) -> None:
        """Tell listeners of an error, which the client hears of where it is known."""
        event = AuthorizationRequestRefused(
            provider=self.provider,
            client_id=client_id or request.args.get("client_id"),
            error=error.error or "",
            reason=error.description or None,
            redirected=client_id is not None,
        )
        self.provider.hooks.tell(EventHooks.portula_authorization_request_refused, event)

    def _respond(self) -> Response:
        try:
            return self._handle_post() if request.method == "POST" else self._answer_request(*self._read())
        except RepeatedParameter as error:
            self.refuse_repeated(error)
            raise

    # --- Reading ---

    def _read(self) -> tuple[Pairs, Waiting | None]:
        """Return the parameters of the request; and where they waited, if they did."""
        query = self.provider.pages.query()
        if set(query) != {KIND}:
            return list(query.items(multi=True)), None
        waiting = self._waiting.find(query[KIND])
        if waiting is None:
            raise InvalidRequestError(
                description="The request waited too long. Please start again at the app."
            )
        return waiting.pairs, waiting

    def _handle_post(self) -> Response:
        """Take an answer to our page; or keep a client's POST and come back by GET, so that Lax cookies arrive."""
        pairs = list(self.provider.pages.posted_form().items(multi=True))
        twice = dict(pairs).keys() & self.provider.pages.query().keys()
        if twice:
            raise RepeatedParameter(pairs, twice, "A parameter stands in both the query and the body.")
        name = dict(pairs).get(KIND)
        if name is not None:
            return self._answer(name)
        exchange = self.exchange(pairs, pairs)
        with _errors_of(exchange):
            return cast("Response", redirect(self._back_to(self._waiting.keep_posted(pairs)), 303))

    # --- Asking ---

    def _answer_request(self, pairs: Pairs, waiting: Waiting | None) -> Response:
        exchange = self.exchange(pairs, waiting.presented if waiting else pairs)
        with _errors_of(exchange):
            user = exchange.login = self._present()
            if waiting is not None and waiting.over:
                return self._again(waiting.name, user)
            if waiting is not None and waiting.late:
                raise _too_late(exchange)
            demands = self._demands(exchange, fresh=waiting is not None and waiting.fresh(user))
            if user is None or demands.login:
                return self._to_login(exchange, demands, user, waiting)
            question = self._question("", exchange, user, demands)
            if demands.consent or not self.may_skip(exchange, question, demands):
                return self._to_page(exchange, demands, user, waiting)
            if waiting is not None:
                self._waiting.end(waiting, exchange, user, allowed=True)
            return self.decide(exchange, allowed=True)

    def _again(self, name: str, user: AuthenticatedUser | None, *, allowed: bool = True) -> Response:
        """Answer a second click like the first."""
        answer = self._waiting.again(name, user, allowed=allowed)
        if answer is None:
            return self._answered_before()
        return Response(answer.body, answer.status, dict(answer.headers))

    def _answered_before(self) -> Response:
        error = InvalidRequestError(description="This request was answered before.")
        self._tell_refusal(error)
        return self.error_page(error)

    def _demands(self, exchange: X, *, fresh: bool) -> Demands:
        interaction = Interaction(
            provider=self.provider, request=exchange.request, user=exchange.login, fresh=fresh
        )
        return self.provider.hooks.require(RequestHooks.portula_interaction_demands, interaction)

    def _to_login(
        self, exchange: X, demands: Demands, user: AuthenticatedUser | None, waiting: Waiting | None
    ) -> Response:
        """Send the browser to the login.

        A demand waits on the server, where its fulfilment can be told, and so do a request that was posted, one too
        long for a URL, and one that names its parameters elsewhere: they need not be there when the person comes back.
        """
        if demands.silent:
            raise LoginRequired(request=exchange.request)
        back = return_address()
        if demands.login or waiting is not None or exchange.is_resolved or len(back) > MAX_RETURN_CHARACTERS:
            back = self._back_to(self._waiting.keep_for_login(exchange, user))
        url = self._login.login_url(back, exchange.client)
        hints = dict(demands.hints)
        if user is not None:
            hints["signed_in_at"] = str(user.auth_time)
        if hints:
            url += ("&" if "?" in url else "?") + urlencode(hints)
        return cast("Response", redirect(url))

    def _to_page(
        self, exchange: X, demands: Demands, user: AuthenticatedUser, waiting: Waiting | None
    ) -> Response:
        """Ask the person."""
        if demands.silent:
            raise ConsentRequired(request=exchange.request)
        self._check_items(demands)
        name = self._waiting.keep_for_page(exchange, user, waiting)
        return cast("Response", self._consent.page(self._question(name, exchange, user, demands)))

    def _check_items(self, demands: Demands) -> None:
        """Refuse what the page cannot show: nobody allows what they did not see."""
        if demands.items and not self._consent.shows_items:
            raise ServerError(description="The consent page cannot show what the request asks for.")

    def _back_to(self, name: str) -> str:
        return self.provider.url_for(self.endpoint, **{KIND: name})

    def _question(self, name: str, exchange: X, user: AuthenticatedUser, demands: Demands) -> ConsentQuestion:
        """Return what the person is asked: scopes, those that claims of the request stand for, and what plugins add."""
        client = cast("Application", exchange.client)
        return ConsentQuestion(
            interaction=name,
            client=client,
            user=user,
            scopes=(*exchange.scope, *sorted(demands.permissions.difference(exchange.scope))),
            redirect_uri=exchange.request.redirect_uri or "",
            action=self.provider.url_for(self.endpoint),
            csrf_context=f"consent {name} {user.subject}",
            items=demands.items,
            self_registered=self.provider.clients.registered_itself(client),
            offline=self.offline(exchange),
            ui_locales=exchange.request.ui_locales or "",
        )

    def _present(self) -> AuthenticatedUser | None:
        return person_of_login(self._login.current(), AuthenticatedUser, "current")

    # --- Answering ---

    def _answer(self, name: str) -> Response:
        """Act on the form: once, in the browser and for the person it was shown to (attack S10)."""
        user, waiting = self._present(), self._waiting.find(name)
        if user is None or waiting is None or waiting.subject != user.subject:
            raise InvalidRequestError(description="This page was open too long. Start again at the app.")
        exchange = self.exchange(waiting.pairs, waiting.presented)
        with _errors_of(exchange):
            exchange.login = user
            if waiting.late and not waiting.over:
                raise _too_late(exchange)
            demands = self._demands(exchange, fresh=True)
            self._check_items(demands)
            question = self._question(name, exchange, user, demands)
            allowed = self._consent.answer(question)
            if allowed is None:
                raise _PageError(description="This page was open too long or came from another browser.")
            if waiting.over:
                return self._again(name, user, allowed=allowed)
            self._waiting.end(waiting, exchange, user, allowed=allowed)
            if allowed:
                self._consent.remember(question.client, user.subject, question.memory, exchange.plan)
            answer = self.decide(exchange, allowed=allowed)
        if allowed:
            self._tell(question)
        else:
            self._tell_refusal(
                AccessDeniedError(description="The person did not allow it."), question.client.client_id
            )
        return answer

    def _tell(self, question: ConsentQuestion) -> None:
        given = ConsentGiven(
            provider=self.provider,
            issuer=self.provider.current_issuer(),
            client_id=question.client.client_id,
            subject=question.user.subject,
            scopes=question.scopes,
        )
        self.provider.hooks.tell(EventHooks.portula_consent_given, given)


def _too_late(exchange: PageExchange) -> AccessDeniedError:
    return AccessDeniedError(
        description="The person took too long; the app may start again.", request=exchange.request
    )


class _PageError(InvalidRequestError):  # type: ignore[misc]
    """What the person did cannot be answered; the client has no part in it."""


@contextmanager
def _errors_of(exchange: PageExchange) -> Iterator[None]:
    """Let errors, and whatever fails, be answered as those of the exchange (RFC 6749 §4.1.2.1).

    Raises:
        AuthorizationRefused: for `InteractionView.refused`.
        FatalClientError: for a page; the client must not hear of it.
        Conflict, DuplicateRecord, RecordReplayed: somebody was quicker, and it may be tried again.
    """
    try:
        yield
    except (
        AuthorizationRefused,
        Conflict,
        DuplicateRecord,
        FatalClientError,
        RecordReplayed,
        HTTPException,
        _PageError,
    ):
        raise
    except OAuth2Error as error:
        exchange.provider.client_cache.confirm(exchange.client)
        raise AuthorizationRefused(error, exchange) from error
    except Exception as failure:
        raise AuthorizationRefused(server_error_of(failure, "the request"), exchange) from failure
