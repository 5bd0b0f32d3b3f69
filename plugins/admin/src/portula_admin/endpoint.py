"""The pages: where each stands, and those of lists, records and actions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response

from portula.plugin import Mount
from portula_admin.cells import Link
from portula_admin.client_views import ClientViews
from portula_admin.clients import ApplicationAdmin
from portula_admin.lists import ListQuery, read_page
from portula_admin.pages import AdminPages
from portula_admin.record_pages import ManagedViews
from portula_admin.settings import AdminSettings
from portula_admin.site import SYSTEM, Site
from portula_admin.system import SystemViews
from portula_admin.walks import WINDOW

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portula import Provider
    from portula.plugin import AuthenticatedUser
    from portula_admin.options import RecordAdmin

PICK = "pick-"
"""What the names of the boxes before rows begin with."""
NEWEST = 5
"""Rows of each list on the first page."""


def make_mount(provider: Provider) -> Mount:
    """Return the pages, below the mount point."""
    path = provider.settings(AdminSettings).ADMIN_PATH
    blueprint = Blueprint("admin", __name__, template_folder="templates", url_prefix=path)
    site = Site(provider)
    records, clients = RecordViews(provider, site), ClientViews(provider, site)
    system = SystemViews(provider, site)

    def rule(path: str, name: str, pages: AdminPages, view: Any, *methods: str) -> None:
        blueprint.add_url_rule(
            path, name, pages.require_admin(view), methods=methods or ("GET",), strict_slashes=False
        )

    rule("/", "overview", records, records.overview)
    rule("/system/", "system", system, system.show)
    rule("/application/add/", "add", clients, clients.add, "GET", "POST")
    rule("/application/edit/", "edit", clients, clients.edit, "GET", "POST")
    rule("/application/secret/", "secret", clients, clients.secret, "POST")
    managed = ManagedViews(provider, site)
    rule("/manage/<slug>/", "managed", managed, managed.records)
    rule("/manage/<slug>/view/", "managed_view", managed, managed.view)
    rule("/manage/<slug>/edit/", "managed_edit", managed, managed.edit, "GET", "POST")
    rule("/manage/<slug>/action/", "managed_act", managed, managed.act, "POST")
    rule("/<slug>/", "records", records, records.records)
    rule("/<slug>/view/", "view", records, records.view)
    rule("/<slug>/action/", "act", records, records.act, "POST")
    return Mount(blueprint, at="mount")


class RecordViews(AdminPages):
    """Lists, single records, and what is done to them."""

    def overview(self, person: AuthenticatedUser) -> Response:
        """Show what there is, and the newest clients and access tokens."""
        visible = self.site.visible(person)
        panels = [
            (admin, self._rows(admin, person, read_page(admin, ListQuery("", ())).records[:NEWEST]))
            for admin in visible
            if admin.slug in ("application", "access-token")
        ]
        return self.page(
            "overview.html",
            person,
            admins=visible,
            managed=self.site.visible_managed(person, of_person=False),
            panels=panels,
            may_see_system=self.site.allows(person, SYSTEM, "view"),
        )

    def records(self, person: AuthenticatedUser, slug: str) -> Response:
        """Show one page of a list."""
        admin = self.site.admins.get(slug)
        if admin is None:
            return self.provider.pages.missing()
        self.require(person, admin, "view")
        given = self.provider.pages.query().to_dict()
        query = ListQuery.read(admin, given)
        page = read_page(admin, query)
        here = {"slug": slug, **query.parameters}
        return self.page(
            "records.html",
            person,
            crumbs=[Link(admin.title_plural, "")],
            admin=admin,
            query=query,
            chips=self._chips(admin, query),
            rows=self._rows(admin, person, page.records),
            looked=page,
            window=WINDOW,
            newer=page.newer and self.url("records", **here, before=page.newer),
            older=page.older and self.url("records", **here, after=page.older),
            actions=self._actions(admin, person),
            form=self.form(f"action {slug}", person),
            may_add=slug == "application" and self.site.allows(person, admin, "add"),
        )

    def view(self, person: AuthenticatedUser, slug: str) -> Response:
        """Show one record."""
        admin = self.site.admins.get(slug)
        if admin is None:
            return self.provider.pages.missing()
        self.require(person, admin, "view")
        record = admin.find(self.provider.pages.query().get("id", ""))
        if record is None:
            return self.provider.pages.missing(f"There is no such {admin.title.lower()}")
        self.require(person, admin, "view", record)
        admin.prepare([record])
        secrets = self.site.uses.last(record) if slug == "application" else None
        return self.page(
            "application.html" if slug == "application" else "record.html",
            person,
            crumbs=[
                Link(admin.title_plural, self.url("records", slug=slug)),
                Link(admin.heading(record), ""),
            ],
            admin=admin,
            record=record,
            identifier=admin.identify(record),
            groups=self._groups(admin, person, record),
            actions=self._actions(admin, person, record),
            form=self.form(f"action {slug}", person),
            secret_form=self.form(f"secret {admin.identify(record)}", person),
            may_change=self.site.allows(person, admin, "change", record),
            secrets=secrets,
            issued=[
                link
                for link in (admin.tokens(record) if isinstance(admin, ApplicationAdmin) else ())
                if self.reachable(person, link) is link
            ],
        )

    def act(self, person: AuthenticatedUser, slug: str) -> Response:
        """Do something to selected records, once it was asked and answered on a page of its own."""
        admin = self.site.admins.get(slug)
        posted = self.provider.pages.posted_form()
        form = self.form(f"action {slug}", person, posted)
        name = posted.get("action", "")
        if admin is None or name not in admin.actions:
            return self.provider.pages.missing()
        method = getattr(admin, name)
        picked = [key.removeprefix(PICK) for key in posted if key.startswith(PICK)]
        records = [record for record in map(admin.find, picked) if record is not None]
        if not all(self.site.allows(person, admin, method.permission, record) for record in (None, *records)):
            return self.refusal(person)
        if not form.validate():
            return self._confirm_page(person, admin, name, records, form, 400)
        if not records:
            return self.redirect_with_notice(person, "Nothing was selected.", "records", slug=slug)
        if "confirmed" not in posted:
            return self._confirm_page(person, admin, name, records, form, 200)
        return self.redirect_with_notice(person, method(records, person), "records", slug=slug)

    def _confirm_page(
        self,
        person: AuthenticatedUser,
        admin: RecordAdmin,
        name: str,
        records: Sequence[Any],
        form: Any,
        status: int,
    ) -> Response:
        method = getattr(admin, name)
        admin.prepare(records)
        return self.page(
            "confirm.html",
            person,
            status,
            crumbs=[
                Link(admin.title_plural, self.url("records", slug=admin.slug)),
                Link(method.description, ""),
            ],
            admin=admin,
            name=name,
            method=method,
            picked=[(admin.identify(record), admin.heading(record)) for record in records],
            rows=self._rows(admin, person, records),
            form=form,
            fresh=self.form(f"action {admin.slug}", person),
        )

    def _actions(
        self, admin: RecordAdmin, person: AuthenticatedUser, record: Any = None
    ) -> list[tuple[str, Any]]:
        """Return name and method of what this person may do here, to this record if there is one."""
        methods = [(name, getattr(admin, name)) for name in admin.actions]
        return [
            (name, method)
            for name, method in methods
            if self.site.allows(person, admin, method.permission, record)
            and (record is None or admin.offers(name, record))
        ]

    def _rows(
        self, admin: RecordAdmin, person: AuthenticatedUser, records: Sequence[Any]
    ) -> list[dict[str, Any]]:
        admin.prepare(records)
        return [
            {
                "id": (identifier := admin.identify(record)),
                "url": self.url("view", slug=admin.slug, id=identifier),
                "cells": [
                    (name, admin.label(name), self.reachable(person, admin.value(record, name)))
                    for name in admin.list_display
                ],
            }
            for record in records
        ]

    def _groups(
        self, admin: RecordAdmin, person: AuthenticatedUser, record: Any
    ) -> list[tuple[str | None, list[tuple[str, Any]]]]:
        groups = []
        for title, options in admin.fieldsets:
            facts = [
                (admin.label(name), self.reachable(person, admin.value(record, name)))
                for name in options["fields"]
            ]
            groups.append((title, [(label, cell) for label, cell in facts if cell is not None]))
        return [(title, facts) for title, facts in groups if facts]

    def _chips(self, admin: RecordAdmin, query: ListQuery) -> list[tuple[str, str, str]]:
        """Return label, text and the address without it, for each filter that no field of the page shows."""
        chips = []
        for chosen in query.filters:
            if chosen.options or not chosen.value:
                continue
            names = admin.names
            text = {"client_id": names.client, "subject": names.person}.get(chosen.name, str)(chosen.value)
            rest = {name: value for name, value in query.parameters.items() if name != chosen.name}
            chips.append((chosen.label, text, self.url("records", slug=admin.slug, **rest)))
        return chips
