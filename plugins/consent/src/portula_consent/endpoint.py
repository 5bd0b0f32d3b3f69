"""The connected apps page: what a person allowed, and the way to take it back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlencode

from flask import Blueprint, Response, redirect, request
from werkzeug.datastructures import MultiDict
from wtforms import HiddenField

from portula import Plugin
from portula.plugin import Artifact, Mount, PageForm
from portula_consent.display import shown_scopes
from portula_consent.memory import ConsentMemory
from portula_consent.uses import Use, uses_of

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import AuthenticatedUser


VIEW = "consent.authorized_tokens"
NOTICE = "consent notice"
NOTICE_SECONDS = 60
"""How long it is believed that an app was removed just now; that travels in the address, sealed."""
PAGE_LENGTH = 50
"""Apps on one page."""


class RemoveForm(PageForm):
    """Takes one app's access away."""

    client_id = HiddenField()


def make_mount(provider: Provider, memory: ConsentMemory) -> Mount:
    """Return the page, below the mount point."""
    blueprint = Blueprint("consent", __name__, template_folder="templates")
    views = ConnectedApps(provider, memory)
    rule = "/authorized_tokens/"
    blueprint.add_url_rule(rule, "authorized_tokens", views.show, methods=["GET"], strict_slashes=False)
    blueprint.add_url_rule(rule, "remove", views.remove, methods=["POST"], strict_slashes=False)
    return Mount(blueprint, at="mount")


class ConnectedApps:
    """The views of one provider."""

    def __init__(self, provider: Provider, memory: ConsentMemory) -> None:
        """Take the provider and what it remembers."""
        self._provider = provider
        self._memory = memory

    def show(self) -> Response:
        """List the apps that the person signed in has connected."""
        person = self._provider.hooks.ask(Plugin.portula_login).current()
        return self._page(person) if person else self._to_login()

    def remove(self) -> Response:
        """Take one app's access away."""
        person = self._provider.hooks.ask(Plugin.portula_login).current()
        if person is None:
            return self._to_login()
        posted = self._provider.pages.posted_form()
        client_id = posted.get("client_id", "")
        form = self._form(person, client_id, posted)
        if not form.validate():
            return self._page(person, {client_id: form}, status=400)
        if self._memory.find(person.subject, client_id):
            self._memory.withdraw(person.subject, client_id)
        told = json.dumps([person.subject, self._provider.now() + NOTICE_SECONDS, client_id])
        return self._redirect(self._url(self._after(), removed=self._provider.keys.seal(NOTICE, told)))

    def _page(
        self, person: AuthenticatedUser, tried: dict[str, RemoveForm] | None = None, status: int = 200
    ) -> Response:
        after = self._after()
        found = self._memory.page(person.subject, limit=PAGE_LENGTH + 1, after=after)
        consents, more = found[:PAGE_LENGTH], len(found) > PAGE_LENGTH
        grants = self._grants(consents, uses_of(self._provider, person.subject))
        forms = {grant["client_id"]: self._form(person, grant["client_id"]) for grant in grants}
        return self._provider.pages.render(
            "portula_consent/authorized_tokens.html",
            status,
            grants=grants,
            forms={**forms, **(tried or {})},
            action=self._url(after),
            first=self._url() if after else None,
            further=self._url(consents[-1].client_id) if more else None,
            removed=self._removed_name(person),
            account=self._provider.hooks.ask(Plugin.portula_login).account_url(),
        )

    def _removed_name(self, person: AuthenticatedUser) -> str | None:
        """Return the name of the app that this person has just removed; nobody else's word is repeated here."""
        sealed = self._provider.keys.unseal(NOTICE, request.args.get("removed", ""))
        if sealed is None:
            return None
        subject, until, client_id = json.loads(sealed)
        if subject != person.subject or self._provider.now() > until:
            return None
        client = self._provider.clients.find_all([client_id]).get(client_id)
        return self._provider.pages.shown_client(client)["name"] if client else str(client_id)

    def _form(
        self, person: AuthenticatedUser, client_id: str, posted: MultiDict[str, str] | None = None
    ) -> RemoveForm:
        """Make a form that serves this person's session and this client alone."""
        context = f"remove {person.sid or person.subject} {client_id}"
        return RemoveForm(self._provider.pages, context, posted, client_id=client_id)

    def _grants(self, consents: Sequence[Artifact], uses: dict[str, Use]) -> list[dict[str, Any]]:
        """Return what the template shows of each consent; clients are read in one go.

        What is remembered of an item stands among the scopes, unless the item itself is shown.
        """
        names = [consent.client_id for consent in consents if consent.client_id]
        found = self._provider.clients.find_all(names)
        clients = {name: self._provider.pages.shown_client(client) for name, client in found.items()}
        return [
            {
                "client_id": consent.client_id,
                "client_name": client.get("name"),
                "client_uri": client.get("client_uri"),
                "scopes": shown_scopes(
                    self._provider,
                    [
                        scope
                        for scope in consent.payload["scopes"]
                        if all(item.memory != scope for item in use.items)
                    ],
                ),
                "also": list(use.items),
                "servers": list(use.servers),
                "given_at": datetime.fromtimestamp(consent.issued_at, UTC),
            }
            for consent in consents
            for client in (clients.get(consent.client_id or "", {}),)
            for use in (uses.get(consent.client_id or "", Use()),)
        ]

    def _to_login(self) -> Response:
        return self._redirect(self._provider.hooks.ask(Plugin.portula_login).login_url(self._url()))

    def _after(self) -> str | None:
        """Return the client behind whose consent the page begins; None for the first page."""
        return request.args.get("after")

    def _url(self, after: str | None = None, **values: str) -> str:
        query = urlencode({**({"after": after} if after else {}), **values})
        return self._provider.url_for(VIEW) + (f"?{query}" if query else "")

    def _redirect(self, location: str) -> Response:
        response = cast("Response", redirect(location, 303))
        response.headers["Cache-Control"] = "no-store"
        return response
