"""What an exchange changes, known before it writes: parts of a plan, and the form in which a store applies them.

No SQL, no Flask. `Storage.apply` applies a plan whole or not at all; what each part does is said at its method here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from types import MappingProxyType
from typing import Any, TypeVar, cast

from portula.model.errors import Conflict, RecordReplayed, nearest
from portula.model.records import RecordType

R = TypeVar("R")

Scalar = str | int | bool | None

Condition = str | int | bool | None | tuple[str, ...]

NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Take:
    """Uses a record once."""

    record: object
    at: int
    given: Mapping[str, Scalar]


@dataclass(frozen=True, slots=True, kw_only=True)
class Require:
    """Demands fields of a record, and changes nothing of it."""

    record: object
    given: Mapping[str, Scalar]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Sets fields of one record."""

    cls: type[Any]
    record: object | None
    """The record, as it was read; None where `key` names it."""
    key: str | None
    given: Mapping[str, Scalar]
    values: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ChangeAll:
    """Sets fields of every record that matches."""

    cls: type[Any]
    where: Mapping[str, Condition]
    values: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Remove:
    """Deletes every record that matches."""

    cls: type[Any]
    where: Mapping[str, Condition]


@dataclass(frozen=True, slots=True, kw_only=True)
class Add:
    """Keeps a new record."""

    record: object
    unless_known: bool = False
    """Whether nothing is added, and nothing fails, when one of its keys is taken."""


PlanPart = Take | Require | Change | ChangeAll | Remove | Add

Counts = Mapping[ChangeAll | Remove, int]
"""How many records each part met that may meet any number."""


class Plan:
    """A list of changes that are applied together.

    In whatever order they are written down, they take effect in this one: what is taken, required and changed, each
    record by itself and under its conditions; `change_all`; `remove`; `add`. So nothing that a plan adds is met by its
    own `change_all` and `remove`, and a record may make place for another of the same key.

    A plan is a value: nothing is read or written before it is applied, and it may be applied again after it failed.
    """

    __slots__ = ("parts",)

    def __init__(self) -> None:
        """Begin with nothing."""
        self.parts: list[PlanPart] = []

    def __bool__(self) -> bool:
        """Say whether there is anything to apply."""
        return bool(self.parts)

    def take(self, record: object, *, at: int) -> None:
        """Use a record once: set taken_at where it is unset (RFC 6749 §4.1.2, RFC 9700 §4.14.2).

        Applying fails with RecordReplayed where it is set: it carries the record as it stands, or the one given when it
        is gone.
        """
        self.parts.append(Take(record=record, at=at, given=NOTHING))

    def require(self, record: object, /, **given: Scalar) -> None:
        """Let the plan be applied only while fields of a record are as given; nothing of the record changes.

        Applying fails with Conflict, which carries the record as it stands, where one is not, and where the record is
        gone. Who changes the record at the same moment is not held up, and comes before or after the whole plan.
        """
        self.parts.append(Require(record=record, given=given))

    def change(
        self,
        subject: object,
        key: str | None = None,
        /,
        *,
        given: Mapping[str, Scalar] = NOTHING,
        **values: object,
    ) -> None:
        """Set fields of one record: of this one, or of that with this primary key if `subject` is a class.

        Applying fails with Conflict, which carries the record as it stands, where a field is not as `given`, and where
        the record is gone. The primary key cannot be set.
        """
        if isinstance(subject, type):
            if key is None:
                raise TypeError(f"say which {subject.__name__}: give its primary key")
            part = Change(cls=subject, record=None, key=key, given=given, values=values)
        else:
            part = Change(cls=type(subject), record=subject, key=None, given=given, values=values)
        self.parts.append(part)

    def change_all(self, cls: type[Any], where: Mapping[str, Condition], /, **values: object) -> ChangeAll:
        """Set fields of every record that matches, if any.

        At least one condition is a key or an index; beside it any scalar field may be compared, e.g. `revoked_at=None`.
        The primary key cannot be set; setting another key to a taken value lets applying fail with DuplicateRecord.

        Returns:
            The part, to look up in what `apply` returns how many they were.
        """
        part = ChangeAll(cls=cls, where=where, values=values)
        self.parts.append(part)
        return part

    def remove(self, cls: type[Any], /, **where: Condition) -> Remove:
        """Delete every record that matches, if any; otherwise as `change_all`."""
        part = Remove(cls=cls, where=where)
        self.parts.append(part)
        return part

    def add(self, record: object, *, unless_known: bool = False) -> None:
        """Keep a new record; applying fails with DuplicateRecord when one of its keys is taken.

        With `unless_known` nothing is added then, and nothing fails.
        """
        self.parts.append(Add(record=record, unless_known=unless_known))

    def extend(self, more: Plan | Iterable[object] | None) -> None:
        """Put another plan behind what is planned, or parts of one, or records to be added; None for nothing."""
        parts = more.parts if isinstance(more, Plan) else more or ()
        self.parts += [part if isinstance(part, PlanPart) else Add(record=part) for part in parts]

    def replace(self, record: object, other: object) -> None:
        """Add another record in place of one that is planned."""
        self.parts = [
            replace(part, record=other) if isinstance(part, Add) and part.record is record else part
            for part in self.parts
        ]

    def additions(self, cls: type[R]) -> list[R]:
        """Return the records of this class that the plan adds, as they were given."""
        return [part.record for part in self.parts if isinstance(part, Add) and isinstance(part.record, cls)]


