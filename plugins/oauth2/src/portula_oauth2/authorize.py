"""The authorization endpoint (RFC 6749 §3.1), a page for people: what a client asks for, and how it is answered.

The steps are in core; how the person signs in and is asked is that of every page on which people decide.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

from flask import Blueprint, Response
from typing_extensions import override

from portula import hookimpl
from portula.errors import AuthorizationRefused, OAuth2Error
from portula.plugin import (
    AUTHORIZATION_ANSWER_STEPS,
    AUTHORIZATION_STEPS,
    AuthorizationExchange,
    ConsentQuestion,
    Demands,
    InteractionView,
    Mount,
    is_loopback_host,
)
from portula_oauth2.settings import OAuth2Settings
from portula_oauth2.strictness import sign_error

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import Answer, AuthenticatedUser, Pairs, RepeatedParameter


@hookimpl
def portula_blueprints(provider: Provider) -> list[Mount]:
    """Return the blueprint of the endpoint; what it lacks (a login, a consent page) shows at start."""
    page = Authorize(provider)
    blueprint = Blueprint(
        "oauth2",
        __name__,
        template_folder="templates",
        static_folder="static",
        static_url_path="/authorize/static",
    )
    for rule in ("/authorize/", "/authorize"):
        blueprint.add_url_rule(rule, "authorize", page.view, methods=["GET", "POST"], strict_slashes=True)
    return [Mount(blueprint, steps=(AUTHORIZATION_STEPS, AUTHORIZATION_ANSWER_STEPS))]


class Authorize(InteractionView[AuthorizationExchange]):
    """Asks a person about an authorization request, and answers the client."""

    endpoint = "oauth2.authorize"

    @override
    def exchange(self, pairs: Pairs, presented: Pairs) -> AuthorizationExchange:
        """Judge the request."""
        issuer = self.provider.current_issuer()
        return self.provider.backend.validate_authorization_request(pairs, issuer, presented)

    @override
    def may_skip(self, exchange: AuthorizationExchange, question: ConsentQuestion, demands: Demands) -> bool:
        """Say whether to go on without asking. A client can only make it stricter (attack S09).

        REQUEST_APPROVAL_PROMPT is about pages: where none may be shown, what is remembered counts.
        """
        client = question.client
        if client.skips_authorization(exchange.request):
            return True
        prompt = self.provider.settings(OAuth2Settings, client).REQUEST_APPROVAL_PROMPT
        forced = dict(exchange.pairs).get("approval_prompt") == "force"
        if forced or (prompt != "auto" and not demands.silent):
            return False
        host = urlsplit(exchange.request.redirect_uri or "").hostname or ""
        if client.client_type == "public" and (client.application_type == "native" or is_loopback_host(host)):
            return False  # RFC 8252 §8.6: nothing proves that it is the same app
        return self.is_remembered(question)

    @override
    def decide(self, exchange: AuthorizationExchange, *, allowed: bool) -> Response:
        """Answer with what was asked for, or that the person said no."""
        backend, issuer = self.provider.backend, self.provider.current_issuer()
        if allowed:
            user = cast("AuthenticatedUser", exchange.login)
            return _to_flask(backend.create_authorization_response(exchange, user, exchange.scope, issuer))
        answer = backend.denied_response(exchange, issuer)
        if exchange.on_answer is not None:
            exchange.on_answer(answer)
        exchange.apply()
        return _to_flask(answer)

    @override
    def offline(self, exchange: AuthorizationExchange) -> bool:
        """Say whether the code may be redeemed for a refresh token too."""
        return "code" in exchange.words and self.provider.validator.issues_refresh_token(exchange.request)

    @override
    def refuse_repeated(self, error: RepeatedParameter) -> None:
        """Let the client hear of it where its redirect URI is known."""
        self.provider.backend.refuse_repeated(error, self.provider.current_issuer())

    @override
    def refuse(self, exchange: AuthorizationExchange, error: OAuth2Error) -> Response:
        """Let the client hear of errors at its redirect URI (RFC 6749 §4.1.2.1); on a page where that cannot be."""
        sign_error(exchange)
        backend, refusal = self.provider.backend, AuthorizationRefused(error, exchange)
        try:
            answer = backend.error_response(refusal, self.provider.current_issuer())
            backend.end_request(refusal)
        except OAuth2Error as fatal:
            return super().refuse(exchange, fatal)
        return _to_flask(answer)


def _to_flask(answer: Answer) -> Response:
    return Response(answer.body, answer.status, dict(answer.headers))
