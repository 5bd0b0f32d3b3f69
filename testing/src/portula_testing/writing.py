"""Plans of one part each, applied at once: what tests write."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from portula.plugin import Condition, Counts, Plan, plan_to_add


class Writable(Protocol):
    """A store, or the storage of a provider."""

    def apply(self, plan: Plan) -> Counts:
        """See `Store.apply`."""
        ...


def add_to(store: Writable, *records: object) -> None:
    """Keep new records."""
    store.apply(plan_to_add(*records))


def change_in(store: Writable, cls: type[Any], where: Mapping[str, Condition], /, **values: object) -> int:
    """Set fields of every record that matches; return how many."""
    plan = Plan()
    part = plan.change_all(cls, where, **values)
    return store.apply(plan)[part]


def remove_from(store: Writable, cls: type[Any], /, **where: Condition) -> int:
    """Delete every record that matches; return how many."""
    plan = Plan()
    part = plan.remove(cls, **where)
    return store.apply(plan)[part]


def take_from(store: Writable, record: object, at: int) -> None:
    """Use a record once."""
    plan = Plan()
    plan.take(record, at=at)
    store.apply(plan)
