"""The token endpoint (RFC 6749 §3.2): its steps, in the order in which they run.

Whatever may fail fails before `apply`. A plugin inserts steps of its own by name; between `make` and `apply` it adds
through hooks.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, cast

from oauthlib.oauth2.rfc6749 import errors, utils

from portula.flow.client_cache import ClientChanged
from portula.flow.enrichments import TokenResponse
from portula.flow.event_hooks import EventHooks
from portula.flow.events import TokenIssued
from portula.flow.exchange import Exchange, TokenExchange
from portula.flow.issue import Issue
from portula.flow.request_hooks import RequestHooks
from portula.flow.responses import RetryLater
from portula.flow.steps import Steps, step
from portula.model.client_metadata import required_confirmations, unknown_binding
from portula.model.errors import Conflict
from portula.model.failures import log_failure
from portula.model.plans import Plan
from portula.model.records import Application, Artifact

if TYPE_CHECKING:
    from portula.flow.server import Server

PROTECTED = frozenset({"access_token", "token_type", "expires_in", "refresh_token", "scope", "id_token"})
"""Members of a token response that no plugin can give (RFC 6749 §5.1, OpenID Connect Core §3.1.3.3)."""


# --- Judge: who asks, for what, and may they ---


def read(exchange: TokenExchange) -> None:
    """Read the form: UTF-8, no parameter twice, none in both query and body (RFC 6749 §3.2)."""
    if not exchange.request.decoded_body:
        exchange.read_form()
    exchange.request.scopes = utils.scope_to_list(exchange.request.scope)


def grant_type(exchange: TokenExchange) -> None:
    """Know the grant type by its exact name (RFC 6749 §5.2)."""
    name = exchange.parameter("grant_type")
    if name is None:
        raise errors.InvalidRequestError(
            description="Missing grant_type parameter.", request=exchange.request
        )
    if name not in _server(exchange).grant_types:
        raise errors.UnsupportedGrantTypeError(request=exchange.request)


def client(exchange: TokenExchange) -> None:
    """Authenticate the client, once (RFC 6749 §2.3)."""
    request, memo = exchange.request, _server(exchange).memo
    if memo.client_authentication_required(request):
        known = memo.authenticate_client(request)
    else:
        known = memo.authenticate_client_id(request.client_id or "", request)
    if not known or request.client is None:
        raise errors.InvalidClientError(request=request)
    request.client_id = request.client_id or request.client.client_id
    if request.client_id != request.client.client_id:
        raise errors.InvalidClientError(request=request)


def client_grant_type(exchange: TokenExchange) -> None:
    """Ask whether the client may use the grant type, and is registered for it, before anything of it is looked at."""
    request, server = exchange.request, _server(exchange)
    client, grant = cast("Application", request.client), request.grant_type or ""
    if not server.memo.validate_grant_type(client.client_id, grant, client, request):
        raise errors.UnauthorizedClientError(request=request)
    if server.grant_types[grant].confidential and client.client_type != "confidential":
        raise errors.UnauthorizedClientError(
            description="This grant type is for confidential clients.", request=request
        )


def judge(exchange: TokenExchange) -> None:
    """Judge what the grant type presents: a code and its verifier, a refresh token, a password, an assertion."""
    _server(exchange).grant_types[exchange.request.grant_type or ""].judge(exchange)


def authorization(exchange: Exchange) -> None:
    """Go on under the authorization of the code or refresh token; else a person's grant begins one."""
    if exchange.authorization is None and exchange.subject is not None:
        exchange.begin()


# --- Shape: what is to be issued, before anything is made ---


def shape(exchange: TokenExchange) -> None:
    """Decide scope, lifetime and whether a refresh token goes along; nothing is made yet."""
    if exchange.issue is not None:
        return
    server, request = _server(exchange), exchange.request
    validator, grant = server.request_validator, server.grant_types[request.grant_type or ""]
    renewed = exchange.refresh_token is not None
    exchange.issue = Issue(
        scope=exchange.scope,
        lifetime=server.lifetime(request),
        audience=exchange.resources,
        refresh_token=grant.refreshable
        and exchange.authorization is not None
        and validator.issues_refresh_token(request),
        id_token=grant.with_id_token,
        rotation=not renewed or validator.rotate_refresh_token(request),
    )