# --- The form in which a store applies a plan ---


@dataclass(frozen=True, slots=True, kw_only=True)
class RowChange:
    """Sets fields of the record with this primary key, if all its fields are as given; without values it sets none."""

    kind: RecordType
    key: str
    given: Mapping[str, Scalar]
    values: Mapping[str, object]
    taken: object | None = None
    """The record to take, as it was read, if that is what the change does."""

    @property
    def where(self) -> dict[str, Condition]:
        """The conditions, those of the primary key among them."""
        return {self.kind.keys[0]: self.key, **self.given}

    @property
    def identity(self) -> dict[str, Condition]:
        """What tells the record from all others: its primary key, and its realm where there are realms."""
        realm = {"realm": self.given["realm"]} if self.kind.in_realm and "realm" in self.given else {}
        return {self.kind.keys[0]: self.key, **realm}

    def failure(self, found: object | None) -> RecordReplayed | Conflict | None:
        """Return why the change would meet nothing, the record being found like this; None where it would."""
        if self.taken is not None:
            if found is None:
                return RecordReplayed(self.taken)
            if cast("Any", found).taken_at is not None:
                return RecordReplayed(found)
        if found is None or any(getattr(found, name) != value for name, value in self.given.items()):
            return Conflict(self.kind.cls, found)
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Writes:
    """A plan in the order in which a store applies it.

    What changes one record comes by table and primary key, so that no two plans wait for each other; two changes of one
    record are one, since a single statement of SQL cannot write a row twice.
    """

    changes: tuple[RowChange, ...]
    all_changes: tuple[ChangeAll, ...]
    removals: tuple[Remove, ...]
    additions: tuple[Add, ...]
    """What is added, in the order of the plan."""

    @classmethod
    def of(cls, plan: Plan, kinds: Mapping[type[Any], RecordType]) -> Writes:
        """Merge and order the parts of a plan.

        Raises:
            ValueError: two parts contradict each other; the message names the field, never a value.
        """
        changes: dict[tuple[str, str], RowChange] = {}
        additions: list[Add] = []
        places: dict[tuple[str, str], int] = {}
        for part in plan.parts:
            if isinstance(part, Add):
                kind = kinds[type(part.record)]
                places[kind.name, getattr(part.record, kind.keys[0])] = len(additions)
                additions.append(part)
            elif isinstance(part, Take | Require | Change):
                change = _row_change(part, kinds)
                row = (change.kind.name, change.key)
                if row in places:
                    added = additions[places[row]]
                    additions[places[row]] = replace(added, record=_apply_change(added.record, change))
                else:
                    changes[row] = _merge(changes[row], change) if row in changes else change
        named = [part for part in plan.parts if isinstance(part, ChangeAll)]
        return cls(
            changes=tuple(changes[row] for row in sorted(changes)),
            all_changes=tuple(sorted(named, key=lambda part: kinds[part.cls].name)),
            removals=tuple(part for part in plan.parts if isinstance(part, Remove)),
            additions=tuple(additions),
        )

    def failure(self, find: Callable[[RowChange], object | None]) -> RecordReplayed | Conflict | None:
        """Return why the plan failed, by what its records are like now; None if nothing stands against it any more.

        A record that was used before is told first, whatever else failed: it may be stolen (RFC 9700 §4.14.2).

        Args:
            find: reads the record that a change is about, in a statement of its own.
        """
        failures = [change.failure(find(change)) for change in self.changes]
        found = [failure for failure in failures if failure is not None]
        return next(
            (failure for failure in found if isinstance(failure, RecordReplayed)), next(iter(found), None)
        )


