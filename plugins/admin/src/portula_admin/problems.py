"""Checks of admin classes at start, so that a misspelt column stops the provider and not a page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from portula.plugin import nearest
from portula_admin.options import MAX_PER_PAGE

if TYPE_CHECKING:
    from portula_admin.options import RecordAdmin

BASE_MEMBERS = frozenset(
    {"action", "allows", "find", "heading", "identify", "label", "prepare", "value", "search_values"}
)


def problems(admin: RecordAdmin, editable: Iterable[str]) -> list[str]:
    """Return what is not allowed, each with attribute, value, what is allowed and the nearest name."""
    fields = set(admin.record_type.cls.__dataclass_fields__)
    shown = fields | _methods(admin)
    found = [
        *_unknown("list_display", admin.list_display, shown),
        *_unknown("readonly_fields", admin.readonly_fields, shown | set(editable)),
        *_unknown("fieldsets", _in_fieldsets(admin), shown | set(editable)),
        *_unknown("actions", admin.actions, _actions(admin)),
    ]
    orders = {order[0] for order in admin.record_type.orders if len(order) == 1} | {admin.key}
    disordered = [*_unknown("ordering", admin.ordering, orders | {f"-{name}" for name in orders})]
    if not disordered:  # what can be filtered and searched for depends on it
        found += _unknown("list_filter", admin.list_filter, _filters(admin))
        found += _unknown("search_fields", admin.search_fields, _searches(admin))
    found += disordered
    if len(admin.ordering) > 1:
        found.append(f"ordering: {tuple(admin.ordering)!r} is not allowed: one field orders a list")
    if not 1 <= admin.list_per_page <= MAX_PER_PAGE:
        found.append(f"list_per_page: {admin.list_per_page!r} is not allowed: 1 to {MAX_PER_PAGE}")
    return found


def _unknown(attribute: str, given: object, allowed: Iterable[str]) -> Iterator[str]:
    known = sorted(allowed)
    if isinstance(given, str) or not isinstance(given, Iterable):
        yield f"{attribute}: {given!r} is not allowed: a tuple of names is needed"
        return
    for name in given:
        if name not in known:
            listed = ", ".join(known) or "nothing"
            yield f"{attribute}: {name!r} is not allowed: one of {listed}{nearest(str(name), known)}"


def _in_fieldsets(admin: RecordAdmin) -> list[str]:
    return [name for _, options in admin.fieldsets for name in options.get("fields", ())]


def _members(admin: RecordAdmin) -> Iterator[tuple[str, object]]:
    for name in dir(type(admin)):
        member = getattr(type(admin), name, None)
        if callable(member) and not name.startswith(("_", "has_")) and name not in BASE_MEMBERS:
            yield name, member


def _methods(admin: RecordAdmin) -> set[str]:
    return {name for name, member in _members(admin) if not hasattr(member, "is_action")}


def _actions(admin: RecordAdmin) -> set[str]:
    return {name for name, member in _members(admin) if hasattr(member, "is_action")}


def _filters(admin: RecordAdmin) -> set[str]:
    fields = admin.record_type.cls.__dataclass_fields__
    begun = {name for name, *rest in admin.record_type.orders if rest == [admin.by]}
    flags = {name for name, field in fields.items() if field.type in ("bool", bool)}
    return begun | flags | set(admin.choices) | ({"status"} if admin.statuses else set())


def _searches(admin: RecordAdmin) -> set[str]:
    orders = admin.record_type.orders
    whole = {name for name, *rest in orders if rest == [admin.by]}
    begun = {order[0] for order in orders if len(order) == 1} | {admin.key}
    fields = admin.record_type.cls.__dataclass_fields__
    texts = {name for name in begun if "str" in str(fields[name].type)}
    return {f"={name}" for name in whole} | {f"^{name}" for name in texts}
