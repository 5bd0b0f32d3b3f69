"""Pages of the records that rooms contribute: lists, single records, forms, and what is done to one."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from flask import Response, request

from portula.errors import AdminRefused
from portula_admin.cells import Cell, Link, cell_of
from portula_admin.names import Names
from portula_admin.pages import (
    CHANGED_MEANWHILE,
    AdminPages,
    ChangedMeanwhile,
    form_state,
    require_unchanged,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from portula.plugin import AdminAction, AdminRecords, AdminResult, AuthenticatedUser, PageForm

PER_PAGE = 25
ON_PERSON = 10
"""Records of each kind that the page of a person lists; further ones have pages of their own."""
LABELS = {
    "amr": "Signed in by",
    "auth_time": "Signed in",
    "sid": "Session ID",
    "sub": "Subject",
}
"""What facts are called whose names are members of tokens (OpenID Connect Core §2)."""

Table = list[tuple[str, list[tuple[str, Cell]]]]
"""For each row of a list its address, and heading and cell of each column."""


class ManagedViews(AdminPages):
    """Views of kinds of records that `portula_admin_records` contributes."""

    def records(self, person: AuthenticatedUser, slug: str) -> Response:
        """Show a page of a list, or lead to the record that was searched for; what belongs to people is of one."""
        kind, query = self.site.managed.get(slug), self.provider.pages.query()
        subject = query.get("subject") if kind is not None and kind.of_person else None
        if kind is None or (kind.of_person and not subject):
            return self.provider.pages.missing()
        self.require(person, kind, "view")
        wanted = "" if kind.of_person else query.get("q", "").strip()
        found = kind.find(wanted) if wanted else None
        if found is not None:
            return self.redirect(self.url("managed_view", slug=slug, id=found["id"]))
        after = query.get("after") or None
        table, older = self._part(kind, subject, PER_PAGE, after)
        return self.page(
            "managed_list.html",
            person,
            crumbs=[*(self._way_to(person, subject) if subject else []), Link(kind.title_plural, "")],
            kind=kind,
            may_add=kind.form is not None and self.site.allows(person, kind, "add"),
            wanted=wanted,
            table=table,
            first=after and self.url("managed", slug=slug, subject=subject),
            older=older,
        )

    def view(self, person: AuthenticatedUser, slug: str) -> Response:
        """Show one record, and on that of a person what belongs to the person."""
        kind, facts = self._look_up(person, slug)
        if kind is None or facts is None:
            return self.provider.pages.missing("There is no such record")
        self.require(person, kind, "view", facts)
        subject = kind.subject(facts)
        below = [] if subject is None else self.site.visible_managed(person, of_person=True)
        return self.page(
            "managed.html",
            person,
            crumbs=[*self._crumbs(person, kind, facts), Link(self._heading(kind, facts), "")],
            kind=kind,
            facts=[(_label(kind, name), _cell(name, value)) for name, value in facts.items() if name != "id"],
            heading=self._heading(kind, facts),
            identifier=facts["id"],
            may_change=kind.edits and self.site.allows(person, kind, "change", facts),
            actions=[
                action for action in kind.actions(facts) if self.site.allows(person, kind, action.name, facts)
            ],
            form=self.form(f"managed {slug} {facts['id']}", person),
            below=[(other, *self._part(other, subject, ON_PERSON)) for other in below],
        )

    def act(self, person: AuthenticatedUser, slug: str) -> Response:
        """Do something to a record, once it was asked and answered on a page of its own."""
        posted = self.provider.pages.posted_form()
        kind, facts = self._look_up(person, slug, posted.get("id", ""))
        offered = {} if kind is None or facts is None else {each.name: each for each in kind.actions(facts)}
        action = offered.get(posted.get("action", ""))
        if kind is None or facts is None or action is None:
            return self.provider.pages.missing("There is no such record, or nothing to do to it")
        self.require(person, kind, action.name, facts)
        purpose = f"managed {slug} {facts['id']}"
        form = self.form(purpose, person, posted)
        if not form.validate() or "confirmed" not in posted:
            return self._confirm_page(person, kind, facts, action, form)
        try:
            result = kind.act(action.name, facts)
        except AdminRefused as error:
            return self.redirect_with_notice(
                person, f"Nothing was done: {error}", "managed_view", slug=slug, id=facts["id"]
            )
        return self._answer(person, kind, result, facts)

    def edit(self, person: AuthenticatedUser, slug: str) -> Response:
        """Show the form of a record, or of a new one where none is named; or save it."""
        identifier = self.provider.pages.query().get("id")
        kind, facts = self._look_up(person, slug)
        allowed = kind is not None and kind.form is not None and (identifier is None or kind.edits)
        if kind is None or kind.form is None or not allowed or (identifier is not None and facts is None):
            return self.provider.pages.missing("There is no such record")
        self.require(person, kind, "add" if facts is None else "change", facts)
        posted = self.provider.pages.posted_form() if request.method == "POST" else None
        context = self.context(f"managed form {slug} {identifier}", person)
        data = kind.form_data(facts) if posted is None else {}
        form = kind.form(self.provider.pages, context, posted, **data)
        if posted is not None and form.validate():
            try:
                require_unchanged(posted, _form_values(kind, facts))
                return self._answer(person, kind, kind.save(facts, form), facts)
            except AdminRefused as error:
                form.form_errors.append(str(error))
            except ChangedMeanwhile:
                form.form_errors.append(CHANGED_MEANWHILE)
        return self._form_page(person, kind, facts, form, 200 if posted is None else 400)

    def _form_page(
        self,
        person: AuthenticatedUser,
        kind: AdminRecords,
        facts: Mapping[str, Any] | None,
        form: PageForm,
        status: int,
    ) -> Response:
        heading = f"New {kind.title.lower()}" if facts is None else self._heading(kind, facts)
        return self.page(
            "managed_form.html",
            person,
            status,
            crumbs=[*self._crumbs(person, kind, facts), Link(heading, "")],
            form=form,
            form_state=None if facts is None else form_state(_form_values(kind, facts)),
            heading=heading,
            back=self.url("managed", slug=kind.slug)
            if facts is None
            else self.url("managed_view", slug=kind.slug, id=facts["id"]),
        )

    def _confirm_page(
        self,
        person: AuthenticatedUser,
        kind: AdminRecords,
        facts: Mapping[str, Any],
        action: AdminAction,
        form: PageForm,
    ) -> Response:
        return self.page(
            "managed_confirm.html",
            person,
            400 if form.errors else 200,
            crumbs=[*self._crumbs(person, kind, facts), Link(action.description, "")],
            kind=kind,
            heading=self._heading(kind, facts),
            identifier=facts["id"],
            action=action,
            form=form,
            fresh=self.form(f"managed {kind.slug} {facts['id']}", person),
        )

    def _answer(
        self,
        person: AuthenticatedUser,
        kind: AdminRecords,
        result: AdminResult,
        facts: Mapping[str, Any] | None,
    ) -> Response:
        """Say what was done; what is shown once stands on a page of its own, and in no address."""
        slug, identifier = kind.slug, result.identifier
        if identifier is None and kind.of_person and facts is not None:
            slug, identifier = self._owner(person, facts["subject"]) or (slug, None)
        if result.secret is not None:
            back = self.url("managed", slug=slug)
            if identifier is not None:
                back = self.url("managed_view", slug=slug, id=identifier)
            return self.page(
                "managed_secret.html",
                person,
                crumbs=self._crumbs(person, kind, facts),
                result=result,
                back=back,
            )
        if identifier is not None:
            return self.redirect_with_notice(person, result.text, "managed_view", slug=slug, id=identifier)
        if kind.of_person:
            return self.redirect_with_notice(person, result.text, "overview")
        return self.redirect_with_notice(person, result.text, "managed", slug=slug)

    def _owner(self, person: AuthenticatedUser, subject: str) -> tuple[str, str] | None:
        """Return kind and identifier of whom a subject means, if people are among what the person may see."""
        for kind in self.site.visible_managed(person, of_person=False):
            found = kind.find(subject)
            is_theirs = found is not None and kind.subject(found) == subject
            if found is not None and is_theirs and self.site.allows(person, kind, "view", found):
                return kind.slug, found["id"]
        return None

    def _look_up(
        self, person: AuthenticatedUser, slug: str, identifier: str | None = None
    ) -> tuple[AdminRecords | None, Mapping[str, Any] | None]:
        """Return a kind and one of its records, which who may not look at the kind cannot even miss."""
        kind = self.site.managed.get(slug)
        if kind is not None:
            self.require(person, kind, "view")
        named = self.provider.pages.query().get("id", "") if identifier is None else identifier
        return kind, kind.find(named) if kind is not None and named else None

    def _crumbs(
        self, person: AuthenticatedUser, kind: AdminRecords, facts: Mapping[str, Any] | None
    ) -> list[Link]:
        if not kind.of_person:
            return [Link(kind.title_plural, self.url("managed", slug=kind.slug))]
        return [] if facts is None else self._way_to(person, facts["subject"])

    def _way_to(self, person: AuthenticatedUser, subject: str) -> list[Link]:
        """Return the crumbs of whom a subject means, if people are among what the person may see."""
        owner = self._owner(person, subject)
        if owner is None:
            return []
        slug, identifier = owner
        name = Names.of_request(self.provider).person(identifier)
        return [
            Link(self.site.managed[slug].title_plural, self.url("managed", slug=slug)),
            Link(name, self.url("managed_view", slug=slug, id=identifier)),
        ]

    def _heading(self, kind: AdminRecords, facts: Mapping[str, Any]) -> str:
        return str(facts[next(iter(kind.columns))])

    def _part(
        self, kind: AdminRecords, subject: str | None, size: int, after: str | None = None
    ) -> tuple[Table, str | None]:
        """Return a part of a list, and the address of the next page if there is more."""
        rows = kind.page(limit=size + 1, after=after, subject=subject)
        older = None
        if len(rows) > size:
            older = self.url("managed", slug=kind.slug, subject=subject, after=rows[size - 1]["id"])
        return self._table(kind, rows[:size]), older

    def _table(self, kind: AdminRecords, rows: Sequence[Mapping[str, Any]]) -> Table:
        return [
            (
                self.url("managed_view", slug=kind.slug, id=row["id"]),
                [(heading, _cell(name, row[name])) for name, heading in kind.columns.items()],
            )
            for row in rows
        ]


def _form_values(kind: AdminRecords, facts: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return what the form of a record is filled in with; of what else is known of it a form says nothing."""
    known = kind.form_data(facts)
    return {
        name: value for name, value in known.items() if kind.form is not None and hasattr(kind.form, name)
    }


def _cell(name: str, value: object) -> Cell:
    if isinstance(value, dict):
        return json.dumps(value) if value else None
    return cell_of(name, tuple(value) if isinstance(value, list) else value)


def _label(kind: AdminRecords, name: str) -> str:
    words = name.replace("_", " ").capitalize().removesuffix(" at")
    return kind.columns.get(name) or LABELS.get(name) or re.sub(r" id$", " ID", words)
