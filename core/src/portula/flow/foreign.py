"""The one adapter for an OAUTH2_SERVER_CLASS of oauthlib's own: it judges and makes tokens by itself.

Its answers are taken apart, and what our steps do besides is done around it. Steps that guard what is issued have no
place in it, so the provider does not start with one installed (`portula.flow.steps.Step.guards`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from oauthlib.oauth2 import FatalClientError, OAuth2Error

from portula.flow import authorization, token
from portula.flow.exchange import CURRENT, AuthorizationExchange, Exchange, TokenExchange
from portula.flow.issue import Issue
from portula.flow.messages import ISSUER
from portula.model.errors import AuthorizationRefused


@contextmanager
def working_on(exchange: Exchange | None) -> Iterator[None]:
    """Let requests that the server class makes belong to this exchange; None where it is ours."""
    mark = CURRENT.set(exchange)
    try:
        yield
    finally:
        CURRENT.reset(mark)


def judge(server: Any, exchange: AuthorizationExchange) -> None:
    """Judge an authorization request.

    Raises:
        FatalClientError: nothing may be sent to the redirect URI.
        AuthorizationRefused: the error is sent to the redirect URI.
    """
    try:
        for run in (authorization.client, authorization.parameters, authorization.redirect_uri):
            run(exchange)
        with working_on(exchange):
            scopes, info = server.validate_authorization_request(
                exchange.request.uri, "GET", exchange.request.decoded_body, {ISSUER: exchange.issuer}
            )
        exchange.request = info["request"]
        exchange.request.exchange, exchange.request.scopes = exchange, list(scopes)
        exchange.response_type = exchange.request.response_type or ""
        authorization.vetoes(exchange)
    except FatalClientError:
        raise
    except OAuth2Error as error:
        if exchange.redirect_uri is None:
            raise
        raise AuthorizationRefused(error, exchange) from error


def answer(server: Any, exchange: AuthorizationExchange) -> None:
    """Answer an authorization request that its person allowed: read the parameters out of the server's redirect.

    Raises:
        AuthorizationRefused: the error is sent to the redirect URI.
    """
    try:
        authorization.authorization(exchange)
        redirect_uri, subject, granted = exchange.redirect_uri or "", exchange.subject, list(exchange.scope)
        with working_on(exchange):
            headers, _, _ = server.create_authorization_response(
                exchange.request.uri,
                "GET",
                exchange.pairs,
                {ISSUER: exchange.issuer},
                scopes=granted,
                credentials={"user": subject},
            )
        sent, known = urlsplit(headers["Location"]), set(parse_qsl(urlsplit(redirect_uri).query, True))
        pairs = parse_qsl(sent.query, True) + parse_qsl(sent.fragment, True)
        exchange.response = {name: value for name, value in pairs if (name, value) not in known}
        for run in (
            authorization.consume,
            authorization.outboxes,
            authorization.write,
            authorization.apply,
            authorization.tell,
        ):
            run(exchange)
    except FatalClientError:
        raise
    except OAuth2Error as error:
        raise AuthorizationRefused(error, exchange) from error


def issue(exchange: Exchange, made: dict[str, Any]) -> None:
    """Do what the steps do between making tokens and sending them, for tokens that the server class has made.

    Raises:
        OAuth2Error: a plugin refuses.
    """
    provider, request = exchange.provider, exchange.request
    token.authorization(exchange)
    exchange.issue = Issue(scope=exchange.scope, lifetime=int(made["expires_in"]))
    token.bind(exchange)
    token.vetoes(exchange)
    if not provider.validator.issues_refresh_token(request):
        made.pop("refresh_token", None)
    exchange.response = made
    token.enrich(exchange)
    provider.validator.save_bearer_token(made, request)
    token.announce(exchange)
    if isinstance(exchange, TokenExchange):  # what goes into a redirect is applied with its answer
        for run in (token.outboxes, token.apply, token.tell):
            run(exchange)