def _row_change(part: Take | Require | Change, kinds: Mapping[type[Any], RecordType]) -> RowChange:
    if isinstance(part, Require):
        kind = kinds[type(part.record)]
        _check_given(kind, part.given)
        key = getattr(part.record, kind.keys[0])
        return RowChange(kind=kind, key=key, given=part.given, values=NOTHING)
    if isinstance(part, Take):
        kind = kinds[type(part.record)]
        return RowChange(
            kind=kind,
            key=getattr(part.record, kind.keys[0]),
            given={**part.given, "taken_at": None},
            values={"taken_at": part.at},
            taken=part.record,
        )
    kind = kinds[part.cls]
    _check_given(kind, part.given)
    if not part.values:
        raise ValueError(f"{kind.name}.{kind.keys[0]} never changes; name other fields to set")
    key = part.key if part.record is None else getattr(part.record, kind.keys[0])
    return RowChange(kind=kind, key=cast("str", key), given=part.given, values=part.values)


def _check_given(kind: RecordType, given: Mapping[str, Scalar]) -> None:
    for name, value in given.items():
        if name == kind.keys[0] or isinstance(value, tuple):
            raise ValueError(
                f"{kind.name}.{name}: `given` names other fields than the key, each with one value"
            )


def _merge(first: RowChange, then: RowChange) -> RowChange:
    """Make one change of two, the second of which meets what the first leaves."""
    given = dict(first.given)
    for name, value in then.given.items():
        before = first.values[name] if name in first.values else given.setdefault(name, value)
        if before != value:
            raise _contradiction(first.kind, name)
    taken = then.taken if first.taken is None else first.taken
    return replace(first, given=given, values={**first.values, **then.values}, taken=taken)


def _apply_change(record: object, change: RowChange) -> object:
    """Return a record to be added as a later part of the plan leaves it."""
    names = {field.name for field in fields(cast("Any", record))}
    for name in (*change.given, *change.values):
        if name not in names:
            raise ValueError(f"{change.kind.name} has no field {name!r}{nearest(name, names)}")
    for name, value in change.given.items():
        if getattr(record, name) != value:
            raise _contradiction(change.kind, name)
    if change.kind.keys[0] in change.values:
        raise ValueError(f"{change.kind.name}.{change.kind.keys[0]} never changes")
    return replace(cast("Any", record), **change.values)


def _contradiction(kind: RecordType, name: str) -> ValueError:
    return ValueError(f"{kind.name}.{name}: a part of the plan contradicts what an earlier one leaves there")


def plan_to_add(*records: object) -> Plan:
    """Return a plan that keeps new records and nothing else."""
    plan = Plan()
    plan.extend(records)
    return plan
