"""Endpoints at which a client asks for something by a form, as at the token endpoint: pushed requests, device codes."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from oauthlib.oauth2 import OAuth2Error
from oauthlib.oauth2.rfc6749 import errors

from portula.flow.exchange import AuthorizationExchange, Exchange
from portula.flow.grants import judge_scope
from portula.flow.request_hooks import RequestHooks
from portula.flow.responses import failed_answer, token_error
from portula.flow.steps import Steps, step
from portula.model.errors import AuthorizationRefused

if TYPE_CHECKING:
    from portula.flow.steps import Step
    from portula.model.http import Answer
    from portula.model.records import Application


def read(exchange: Exchange) -> None:
    """Read the form: UTF-8, no parameter twice, none in both query and body (RFC 6749 §3.2)."""
    exchange.read_form()


def client(exchange: Exchange) -> None:
    """Authenticate the client as at the token endpoint (RFC 6749 §2.3)."""
    exchange.provider.backend.authenticate_client(exchange)


def scope(exchange: Exchange) -> None:
    """Judge the scope that is asked for, or that of a request that names none (RFC 6749 §3.3)."""
    exchange.request.scopes = (exchange.parameter("scope") or "").split()
    judge_scope(exchange, exchange.provider.validator)


def vetoes(exchange: AuthorizationExchange) -> None:
    """Hear every plugin that may deny an authorization request, and let them say what it is for."""
    exchange.provider.hooks.hear(RequestHooks.portula_validate_authorization_request, exchange)


def apply(exchange: Exchange) -> None:
    """Apply the plan, whole or not at all."""
    exchange.apply()


def refuse(exchange: Exchange, error: Exception) -> Answer | None:
    """Write a refusal as the token endpoint does (RFC 6749 §5.2), of an authorization request that is judged too.

    Of one that could not be judged the failure is answered: the client is a machine, and may come again.
    """
    if isinstance(error, AuthorizationRefused):
        if isinstance(error.__cause__, Exception) and not isinstance(error.__cause__, OAuth2Error):
            return failed_answer(error.__cause__)
        error = error.error
    return token_error(error) if isinstance(error, OAuth2Error) else None


JUDGE_SCOPE = step(scope, reads="request client", sets="scope")
"""The step for an endpoint that is asked for a scope outside of an authorization request (RFC 8628 §3.1)."""

BROWSER_PARAMETERS = frozenset({"nonce", "prompt", "redirect_uri", "response_mode", "response_type", "state"})
"""Parameters of an authorization request that make sense at a browser alone: elsewhere they are unknown, and ignored
(RFC 6749 §3.1)."""

HEAR_VETOES = step(vetoes, reads="pairs scope", sets="facts resources")
"""The step for an endpoint whose request is an authorization request that no browser brings."""


def judge_grant_type(grant_type: str) -> Step:
    """Return the step for an endpoint at which a grant of this type begins."""

    def client_grant_type(exchange: Exchange) -> None:
        """Ask whether the client is registered for the grant type (RFC 6749 §5.2)."""
        request, client = exchange.request, cast("Application", exchange.client)
        if not exchange.provider.validator.validate_grant_type(client.client_id, grant_type, client, request):
            raise errors.UnauthorizedClientError(request=request)

    return step(client_grant_type, reads="client")


def client_request_steps(endpoint: str, *own: Step) -> Steps[Exchange]:
    """Return the list of an endpoint: the form, the client, an endpoint's own steps, and its plan.

    Its own steps judge the request, whose client is known, put what is kept into `exchange.plan`, and set
    `exchange.answer`.
    """
    return Steps(
        endpoint,
        [
            step(read, sets="request"),
            step(client, reads="request", sets="client client_auth_method"),
            *own,
            step(apply, reads="client"),
        ],
        begin=Exchange.of,
        refuse=refuse,
    )