def shaping(exchange: Exchange) -> None:
    """Let plugins change what is to be issued: audience, confirmation, lifetime, narrower scope."""
    exchange.provider.hooks.shape(RequestHooks.portula_shape_token, exchange)
    exchange.request.scopes = list(_issue(exchange).scope)


def bind(exchange: Exchange) -> None:
    """Refuse who has not proven what client or authorization are bound to, and name the token's type (RFC 9449 §5)."""
    issue, presentations = _issue(exchange), exchange.provider.token_presentations
    members, client = exchange.provider.client_members, exchange.client
    unknown = unknown_binding(members, client) if client else None
    if unknown is not None:
        raise errors.InvalidRequestError(
            description=f"The client is registered with {unknown}, and nothing here binds tokens so.",
            request=exchange.request,
        )
    for confirmation, member in (required_confirmations(members, client) if client else {}).items():
        if confirmation not in issue.confirmation:
            raise errors.InvalidRequestError(
                description=f"The client is registered with {member.name}, and proves nothing.",
                request=exchange.request,
            )
    bound = exchange.authorization.confirmation if exchange.authorization else {}
    if any(issue.confirmation.get(member) != value for member, value in bound.items()):
        raise errors.InvalidGrantError(
            description="The grant is bound to a key that is not proven.", request=exchange.request
        )
    issue.token_type = issue.token_type or presentations.token_type(issue.confirmation)


def vetoes(exchange: Exchange) -> None:
    """Hear every plugin that may deny the request; nobody can outvote a denial."""
    exchange.provider.hooks.hear(RequestHooks.portula_validate_token_request, exchange)


# --- Make: from here to `apply` nothing is inserted ---


def make(exchange: TokenExchange) -> None:
    """Make the access token and the refresh token; a rotation within its grace period gets the same ones again."""
    request, issue, server = exchange.request, _issue(exchange), _server(exchange)
    request.expires_in = issue.lifetime
    if exchange.successor is not None:
        exchange.response = dict(exchange.successor)
        return
    response = {
        "access_token": server.access_token(exchange, issue),
        "expires_in": issue.lifetime,
        "token_type": issue.token_type,
        **({"scope": " ".join(issue.scope)} if issue.scope else {}),
    }
    if issue.refresh_token:
        response["refresh_token"] = (
            server.refresh_token_generator(request) if issue.rotation else request.refresh_token
        )
    exchange.response = response


def id_token(exchange: TokenExchange) -> None:
    """Make the ID token that goes with the answer, where one does (OpenID Connect Core §3.1.3.3, §12.2)."""
    server = _server(exchange)
    if not _issue(exchange).id_token:
        return
    made = server.request_validator.get_id_token(exchange.response, server, exchange.request)
    if made is not None:
        exchange.response["id_token"] = made


def enrich(exchange: Exchange) -> None:
    """Let plugins add members; those of the protocol stay as they are."""
    response = exchange.response
    response.update({**_issue(exchange).members, **response})
    answer = TokenResponse(provider=exchange.provider, request=exchange.request, response=response)
    added = exchange.provider.hooks.enrich(RequestHooks.portula_token_response, answer)
    response.update({name: value for name, value in added.items() if name not in PROTECTED})


def plan(exchange: TokenExchange) -> None:
    """Write down what is kept: the code is used, tokens are added, the refresh token moves on."""
    known = exchange.refresh_token
    if exchange.successor is None:
        if not exchange.for_another_server:
            exchange.provider.validator.save_token(exchange.response, exchange.request)
    elif known is not None:  # nothing changes, unless a revocation comes at this moment
        given = {"digest": known.digest, "expires_at": known.expires_at}
        exchange.plan.change(known, given=given, rotated_at=known.rotated_at)
    announce(exchange)


