"""Making and editing clients, and their secrets: each is seen once, and two live while one replaces the other."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from flask import Response

from portula import Plugin
from portula.errors import Conflict, DuplicateRecord, InvalidClientMetadata, UnknownClient
from portula.plugin import Application, unknown_scopes
from portula_admin.cells import Link
from portula_admin.forms import apply_form, editable, form_values, make_form, refuse
from portula_admin.pages import (
    CHANGED_MEANWHILE,
    AdminPages,
    ChangedMeanwhile,
    form_state,
    require_unchanged,
)

if TYPE_CHECKING:
    from portula.plugin import AuthenticatedUser
    from portula_admin.forms import ApplicationForm

NEW = Application(
    client_id="",
    client_type="confidential",
    grant_types=("authorization_code",),
    token_endpoint_auth_method=None,
)
"""What the form of a new client begins with."""


class ClientViews(AdminPages):
    """Forms of clients."""

    def add(self, person: AuthenticatedUser) -> Response:
        """Show the form of a new client, or make it and show its secret, the only time."""
        admin = self.site.clients
        self.require(person, admin, "add")
        # The identifier stands in the form already, so that one that is sent twice makes one client only.
        blank = replace(NEW, client_id=self.provider.hooks.ask(Plugin.portula_client_id_generator).hash())
        posted = self._post_data()
        form = make_form(admin, self.context("add", person), posted, blank, new=True)
        if posted is None or not self._is_valid(form, blank):
            return self._form_page(person, form, None, 200 if posted is None else 400)
        hashed = form["hash_client_secret"].data if "hash_client_secret" in form else True
        try:
            client, secret = self.provider.clients.create(apply_form(form, blank), hash_secret=hashed)
        except (InvalidClientMetadata, DuplicateRecord) as error:
            if isinstance(error, DuplicateRecord):
                form.form_errors.append("There is a client with this ID already.")
            else:
                refuse(form, error)
            return self._form_page(person, form, None, 400)
        if secret is None:
            return self.redirect_with_notice(
                person, "The application was created.", "view", slug=admin.slug, id=client.client_id
            )
        return self._secret_page(person, client, secret)

    def edit(self, person: AuthenticatedUser) -> Response:
        """Show the form of a client, or save it."""
        admin = self.site.clients
        self.require(person, admin, "change")
        client_id = self.provider.pages.query().get("id", "")
        client = admin.find(client_id)
        if client is None:
            return self.provider.pages.missing("There is no such application")
        self.require(person, admin, "change", client)
        posted = self._post_data()
        form = make_form(admin, self.context(f"edit {client_id}", person), posted, client)
        if posted is None or not self._is_valid(form, client):
            return self._form_page(person, form, client, 200 if posted is None else 400)

        def change(found: Application) -> Application:
            require_unchanged(posted, form_values(admin, found))
            return apply_form(form, found)

        try:
            self.provider.clients.edit(client_id, change)
        except InvalidClientMetadata as error:
            refuse(form, error)
            return self._form_page(person, form, client, 400)
        except UnknownClient:
            return self.provider.pages.missing("There is no such application")
        except (ChangedMeanwhile, Conflict) as error:
            at_this_moment = "Others change this application at this moment. Please try again."
            form.form_errors.append(
                CHANGED_MEANWHILE if isinstance(error, ChangedMeanwhile) else at_this_moment
            )
            return self._form_page(person, form, admin.find(client_id) or client, 400)
        return self.redirect_with_notice(
            person, "The changes were saved.", "view", slug=admin.slug, id=client_id
        )

    def secret(self, person: AuthenticatedUser) -> Response:
        """Give a client another secret, or take one away, once that was asked and answered."""
        admin, clients = self.site.clients, self.provider.clients
        self.require(person, admin, "change")
        client_id = self.provider.pages.query().get("id", "")
        client = admin.find(client_id)
        if client is None:
            return self.provider.pages.missing("There is no such application")
        self.require(person, admin, "change", client)
        posted = self.provider.pages.posted_form()
        here: dict[str, Any] = {"slug": admin.slug, "id": client_id}
        form = self.form(f"secret {client_id}", person, posted)
        removed = posted.get("remove")
        if not form.validate() or (removed and "confirmed" not in posted):
            return self._removal(person, client, removed, form)
        try:
            if removed:
                clients.remove_secret(client_id, removed)
                return self.redirect_with_notice(person, "The secret was removed.", "view", **here)
            changed, secret = clients.add_secret(client_id, hash_secret="readable" not in posted)
        except (Conflict, InvalidClientMetadata, UnknownClient) as error:
            return self.redirect_with_notice(person, f"Nothing was done: {error}.", "view", **here)
        return self._secret_page(person, changed, secret)

    def _post_data(self) -> Any:
        from flask import request

        return self.provider.pages.posted_form() if request.method == "POST" else None

    def _is_valid(self, form: ApplicationForm, client: Application) -> bool:
        """Validate a form, and look at what only the provider can judge."""
        if not form.validate():
            return False
        unknown = unknown_scopes(self.provider, apply_form(form, client).scope or "")
        if unknown and "scope" in form:
            form["scope"].errors = [*form["scope"].errors, f"Nobody knows the scope {unknown[0]!r}."]
        return not unknown

    def _form_page(
        self, person: AuthenticatedUser, form: ApplicationForm, client: Application | None, status: int
    ) -> Response:
        admin = self.site.clients
        own = set(editable(admin, new=client is None))
        groups = []
        for title, options in admin.fieldsets:
            names = [name for name in options["fields"] if name in own]
            if names:
                groups.append((title, options.get("description"), [form[name] for name in names]))
        heading = admin.heading(client) if client else "New application"
        crumbs = [Link(admin.title_plural, self.url("records", slug=admin.slug))]
        if client:
            crumbs.append(Link(heading, self.url("view", slug=admin.slug, id=client.client_id)))
        crumbs.append(Link("Edit" if client else heading, ""))
        return self.page(
            "form.html",
            person,
            status,
            crumbs=crumbs,
            form=form,
            groups=groups,
            client=client,
            heading=heading,
            form_state=form_state(form_values(admin, client)) if client else None,
        )

    def _secret_page(self, person: AuthenticatedUser, client: Application, secret: str) -> Response:
        admin = self.site.clients
        crumbs = [
            Link(admin.title_plural, self.url("records", slug=admin.slug)),
            Link(admin.heading(client), self.url("view", slug=admin.slug, id=client.client_id)),
            Link("Secret", ""),
        ]
        return self.page(
            "secret.html", person, crumbs=crumbs, client=client, heading=admin.heading(client), secret=secret
        )

    def _removal(
        self, person: AuthenticatedUser, client: Application, removed: str | None, form: Any
    ) -> Response:
        admin = self.site.clients
        crumbs = [
            Link(admin.title_plural, self.url("records", slug=admin.slug)),
            Link(admin.heading(client), self.url("view", slug=admin.slug, id=client.client_id)),
            Link("Secrets", ""),
        ]
        return self.page(
            "remove_secret.html",
            person,
            400 if form.errors else 200,
            crumbs=crumbs,
            client=client,
            heading=admin.heading(client),
            removed=removed,
            used=self.site.uses.last(client).get(removed or ""),
            form=form,
            fresh=self.form(f"secret {client.client_id}", person),
        )
