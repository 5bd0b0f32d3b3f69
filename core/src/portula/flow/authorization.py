"""The authorization endpoint (RFC 6749 §3.1): the steps that judge a request, and those that answer it.

Between the two lists stand the interactions: a person signs in and is asked. Errors before `redirect_uri` are shown on
a page; those after it go to the client (attack S02). Whatever may fail fails before `apply`.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

from oauthlib.oauth2.rfc6749 import errors, utils
from oauthlib.openid.connect.core.exceptions import RequestNotSupported, RequestURINotSupported

from portula.flow import token
from portula.flow.enrichments import AuthorizationResponse
from portula.flow.event_hooks import EventHooks
from portula.flow.events import AuthorizationGranted
from portula.flow.exchange import AuthorizationExchange, PageExchange
from portula.flow.issue import Issue
from portula.flow.memo import Memo
from portula.flow.messages import OAuthRequest, in_front_channel, sorted_response_type
from portula.flow.pkce import judge_code_challenge
from portula.flow.request_hooks import RequestHooks
from portula.flow.response_modes import FRAGMENT, QUERY, ResponseMode
from portula.flow.steps import Steps, step

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portula.flow.server import Server
    from portula.flow.validator import OAuth2Validator
    from portula.model.http import Answer


# --- Judge: the client and its redirect URI first, then all else ---


def client(exchange: AuthorizationExchange) -> None:
    """Find the client; nothing is sent anywhere before (attack S02)."""
    request = exchange.request
    if not request.client_id:
        raise errors.MissingClientIdError(request=request)
    if not _validator(exchange).validate_client_id(request.client_id, request):
        raise errors.InvalidClientIdError(request=request)


def resolve_parameters(exchange: AuthorizationExchange) -> None:
    """Take the parameters from where a request says they are: a request object, a pushed request.

    Raises:
        OAuth2Error: they are in two places, or nobody here finds them there; or what a resolver refuses with.
    """
    presented = dict(exchange.presented)
    resolvers = [known for known in exchange.provider.request_resolvers if known.presented(presented)]
    if len(resolvers) > 1:
        raise errors.InvalidRequestError(description="The request has its parameters in two places.")
    if resolvers:
        exchange.resolver = resolvers[0]
        if not exchange.is_resolved:  # else it waited, and was resolved before
            exchange.pairs = resolvers[0].resolve(exchange)
            _read_again(exchange)
    elif "request" in presented:
        raise RequestNotSupported(description="Send the parameters as they are.")
    elif "request_uri" in presented:
        raise RequestURINotSupported(description="Send the parameters as they are.")


def parameters(exchange: AuthorizationExchange) -> None:
    """Take the parameters from where the request says they are: a request object, a pushed request."""
    try:
        resolve_parameters(exchange)
    except errors.FatalClientError:
        raise
    except Exception:
        # Where the redirect URI is not in the open, neither is the state that has to go there with the error.
        if exchange.resolver is None or exchange.request.redirect_uri is not None:
            with suppress(errors.OAuth2Error):
                redirect_uri(exchange)
        raise


def redirect_uri(exchange: AuthorizationExchange) -> None:
    """Choose the redirect URI by exact comparison only (RFC 9700 §2.1); never parse what was not registered."""
    request, validator = exchange.request, _validator(exchange)
    sent, client_id = request.redirect_uri, request.client_id or ""
    if sent is None:
        found = validator.get_default_redirect_uri(client_id, request)
        if not found:
            raise errors.MissingRedirectURIError(request=request)
    else:
        found = sent
        if not validator.validate_redirect_uri(client_id, sent, request):
            raise errors.MismatchingRedirectURIError(request=request)
    request.using_default_redirect_uri = sent is None
    exchange.redirect_uri = request.redirect_uri = found


def response_type(exchange: AuthorizationExchange) -> None:
    """Find the response type by its exact name; the order of its words has no meaning (RFC 6749 §3.1.1)."""
    request = exchange.request
    if request.response_type is None:
        raise errors.MissingResponseTypeError(request=request)
    request.response_type = sorted_response_type(request.response_type)
    if request.response_type not in _server(exchange).response_types:
        raise errors.UnsupportedResponseTypeError(request=request)
    exchange.response_type = request.response_type


def response_mode(exchange: AuthorizationExchange) -> None:
    """Refuse a mode that nobody writes, and tokens in a query (OAuth 2.0 Multiple Response Types §3, §5)."""
    request = exchange.request
    name = request.response_mode
    if name is None:
        return
    mode = exchange.provider.response_modes.get(name)
    if mode is None:
        raise errors.InvalidRequestError(description="Unknown response_mode.", request=request)
    if not mode.carries_tokens and in_front_channel(exchange.response_type):
        request.response_mode = None  # the error goes where the answer would have gone
        raise errors.InvalidRequestError(
            description=f"Tokens are not sent in a {name}; leave response_mode out.", request=request
        )


def code_challenge(exchange: AuthorizationExchange) -> None:
    """Refuse a challenge without its form, method or code, which oauthlib lets pass (RFC 7636 §4.2, §4.3)."""
    request = exchange.request
    if "code" not in exchange.words:
        if not in_front_channel(exchange.response_type):
            return  # a plugin's own
        for name in ("code_challenge", "code_challenge_method"):
            if getattr(request, name) is not None:
                raise errors.InvalidRequestError(description=f"{name} without a code.", request=request)
        return
    judge_code_challenge(exchange)


def judge(exchange: AuthorizationExchange) -> None:
    """Let oauthlib judge what is left: whether the client may use the response type, PKCE, and the scopes."""
    _server(exchange).response_types[exchange.response_type].judge(exchange)


def vetoes(exchange: AuthorizationExchange) -> None:
    """Hear every plugin that may deny the request; nobody can outvote a denial."""
    exchange.provider.hooks.hear(RequestHooks.portula_validate_authorization_request, exchange)


AUTHORIZATION_STEPS: Steps[AuthorizationExchange] = Steps(
    "authorize",
    [
        step(client, sets="client"),
        step(parameters, reads="client", sets="pairs request"),
        step(redirect_uri, reads="client request", sets="redirect_uri"),
        step(response_type, reads="redirect_uri request", sets="response_type"),
        step(response_mode, reads="redirect_uri response_type", sets="response_mode"),
        step(code_challenge, reads="redirect_uri response_type"),
        step(judge, reads="redirect_uri response_type", sets="scope"),
        step(vetoes, reads="redirect_uri scope", sets="facts"),
    ],
    by_server=True,
)


# --- Answer: the person allowed it ---


def authorization(exchange: AuthorizationExchange) -> None:
    """Begin the authorization: what was allowed, by whom, and how they had signed in."""
    if exchange.login is None:
        raise errors.ServerError(request=exchange.request)
    exchange.begin()


def shape(exchange: AuthorizationExchange) -> None:
    """Decide scope and lifetime of an access token in the redirect, and hear the vetoes on it (RFC 6749 §4.2)."""
    if "token" not in exchange.words:
        return
    request = exchange.request
    request.grant_type = "implicit"
    lifetime = _server(exchange).lifetime(request)
    exchange.issue = Issue(scope=exchange.scope, lifetime=lifetime, audience=exchange.resources)
    token.shaping(exchange)
    token.bind(exchange)
    token.vetoes(exchange)


def code(exchange: AuthorizationExchange) -> None:
    """Make a code (RFC 6749 §4.1.2), and what a response type of a plugin's own answers with."""
    exchange.response |= _server(exchange).response_types[exchange.response_type].parameters(exchange)


