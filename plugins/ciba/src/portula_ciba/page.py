"""The pages on which a person sees what waits for them, and decides about it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from flask import Blueprint, Response, redirect, request
from typing_extensions import override

from portula import Plugin, hookimpl
from portula.errors import AccessDeniedError, OAuth2Error, RecordReplayed, RuleFailed
from portula.plugin import (
    Answer,
    InteractionView,
    Mount,
    display_name,
    is_pending,
    log_failure,
    return_address,
)
from portula_ciba.decisions import (
    NoSuchRequest,
    WaitingRequest,
    deny,
    exchange_about,
    plan_answer,
    waiting_requests,
)
from portula_ciba.exchange import CibaPageExchange
from portula_ciba.requests import NAME
from portula_ciba.settings import is_on

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import Pairs


class CibaPage(InteractionView[CibaPageExchange]):
    """Asks a person about a request."""

    endpoint = "ciba.decide"

    def __init__(self, provider: Provider) -> None:
        """Resolve the login."""
        super().__init__(provider)
        self._people = provider.hooks.ask(Plugin.portula_login)

    def waiting(self) -> Response:
        """Show what waits for the person who is signed in."""
        person = self._people.current()
        if person is None:
            return self._sign_in()
        shown = [self._template_values(each) for each in waiting_requests(self.provider, person.subject)]
        return self.provider.pages.render(
            "portula_ciba/requests.html", requests=shown, account=self._people.account_url()
        )

    def _template_values(self, waiting: WaitingRequest) -> dict[str, Any]:
        return {
            "app": display_name(waiting.client.name).strip() or display_name(waiting.client.client_id),
            "binding_message": waiting.binding_message,
            "begun_at": datetime.fromtimestamp(waiting.begun_at, UTC),
            "expires_at": datetime.fromtimestamp(waiting.expires_at, UTC),
            "url": self.provider.url_for(self.endpoint, **{NAME: waiting.request_id}),
        }

    def end(self, template: str) -> Response:
        """Show a page after the answer; loading it again does nothing."""
        return self.provider.pages.render(f"portula_ciba/{template}.html", account=self._people.account_url())

    def _sign_in(self) -> Response:
        return _to(self._people.login_url(return_address()))

    @override
    def view(self) -> Response:
        """Let the person sign in before anything is looked up: nobody else learns that there is a request."""
        if request.method != "POST" and self._people.current() is None:
            return self._sign_in()
        return super().view()

    @override
    def exchange(self, pairs: Pairs, presented: Pairs) -> CibaPageExchange:
        """Make the exchange of a request that is for the person at the browser, as it was asked for.

        Raises:
            NoSuchRequest: there is none, or who opens it comes too late.
        """
        exchange = exchange_about(self.provider, self._people.current(), dict(pairs).get(NAME, ""), pairs)
        if (
            request.method != "POST"
            and NAME in request.args
            and not is_pending(self.provider, exchange.pending)
        ):
            raise NoSuchRequest
        return exchange

    @override
    def decide(self, exchange: CibaPageExchange, *, allowed: bool) -> Response:
        """Write down what the person decided; the client hears of it when it polls, or by a ping.

        Raises:
            RecordReplayed: they decided before.
            NoSuchRequest: its time is over.
        """
        if not is_pending(self.provider, exchange.pending):
            over = exchange.pending.payload.keys().isdisjoint({"authorization", "denied"})
            raise NoSuchRequest if over else RecordReplayed(exchange.pending)
        plan_answer(exchange, allowed=allowed)
        answer = _to(self.provider.url_for("ciba.allowed" if allowed else "ciba.denied"))
        if exchange.on_answer is not None:
            exchange.on_answer(Answer(answer.status_code, {"Location": answer.headers["Location"]}))
        exchange.apply()
        return answer

    @override
    def refuse(self, exchange: CibaPageExchange, error: OAuth2Error) -> Response:
        """Tell the client of a denial, whoever denies; after a fault of ours its person may come again."""
        denied = isinstance(error, AccessDeniedError) and not isinstance(error, RuleFailed)
        if denied and is_pending(self.provider, exchange.pending):
            try:
                deny(self.provider, exchange.pending)
            except Exception as failure:  # noqa: BLE001 - it is logged
                log_failure(failure, "a client is not told that its request was denied")
        return super().refuse(exchange, error)

    @override
    def error_page(self, error: OAuth2Error) -> Response:
        """Say on a page of its own that nothing waits: no app needs to hear of that."""
        if not isinstance(error, NoSuchRequest):
            return super().error_page(error)
        person = self._people.current()
        return self.provider.pages.render(
            "portula_ciba/nothing.html",
            400,
            username=person.username if person else None,
            requests=self.provider.url_for("ciba.requests"),
            account=self._people.account_url(),
        )

    @override
    def offline(self, exchange: CibaPageExchange) -> bool:
        """Say whether the client may get a refresh token too."""
        return self.provider.validator.issues_refresh_token(exchange.request)


def _to(location: str) -> Response:
    return cast("Response", redirect(location, 303))


@hookimpl
def portula_blueprints(provider: Provider) -> list[Mount]:
    """Return the pages; what they lack (a login, a consent page) shows at start."""
    if not is_on(provider):
        return []
    page = CibaPage(provider)
    blueprint = Blueprint("ciba", __name__, template_folder="templates")
    blueprint.add_url_rule("/ciba/", "requests", page.waiting, strict_slashes=False)
    blueprint.add_url_rule("/ciba/decide/", "decide", page.view, methods=["GET", "POST"])
    for answer in ("allowed", "denied"):
        blueprint.add_url_rule(f"/ciba/{answer}/", answer, page.end, defaults={"template": answer})
    return [Mount(blueprint)]
