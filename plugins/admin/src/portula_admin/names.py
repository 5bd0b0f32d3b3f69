"""Names of clients and people, so that a list shows more than identifiers; each is read once a request."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from flask import request

from portula import Plugin
from portula.plugin import Application, Authorization, display_name, is_revoked

if TYPE_CHECKING:
    from portula import Provider


class Names:
    """What one request knows of clients and people."""

    def __init__(self, provider: Provider) -> None:
        """Know nothing yet."""
        self._provider = provider
        self._clients: dict[str, str | None] = {}
        self._registered: set[str] = set()
        self._people: dict[str, str | None] = {}
        self._authorizations: dict[str, Authorization | None] = {}

    @classmethod
    def of_request(cls, provider: Provider) -> Names:
        """Return the names of the current Flask request."""
        known: Names = request.environ.setdefault(f"portula.{provider.name}.admin.names", cls(provider))
        return known

    def read_clients(self, client_ids: Iterable[str]) -> None:
        """Read the names of several clients at once."""
        missing = tuple(set(client_ids) - self._clients.keys())
        if missing:
            clients = self._provider.clients
            found = self._provider.storage.select(Application, limit=len(missing), client_id=missing)
            self._registered |= {client.client_id for client in found}
            others = [
                name for name in missing if name not in self._registered and clients.is_of_a_source(name)
            ]
            found += clients.find_all(others).values()
            self._clients.update(dict.fromkeys(missing))
            self._clients.update(dict.fromkeys(others, ""))
            self._clients.update({client.client_id: display_name(client.name) for client in found})

    def client(self, client_id: str) -> str:
        """Return the name of a client, its identifier when it has none."""
        self.read_clients([client_id])
        return self._clients[client_id] or client_id

    def knows_client(self, client_id: str) -> bool:
        """Say whether there is such a client still; one of a source is where that is."""
        self.read_clients([client_id])
        return self._clients[client_id] is not None

    def is_registered(self, client_id: str) -> bool:
        """Say whether a client is registered here, and has a page."""
        self.read_clients([client_id])
        return client_id in self._registered

    def read_authorizations(self, identifiers: Iterable[str | None]) -> None:
        """Read several authorizations at once."""
        missing = tuple({each for each in identifiers if each is not None} - self._authorizations.keys())
        if missing:
            found = self._provider.storage.select(Authorization, limit=len(missing), id=missing)
            self._authorizations.update(dict.fromkeys(missing))
            self._authorizations.update({each.id: each for each in found})

    def authorization(self, identifier: str) -> Authorization | None:
        """Return an authorization; None when it is gone."""
        self.read_authorizations([identifier])
        return self._authorizations[identifier]

    def is_revoked(self, authorization: str) -> bool:
        """Say whether an authorization is revoked; one that is gone counts as that."""
        found = self.authorization(authorization)
        return found is None or is_revoked(self._provider, found)

    def person(self, subject: str) -> str:
        """Return the user name of a person, the subject when the login does not know them."""
        if subject not in self._people:
            user = self._provider.hooks.ask(Plugin.portula_login).find(subject)
            self._people[subject] = display_name(user.username) if user else None
        return self._people[subject] or subject