def access_token(exchange: AuthorizationExchange) -> None:
    """Make an access token that goes into the redirect (RFC 6749 §4.2.2)."""
    if exchange.issue is None:
        return
    exchange.request.expires_in = exchange.issue.lifetime
    exchange.response |= {
        "access_token": _server(exchange).access_token(exchange, exchange.issue),
        "expires_in": exchange.issue.lifetime,
        "token_type": exchange.issue.token_type,
        "scope": " ".join(exchange.issue.scope),
    }


def id_token(exchange: AuthorizationExchange) -> None:
    """Make the ID token of the redirect, bound to code and token beside it (OpenID Connect Core §3.3.2.11)."""
    if "id_token" in exchange.words:
        server = _server(exchange)
        made = exchange.provider.validator.get_id_token(exchange.response, server, exchange.request)
        if made is not None:
            exchange.response["id_token"] = made


def consume(exchange: AuthorizationExchange) -> None:
    """Plan that what the parameters came by, such as a pushed request, serves no second time (RFC 9126 §4)."""
    if exchange.resolver is not None and exchange.resolver.consume is not None:
        exchange.resolver.consume(exchange)


def plan(exchange: AuthorizationExchange) -> None:
    """Write down what is kept: the authorization, its code, its token."""
    request, validator = exchange.request, exchange.provider.validator
    client_id = request.client_id or ""
    if "code" in exchange.response:
        validator.save_authorization_code(client_id, exchange.response, request)
    if exchange.issue is not None:
        token.enrich(exchange)
        validator.save_token(exchange.response, request)
        token.announce(exchange)


