"""The parameters of authorization requests, and what the person is told of them (Grant Management §5.2, §5.4)."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from portula import Plugin, hookimpl
from portula.errors import InvalidRequestError, OAuth2Error, StorageDown
from portula.plugin import ConsentItem, Demands, consent_items_of, exchange_of, server_error_of
from portula_grant_management.grants import ACTION, GRANT_ID, ROOM, InvalidGrantId, find_grant
from portula_grant_management.joining import merge
from portula_grant_management.settings import CREATE, MERGE, REPLACE, is_on, settings_of

if TYPE_CHECKING:
    from portula.plugin import AuthorizationExchange, Exchange, Interaction
    from portula_grant_management.grants import ManagedGrant

T = TypeVar("T")

PARAMETER = "grant_management_action"
ID_BYTES = 24


@hookimpl
def portula_validate_authorization_request(exchange: AuthorizationExchange) -> None:
    """Judge which grant a request is about, and what becomes of it.

    Raises:
        InvalidRequestError: the parameters do not fit, or the client may not do this.
        InvalidGrantId: there is no such grant of this client.
    """
    if not is_on(exchange.provider):
        return
    action, grant_id = exchange.parameter(PARAMETER), exchange.parameter(GRANT_ID)
    if action is None:
        if grant_id is not None:
            raise InvalidRequestError(description=f"{GRANT_ID} stands without {PARAMETER}.")
        if settings_of(exchange.provider, exchange.client).GRANT_MANAGEMENT_ACTION_REQUIRED:
            raise InvalidRequestError(description=f"{PARAMETER} is missing.")
        return
    _check_action(exchange, action)
    if action == CREATE:
        if grant_id is not None:
            raise InvalidRequestError(description=f"{GRANT_ID} stands beside {PARAMETER} {CREATE}.")
        grant_id = secrets.token_urlsafe(ID_BYTES)
    elif grant_id is None:
        raise InvalidRequestError(description=f"{GRANT_ID} is missing.")
    else:
        _find(exchange, grant_id)
    exchange.facts[ROOM] = {ACTION: action, GRANT_ID: grant_id}


def _check_action(exchange: AuthorizationExchange, action: str) -> None:
    """Refuse an action that the client may not name, and one whose answer would have no grant_id.

    Raises:
        InvalidRequestError: so it is.
    """
    client = exchange.client
    known = settings_of(exchange.provider, client).GRANT_MANAGEMENT_ACTIONS & {CREATE, MERGE, REPLACE}
    if client is None or client.client_type != "confidential":
        raise InvalidRequestError(description=f"{PARAMETER} is for confidential clients.")
    if action not in known:
        raise InvalidRequestError(description=f"{PARAMETER}: this action is not supported.")
    if exchange.words and ("code" not in exchange.words or "token" in exchange.words):
        raise InvalidRequestError(description=f"{PARAMETER} goes with a code, and no token beside it.")


def _find(exchange: Exchange, grant_id: str) -> ManagedGrant:
    """Return the grant of a request; InvalidGrantId where there is none."""
    found = _no_denial(lambda: find_grant(exchange.provider, grant_id, exchange.client))
    if found is None:
        raise InvalidGrantId
    return found


def _no_denial(call: Callable[[], T]) -> T:
    """Call what reads for a hook in which a failure would be told as a denial.

    Raises:
        OAuth2Error: it refuses, or fails: then a ServerError.
        StorageDown: the storage does not answer.
    """
    try:
        return call()
    except (OAuth2Error, StorageDown):
        raise
    except Exception as failure:
        raise server_error_of(failure, "the authorization request") from failure


@hookimpl
def portula_interaction_demands(interaction: Interaction) -> Demands | None:
    """Tell the person which of their grants is widened or replaced.

    Raises:
        InvalidGrantId: it is another person's, or has ended since.
        OAuth2Error: it cannot hold so much.
    """
    exchange = exchange_of(interaction.request)
    state = exchange.facts.get(ROOM)
    if state is None or state[ACTION] == CREATE or interaction.user is None:
        return None
    grant = _find(exchange, state[GRANT_ID])
    if grant.authorization.subject != interaction.user.subject:
        raise InvalidGrantId
    if state[ACTION] == MERGE:
        asked = replace(
            grant.authorization,
            scope=" ".join(exchange.scope),
            resources=exchange.resources,
            facts=exchange.facts,
        )
        merge(exchange.provider, grant.authorization, asked)
    return Demands(items=(_no_denial(lambda: _item(exchange, state[ACTION], grant)),))


def _item(exchange: Exchange, action: str, grant: ManagedGrant) -> ConsentItem:
    """Return the words for the page; without a memory, so that nothing is changed unseen."""
    given_on = datetime.fromtimestamp(grant.updated_at, UTC).strftime("%d %B %Y").lstrip("0")
    provider, given = exchange.provider, grant.authorization
    texts = {**provider.scope_texts, **provider.hooks.ask(Plugin.portula_scopes_backend).get_all_scopes()}
    held = [texts.get(scope) or scope for scope in given.scope.split()]
    held += [item.line for item in consent_items_of(provider, given)]
    if action == MERGE:
        title, label = f"Have this in addition to what you allowed on {given_on}", "Keeps"
    else:
        title, label = f"Have this in place of what you allowed on {given_on}", "Loses"
    return ConsentItem(title=title, details=tuple((label, line) for line in held))