def announce(exchange: Exchange) -> None:
    """Note what is told of the tokens."""
    request = exchange.request
    exchange.events.append(
        TokenIssued(
            provider=exchange.provider,
            client_id=request.client_id or "",
            subject=request.user,
            grant_type=request.grant_type or "",
            scopes=exchange.scope,
            authorization=exchange.authorization.id if exchange.authorization else None,
            authorization_record=exchange.authorization,
        )
    )


def outboxes(exchange: TokenExchange) -> None:
    """Let plugins keep records of their own in the same plan; one that fails refuses the request."""
    for event in exchange.events:
        exchange.plan.extend(exchange.provider.hooks.record(RequestHooks.portula_record_token, event))


def write(exchange: TokenExchange) -> None:
    """Write the answer, so that nothing is left that may fail once the plan is applied (RFC 6749 §5.1)."""
    exchange.body = json.dumps(exchange.response, allow_nan=False)


def apply(exchange: TokenExchange) -> None:
    """Apply the plan, whole or not at all.

    Who refreshes with a token that another request has rotated in this moment gets that answer within the grace
    period; else it is a replay. Where another request has changed what a plugin changes with this one, nothing is used
    up and the client may send it again: that says nothing of its code or token.
    """
    provider = exchange.provider
    try:
        exchange.apply()
    except ClientChanged:
        raise
    except Conflict as conflict:
        if conflict.record is not None and conflict.cls is provider.storage.model(Artifact):
            raise RetryLater("Another request changes the same; send this one again.", 1) from None
        request = exchange.request
        if exchange.refresh_token is None or request.client is None:
            raise errors.InvalidGrantError(request=request) from None
        exchange.plan, exchange.events = Plan(), []
        if not provider.validator.validate_refresh_token(request.refresh_token, request.client, request):
            raise errors.InvalidGrantError(request=request) from None
        if exchange.server is None:
            exchange.response.update(exchange.successor or {})
            return
        for run in (make, id_token, enrich, plan, outboxes, write):
            run(exchange)
        exchange.apply()


def tell(exchange: TokenExchange) -> None:
    """Call the handlers of the events; one that fails is logged, and the answer is the same."""
    request, validator = exchange.request, exchange.provider.validator
    if exchange.code is not None:
        try:
            validator.invalidate_authorization_code(request.client_id or "", request.code, request)
        except Exception as failure:  # noqa: BLE001 - it is logged
            log_failure(failure, "invalidate_authorization_code failed; the code is used all the same")
    for event in exchange.events:
        exchange.provider.hooks.tell(EventHooks.portula_token_issued, event)


TOKEN_STEPS: Steps[TokenExchange] = Steps(
    "token",
    [
        step(read, sets="request"),
        step(grant_type, reads="request", sets="grant_type"),
        step(client, reads="request", sets="client client_auth_method"),
        step(client_grant_type, reads="grant_type client"),
        step(judge, reads="grant_type client", sets="subject scope code refresh_token person facts"),
        step(authorization, reads="client subject scope", sets="authorization"),
        step(shape, reads="grant_type client scope authorization", sets="issue"),
        step(shaping, reads="issue"),
        step(bind, reads="issue client authorization"),
        step(vetoes, reads="issue client subject scope"),
        step(make, reads="issue authorization", sets="response"),
        step(id_token, reads="response authorization"),
        step(enrich, reads="response"),
        step(plan, reads="response", sets="plan events"),
        step(outboxes, reads="plan events"),
        step(write, reads="response", sets="body"),
        step(apply, reads="plan body"),
        step(tell, reads="events"),
    ],
    variant=lambda exchange: exchange.request.grant_type or "",
    closed=("make", "apply"),
    by_server=True,
)


def _server(exchange: Exchange) -> Server:
    if exchange.server is None:
        raise LookupError("this exchange has no server")
    return exchange.server


def _issue(exchange: Exchange) -> Issue:
    if exchange.issue is None:
        raise LookupError("nothing is to be issued")
    return exchange.issue