def outboxes(exchange: AuthorizationExchange) -> None:
    """Let plugins keep records of their own in the same plan; one that fails refuses the request."""
    plan_authorization_records(exchange)
    hooks = exchange.provider.hooks
    for event in exchange.events:
        exchange.plan.extend(hooks.record(RequestHooks.portula_record_token, event))


def plan_authorization_records(exchange: PageExchange) -> None:
    """Plan what plugins keep beside an authorization that a person gave.

    Raises:
        HookFailed: one of them fails; the request is refused.
    """
    login = exchange.login
    granted = AuthorizationGranted(
        provider=exchange.provider,
        client_id=exchange.request.client_id or "",
        subject=exchange.subject or "",
        sid=login.sid if login else None,
        scopes=exchange.scope,
        known_as=exchange.known_as,
    )
    records = exchange.provider.hooks.record(RequestHooks.portula_record_authorization, granted)
    exchange.plan.extend(records)


def write(exchange: AuthorizationExchange) -> None:
    """Let plugins add parameters, as JSON what is no text, and write the answer in the mode asked for."""
    given = _as_text(exchange.response)
    answer = AuthorizationResponse(provider=exchange.provider, request=exchange.request, response=given)
    enriched = exchange.provider.hooks.enrich(RequestHooks.portula_authorization_response, answer)
    exchange.answer = respond(exchange, _as_text(enriched))
    if exchange.on_answer is not None:
        exchange.on_answer(exchange.answer)


def apply(exchange: AuthorizationExchange) -> None:
    """Apply the plan, whole or not at all."""
    exchange.apply()


def tell(exchange: AuthorizationExchange) -> None:
    """Call the handlers of the events; one that fails is logged, and the answer is the same."""
    for event in exchange.events:
        exchange.provider.hooks.tell(EventHooks.portula_token_issued, event)


AUTHORIZATION_ANSWER_STEPS: Steps[AuthorizationExchange] = Steps(
    "authorize (answer)",
    [
        step(authorization, sets="authorization subject"),
        step(shape, sets="issue"),
        step(code, reads="authorization", sets="response"),
        step(access_token, reads="issue"),
        step(id_token, reads="response"),
        step(consume),
        step(plan, reads="response", sets="plan events"),
        step(outboxes, reads="plan"),
        step(write, reads="response", sets="answer"),
        step(apply, reads="plan answer"),
        step(tell, reads="events"),
    ],
    closed=("code", "apply"),
    by_server=True,
)


def respond(exchange: AuthorizationExchange, given: dict[str, str]) -> Answer:
    """Add iss (RFC 9207) and state, and write the response in the mode asked for."""
    request, provider = exchange.request, exchange.provider
    if request.state is not None:
        given = {**given, "state": request.state}
    mode = provider.response_modes.get(request.response_mode or "") or _default_mode(exchange)
    return mode.write(exchange, {**given, "iss": exchange.issuer})


def _as_text(parameters: Mapping[str, Any]) -> dict[str, str]:
    return {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in parameters.items()
        if value is not None
    }


def _default_mode(exchange: AuthorizationExchange) -> ResponseMode:
    return FRAGMENT if in_front_channel(exchange.request.response_type or "") else QUERY


def _read_again(exchange: AuthorizationExchange) -> None:
    """Make the request anew of the parameters that were found; its client stays."""
    former = exchange.request
    exchange.request = OAuthRequest(former.uri, former.http_method, exchange.pairs, former.headers)
    exchange.request.exchange = exchange
    exchange.request.client = former.client
    exchange.request.client_id = former.client_id
    exchange.request.scopes = utils.scope_to_list(exchange.request.scope)


def _validator(exchange: AuthorizationExchange) -> OAuth2Validator:
    return cast("OAuth2Validator", Memo(exchange.provider.validator))


def _server(exchange: AuthorizationExchange) -> Server:
    if exchange.server is None:
        raise LookupError("this exchange has no server")
    return exchange.server
