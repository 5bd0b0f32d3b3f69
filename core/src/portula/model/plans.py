"""What an exchange changes: known before it writes, and applied whole or not at all.

A plan holds nothing open. It is filled while a request is judged, and given to `Storage.apply` once nothing is left
that may fail.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

R = TypeVar("R")

Condition = str | int | bool | None | tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Take:
    """Use a record once: set `taken_at` where it is unset; else the plan fails with Replayed."""

    record: Any
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Change one record, which must be there and be as `given` says; else the plan fails with Conflict."""

    record: Any
    given: Mapping[str, Condition]
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeAll:
    """Change every record that matches, however many there are."""

    cls: type[Any]
    where: Mapping[str, Condition]
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Delete:
    """Delete one record, which must be there; else the plan fails with Conflict."""

    record: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Remove:
    """Delete every record that matches, however many there are."""

    cls: type[Any]
    where: Mapping[str, Condition]


@dataclass(frozen=True, slots=True, kw_only=True)
class Add:
    """Keep a new record; the plan fails with DuplicateRecord when one of its keys is taken."""

    record: Any
    unless_known: bool = False
    """Whether nothing is added, and nothing fails, when a key is taken."""


Part = Take | Change | Delete | ChangeAll | Remove | Add

ORDER: tuple[type[Any], ...] = (Take, Change, Delete, ChangeAll, Remove, Add)
"""In which order the parts of a plan are applied: what may fail comes first, and all plans go the same way."""


@dataclass(eq=False)
class Plan:
    """Parts, in the order in which they were planned; a store applies them in an order of its own."""

    parts: list[Part] = field(default_factory=list)

    def __bool__(self) -> bool:
        """Say whether there is anything to apply."""
        return bool(self.parts)

    def take(self, record: object, *, at: int) -> None:
        """Plan to use a record once, at this Unix second."""
        self.parts.append(Take(record=record, at=at))

    def change(self, record: object, *, given: Mapping[str, Condition] | None = None, **values: Any) -> None:
        """Plan to change one record by its primary key.

        Args:
            record: as it was read.
            given: scalar fields that must still have these values; None for whatever they are now.
            values: fields to set; never the primary key.
        """
        for place, part in enumerate(self.parts):
            if isinstance(part, Change) and part.record is record:
                merged = {**part.given, **(given or {})}
                self.parts[place] = Change(record=record, given=merged, values={**part.values, **values})
                return
        self.parts.append(Change(record=record, given=dict(given or {}), values=values))

    def change_all(self, cls: type[Any], where: Mapping[str, Condition], **values: Any) -> int:
        """Plan to change every record that matches (see `Store.change`); return the place of its count."""
        self.parts.append(ChangeAll(cls=cls, where=dict(where), values=values))
        return len(self.parts) - 1

    def remove(self, cls: type[Any], **where: Condition) -> int:
        """Plan to delete every record that matches (see `Store.remove`); return the place of its count."""
        self.parts.append(Remove(cls=cls, where=where))
        return len(self.parts) - 1

    def delete(self, record: object) -> None:
        """Plan to delete one record by its primary key."""
        self.parts.append(Delete(record=record))

    def add(self, record: object, *, unless_known: bool = False) -> None:
        """Plan to keep a new record; with `unless_known` only if none of its keys is taken."""
        self.parts.append(Add(record=record, unless_known=unless_known))

    def extend(self, records: Iterable[object] | None) -> None:
        """Plan to keep what an outbox hook returns: new records, or parts of a plan; None for nothing."""
        for record in records or ():
            self.parts.append(record if isinstance(record, ORDER) else Add(record=record))

    def added(self, cls: type[R]) -> list[R]:
        """Return the records of a class that the plan adds."""
        return [part.record for part in self.parts if isinstance(part, Add) and isinstance(part.record, cls)]

    def replace(self, record: object, other: object) -> None:
        """Add another record in place of one that the plan adds."""
        for place, part in enumerate(self.parts):
            if isinstance(part, Add) and part.record is record:
                self.parts[place] = Add(record=other, unless_known=part.unless_known)


def added(*records: object) -> Plan:
    """Return a plan that keeps new records and nothing else."""
    plan = Plan()
    plan.extend(records)
    return plan
