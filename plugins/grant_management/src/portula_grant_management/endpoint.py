"""The grant management API (Grant Management §6): a client looks at a grant of its own, and ends it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from flask import Blueprint, Response

from portula.errors import (
    InsufficientScopeError,
    InvalidRequestError,
    InvalidTokenError,
    MissingTokenError,
    OAuth2Error,
    RetryLater,
)
from portula.plugin import (
    NO_STORE,
    Answer,
    Artifact,
    Exchange,
    Mount,
    Plan,
    Steps,
    error_parameters,
    json_answer,
    revoke_authorization,
    server_error_of,
    step,
    tell_revocation,
    token_error,
)
from portula_grant_management.grants import ManagedGrant, find_grant
from portula_grant_management.joining import parts_of
from portula_grant_management.settings import QUERY, REVOKE, settings_of

if TYPE_CHECKING:
    from portula import Provider

TRIES = 5
PATH = "grants"
QUERY_SCOPE, REVOKE_SCOPE = "grant_management_query", "grant_management_revoke"
_SCOPES = {"GET": QUERY_SCOPE, "HEAD": QUERY_SCOPE, "DELETE": REVOKE_SCOPE}
_METHODS = {QUERY: "GET", REVOKE: "DELETE"}


class UnknownGrant(InvalidRequestError):  # type: ignore[misc] # oauthlib has no types
    """There is no such grant, or it is not for the caller: told alike (§6.6)."""

    error = "invalid_grant_id"
    description = "There is no such grant."
    status_code = 404


@dataclass(kw_only=True, eq=False)
class GrantExchange(Exchange):
    """A request about a grant. Its client and its access token are the caller's."""

    grant: ManagedGrant | None = None
    """The grant that it is about."""


def token(exchange: GrantExchange) -> None:
    """Require an access token that counts and is proven to be the caller's, with the scope of the method (§6.1)."""
    provider = exchange.provider
    presented = provider.token_presentations.read(exchange.message, headers=exchange.headers)
    if presented is None or not presented.value:
        raise MissingTokenError
    exchange.presented_token = presented
    allowed = provider.backend.verify_request(exchange, [_SCOPES[exchange.message.method]])
    if exchange.access_token is None:
        raise InvalidTokenError
    if not allowed:
        raise InsufficientScopeError


def confidential(exchange: GrantExchange) -> None:
    """Refuse public clients: nothing proves whose grants they ask about (§5.1)."""
    if exchange.client is None or exchange.client.client_type != "confidential":
        raise InsufficientScopeError


def grant(exchange: GrantExchange) -> None:
    """Find the grant: of this client, and of the person of the token where that is a person's (§6.3)."""
    grant_id, ends = exchange.message.path.rpartition("/")[2], exchange.message.method == "DELETE"
    found = find_grant(exchange.provider, grant_id, exchange.client, due=ends)
    if found is None or exchange.subject not in (None, found.authorization.subject):
        raise UnknownGrant
    exchange.grant = found


def revoke(exchange: GrantExchange) -> None:
    """End the grant with all its codes and tokens (§6.5)."""
    if exchange.message.method != "DELETE":
        return
    for _ in range(TRIES):
        found = cast("ManagedGrant", exchange.grant)
        given, pointer, beside = found.authorization, found.pointer, Plan()
        beside.remove(Artifact, digest=pointer.digest, version=pointer.version)
        if revoke_authorization(exchange.provider, given.id, beside):
            tell_revocation(exchange.provider, given)
            exchange.answer = Answer(204, NO_STORE)
            return
        grant(exchange)  # it was ended, or another took its place, in this moment
    raise RetryLater("The grant changes too often.", 1)


def query(exchange: GrantExchange) -> None:
    """Say what the grant holds (§6.4); no token is told."""
    if exchange.answer is not None:
        return
    found = cast("ManagedGrant", exchange.grant)
    given = found.authorization
    scopes = [
        {
            name: value
            for name, value in (("scope", " ".join(part["scope"])), ("resource", part["resource"]))
            if value
        }
        for part in parts_of(given)
    ]
    members: dict[str, Any] = {"scopes": [each for each in scopes if each]}
    for content in exchange.provider.contents.values():
        members.update(content.members(given))
    times = {
        "created_at": found.pointer.issued_at,
        "last_updated": found.updated_at,
        "last_updated_at": found.updated_at,  # the text's own example calls it so
        "expires_at": given.expires_at,
    }
    members.update({name: value for name, value in times.items() if value is not None})
    exchange.answer = json_answer(200, {**members, "updated_by": "client"})


def refuse(exchange: GrantExchange, error: Exception) -> Answer | None:
    """Write a refusal: of an access token as RFC 6750 §3 says, else in JSON (§6.6)."""
    if isinstance(error, UnknownGrant):
        return token_error(error)
    if not isinstance(error, OAuth2Error):
        return None
    scope = {"scope": _SCOPES[exchange.message.method]}
    return exchange.provider.token_presentations.refusal(error, exchange.presented_token, parameters=scope)


GRANT_STEPS = Steps(
    "grant_management",
    [
        step(token, sets="presented_token access_token client subject"),
        step(confidential, reads="client"),
        step(grant, reads="client subject", sets="grant"),
        step(revoke, reads="grant", sets="answer"),
        step(query, reads="grant", sets="answer"),
    ],
    begin=GrantExchange.of,
    refuse=refuse,
)


def make_mount(provider: Provider) -> Mount:
    """Return the endpoint, whose path ends in the grant; what it lacks (a backend) shows at start."""
    _ = provider.backend
    actions = settings_of(provider).GRANT_MANAGEMENT_ACTIONS
    methods = [method for action, method in _METHODS.items() if action in actions]
    blueprint = Blueprint("grant_management", __name__)

    def view(grant_id: str) -> Response:
        answer = _answer(provider)
        response = Response(answer.body, answer.status)
        response.headers.clear()
        response.headers.extend(answer.headers)
        return response

    if methods:
        blueprint.add_url_rule(f"/{PATH}/<grant_id>", "grant", view, methods=methods)
    return Mount(blueprint, steps=(GRANT_STEPS,))


def _answer(provider: Provider) -> Answer:
    try:
        return cast("Answer", provider.steps(GRANT_STEPS).handle(provider, provider.current_message()))
    except OAuth2Error as error:  # of a host that is not trusted, or a certificate that is none
        return token_error(error)
    except Exception as failure:  # noqa: BLE001 - it is logged
        fault = server_error_of(failure, "a request about a grant")
        return (
            token_error(fault) if isinstance(fault, RetryLater) else json_answer(500, error_parameters(fault))
        )
