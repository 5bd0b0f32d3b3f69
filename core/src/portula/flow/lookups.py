"""Looks up people and scopes by name; an error about a person has the nearest name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oauthlib.oauth2.rfc6749.errors import InvalidScopeError

from portula.flow.hooks import FlowHooks
from portula.model.errors import UnknownPerson, nearest
from portula.model.slots import NamesPeople, SuggestsNames

if TYPE_CHECKING:
    from portula.flow.authorization_server import AuthorizationServer
    from portula.flow.exchange import Exchange
    from portula.model.people import User


def find_person(provider: AuthorizationServer, named: str) -> User:
    """Return the person of this name or subject.

    Raises:
        UnknownPerson: the login knows neither; the message names the nearest name, if the login can list some.
    """
    login = provider.hooks.ask(FlowHooks.portula_login)
    found = login.find_by_name(named) if isinstance(login, NamesPeople) else None
    found = found or login.find(named)
    if found is None:
        names = login.names_near(named) if isinstance(login, SuggestsNames) else ()
        raise UnknownPerson(f"There is no user named {named!r}{nearest(named, names) or '.'}")
    return found


def unknown_scopes(provider: AuthorizationServer, scope: str) -> list[str]:
    """Return those of space-separated scopes that nobody knows: a misspelt one would never be granted."""
    backend = provider.hooks.ask(FlowHooks.portula_scopes_backend)
    known = {*backend.get_all_scopes(), *provider.scope_texts}
    return [name for name in scope.split() if name not in known]


def may_have_scope(exchange: Exchange, scope: str) -> bool:
    """Say whether the client of a request may have a scope; what the validator sets on the request is put back."""
    request, client, scopes = exchange.request, exchange.client, exchange.request.scopes
    if client is None:
        return False
    try:
        valid = exchange.provider.validator.validate_scopes(client.client_id, [scope], client, request)
        return bool(valid) and scope in (request.scopes or ())
    except InvalidScopeError:
        return False
    finally:
        request.scopes = scopes
