"""A store in memory: the reference the other stores are compared with, and what tests run on."""

from __future__ import annotations

import dataclasses
import json
import threading
from collections.abc import Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from operator import attrgetter
from typing import Any, TypeVar, cast, get_args, get_origin, get_type_hints

from portula.errors import Conflict, DuplicateRecord
from portula.plugin import (
    ChangeAll,
    Condition,
    Counts,
    Cursor,
    Plan,
    RecordType,
    Remove,
    RowChange,
    Writes,
    nearest,
)

R = TypeVar("R")

MAX_LENGTH = 255
"""Characters a str field holds unless its record type lists it under `text`."""


class _Unmet(Exception):
    """Ends a plan in which the condition of a change does not hold."""

    def __init__(self, change: RowChange) -> None:
        """Keep the change."""
        self.change = change


class _Local(threading.local):
    """What the plan of one thread has changed so far, None for what it deleted."""

    writing: bool = False

    def __init__(self) -> None:
        self.changes: dict[type[Any], dict[Any, Any]] = {}


class MemoryStore:
    """Keeps records in dictionaries of this process, as strictly as a database.

    Plans take turns. Readers see what was put in place; the thread that writes also sees its own changes, which are put
    in place at the end of its plan.
    """

    def __init__(self, records: Sequence[RecordType]) -> None:
        """Start empty.

        Args:
            records: types to keep.
        """
        self._types: dict[type[Any], RecordType] = {}
        self._fields: dict[type[Any], frozenset[str]] = {}
        self._compound: dict[type[Any], frozenset[str]] = {}
        self._texts: dict[type[Any], frozenset[str]] = {}
        self._rows: dict[type[Any], dict[Any, Any]] = {}
        self.admit(records)
        self._writing = threading.Lock()
        self._placing = threading.Lock()
        self._local = _Local()

    def admit(self, records: Sequence[RecordType]) -> None:
        """Keep records of these types too; those kept already stay as they are."""
        for record in records:
            if record.cls not in self._types:
                self._fields[record.cls] = frozenset(field.name for field in dataclasses.fields(record.cls))
                self._compound[record.cls] = frozenset(_fields_of(record.cls, tuple, dict))
                self._texts[record.cls] = frozenset(_fields_of(record.cls, str))
                self._rows[record.cls] = {}
                self._types[record.cls] = record

    def find(self, cls: type[R], /, **keys: Condition) -> R | None:
        """See Store.find."""
        kind = self._types[cls]
        self._check_searchable(cls, keys)
        if keys.keys().isdisjoint(kind.keys):
            raise ValueError(f"{kind.name}: find needs one of {', '.join(kind.keys)}")
        found = self._matching(cls, keys)
        return _copy(found[0]) if found else None

    def select(
        self, cls: type[R], /, *, limit: int = 100, after: str | None = None, **where: Condition
    ) -> list[R]:
        """See Store.select."""
        self._check_searchable(cls, where)
        key = attrgetter(self._types[cls].keys[0])
        found = [row for row in self._matching(cls, where) if after is None or key(row) > after]
        return [_copy(row) for row in sorted(found, key=key)[:limit]]

    def walk(
        self,
        cls: type[R],
        by: str,
        /,
        *,
        descending: bool = False,
        limit: int = 100,
        after: Cursor | None = None,
        prefix: str = "",
        **where: str | int | bool | None,
    ) -> list[R]:
        """See Store.walk."""
        kind = self._types[cls]
        kind.check_order(by, where)
        if prefix and by not in self._texts[cls]:
            raise ValueError(f"{kind.name}.{by} is no text that could have a prefix")
        place = attrgetter(by, kind.keys[0])
        found = [
            row
            for row in self._matching(cls, where)
            if (value := getattr(row, by)) is not None
            and (after is None or (place(row) < after if descending else place(row) > after))
            and (not prefix or value.startswith(prefix))
        ]
        return [_copy(row) for row in sorted(found, key=place, reverse=descending)[:limit]]

    def apply(self, plan: Plan) -> Counts:
        """See Store.apply."""
        writes = Writes.of(plan, self._types)
        self._check_writes(writes)
        failure: Exception
        try:
            with self._write():
                return self._apply_all(writes)
        except _Unmet as unmet:
            failure = writes.failure(self._reread) or Conflict(
                unmet.change.kind.cls, self._reread(unmet.change)
            )
        except DuplicateRecord as duplicate:
            failure = writes.failure(self._reread) or duplicate
        raise failure

    def _apply_all(self, writes: Writes) -> Counts:
        """Write part by part; return how many records each met that may meet any number."""
        for change in writes.changes:
            if not self._change(change.kind.cls, change.where, change.values):
                raise _Unmet(change)
        counts: dict[ChangeAll | Remove, int] = {}
        for part in writes.all_changes:
            counts[part] = self._change(part.cls, part.where, part.values)
        for removal in writes.removals:
            rows = self._matching(removal.cls, removal.where)
            self._drop(removal.cls, rows)
            counts[removal] = len(rows)
        for addition in writes.additions:
            if self._is_known(addition.record):
                if not addition.unless_known:
                    raise _duplicate(type(addition.record))
            else:
                self._put(type(addition.record), addition.record)
        return counts

    def _change(self, cls: type[Any], where: Mapping[str, Condition], values: Mapping[str, Any]) -> int:
        rows = self._matching(cls, where)
        for key in values.keys() & set(self._types[cls].keys):
            holders = self._matching(cls, {key: values[key], **(self._realm_of(rows[0]) if rows else {})})
            if (
                values[key] is not None
                and rows
                and (len(rows) > 1 or any(row is not rows[0] for row in holders))
            ):
                raise _duplicate(cls)
        for row in rows:
            self._put(cls, dataclasses.replace(row, **values))
        return len(rows)

    def _is_known(self, record: Any) -> bool:
        """Say whether one of its keys is taken."""
        given = {key: getattr(record, key) for key in self._types[type(record)].keys}
        realm = self._realm_of(record)
        return any(
            self._matching(type(record), {key: value, **realm})
            for key, value in given.items()
            if value is not None
        )

    def _realm_of(self, record: Any) -> dict[str, str]:
        """Return the condition that keys are unique under."""
        return {"realm": record.realm} if self._types[type(record)].in_realm else {}

    def _identity(self, record: Any) -> object:
        """Return what tells a record from all others of its class."""
        kind = self._types[type(record)]
        key = getattr(record, kind.keys[0])
        return (record.realm, key) if kind.in_realm else key

    def _reread(self, change: RowChange) -> Any:
        return self.find(change.kind.cls, **change.identity)

    def purge(self, cls: type[Any], /, *, now: int, limit: int, realm: str | None = None) -> int:
        """See Store.purge."""
        if not self.count_expired(cls, now=now, limit=1, realm=realm):
            return 0
        with self._write():
            rows = self._expired_records(cls, now, realm)[:limit]
            self._drop(cls, rows)
        return len(rows)

    def count_expired(self, cls: type[Any], /, *, now: int, limit: int, realm: str | None = None) -> int:
        """See Store.count_expired."""
        return len(self._expired_records(cls, now, realm)[:limit])

    def _expired_records(self, cls: type[Any], now: int, realm: str | None) -> list[Any]:
        expires = self._types[cls].expires
        if expires is None:
            return []
        found = self._matching(cls, {} if realm is None else {"realm": realm})
        rows = [row for row in found if getattr(row, expires) is not None]
        return sorted((row for row in rows if getattr(row, expires) < now), key=attrgetter(expires))

    @contextmanager
    def _write(self) -> Iterator[None]:
        """Let one plan in at a time, and put in place what it wrote unless it fails."""
        self._begin()
        try:
            yield
            self._place()
        finally:
            self._end()

    def _begin(self) -> None:
        self._writing.acquire()
        self._local.writing = True

    def _place(self) -> None:
        with self._placing:
            for cls, changes in self._local.changes.items():
                rows = self._rows[cls]
                for key, row in changes.items():
                    if row is None:
                        rows.pop(key, None)
                    else:
                        rows[key] = row

    def _end(self) -> None:
        self._local.changes.clear()
        self._local.writing = False
        self._writing.release()

    def _get(self, cls: type[Any], key: object) -> Any:
        changes = self._local.changes.get(cls, {})
        return changes[key] if key in changes else self._rows[cls].get(key)

    def _put(self, cls: type[Any], row: object) -> None:
        self._local.changes.setdefault(cls, {})[self._identity(row)] = _copy(row)

    def _drop(self, cls: type[Any], rows: Sequence[object]) -> None:
        for row in rows:
            self._local.changes.setdefault(cls, {})[self._identity(row)] = None

    def _rows_seen(self, cls: type[Any]) -> list[Any]:
        with self._placing:
            seen = {**self._rows[cls], **self._local.changes.get(cls, {})}
        return [row for row in seen.values() if row is not None]

    def _matching(self, cls: type[Any], where: Mapping[str, Condition]) -> list[Any]:
        kind = self._types[cls]
        key = where.get(kind.keys[0])
        identity = (where.get("realm"), key) if kind.in_realm else key
        is_one = isinstance(key, str) and (not kind.in_realm or "realm" in where)
        rows = [self._get(cls, identity)] if is_one else self._rows_seen(cls)
        return [
            row
            for row in rows
            if row is not None
            and all(
                getattr(row, name) in value if isinstance(value, tuple) else getattr(row, name) == value
                for name, value in where.items()
            )
        ]

    def _check_searchable(self, cls: type[Any], where: Mapping[str, Condition]) -> None:
        kind = self._types[cls]
        self._check_known(cls, where)
        for name in where:
            if name not in (*kind.keys, *kind.indexes) and not (name == "realm" and kind.in_realm):
                raise ValueError(f"{kind.name}.{name} is neither a key nor an index")

    def _check_anchored(self, cls: type[Any], where: Mapping[str, Condition]) -> None:
        kind = self._types[cls]
        self._check_known(cls, where)
        for name in where:
            if name in self._compound[cls]:
                raise ValueError(f"{kind.name}.{name} cannot be compared")
        if where.keys().isdisjoint((*kind.keys, *kind.indexes)):
            raise ValueError(f"{kind.name}: {', '.join(where) or 'no condition'}: none is a key or an index")

    def _check_change(
        self, cls: type[Any], where: Mapping[str, Condition], values: Mapping[str, object]
    ) -> None:
        self._check_anchored(cls, where)
        self._check_values(cls, values)
        key = self._types[cls].keys[0]
        if key in values or not values:
            raise ValueError(f"{self._types[cls].name}.{key} never changes; name other fields to set")

    def _check_writes(self, writes: Writes) -> None:
        for change in writes.changes:
            self._check_anchored(change.kind.cls, change.where)
            if change.values:
                self._check_change(change.kind.cls, change.where, change.values)
        for part in writes.all_changes:
            self._check_change(part.cls, part.where, part.values)
        for removal in writes.removals:
            self._check_anchored(removal.cls, removal.where)
        for addition in writes.additions:
            self._check_record(addition.record)

    def _check_record(self, record: object) -> None:
        cls = type(record)
        self._check_values(cls, {name: getattr(record, name) for name in self._fields[cls]})

    def _check_known(self, cls: type[Any], names: Mapping[str, object]) -> None:
        for name in names:
            if name not in self._fields[cls]:
                raise ValueError(
                    f"{self._types[cls].name} has no field {name!r}{nearest(name, self._fields[cls])}"
                )

    def _check_values(self, cls: type[Any], values: Mapping[str, object]) -> None:
        kind = self._types[cls]
        self._check_known(cls, values)
        for name, value in values.items():
            if not isinstance(value, str):
                continue
            if len(value) > MAX_LENGTH and name not in kind.text:
                raise ValueError(f"{kind.name}.{name} holds at most {MAX_LENGTH} characters")
            if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
                raise ValueError(f"{kind.name}.{name} cannot hold NUL or a lone surrogate")


def _duplicate(cls: type[Any]) -> DuplicateRecord:
    return DuplicateRecord(f"{cls.__name__}: a record with one of these keys exists")


def _fields_of(cls: type[Any], *types: type) -> Iterator[str]:
    """Name the fields that hold one of these types."""
    for name, hint in _hints_of(cast("Hashable", cls)).items():
        if any((get_origin(option) or option) in types for option in (hint, *_options(hint))):
            yield name


@lru_cache(256)
def _hints_of(cls: Hashable) -> Mapping[str, Any]:
    return get_type_hints(cls)


def _options(hint: Any) -> tuple[Any, ...]:
    """Return what a union is of."""
    return () if get_origin(hint) in (tuple, dict) else get_args(hint)


def _copy(record: Any) -> Any:
    """Return the record with its dicts written to JSON and read back, as a database does."""
    dicts = {
        field.name: json.loads(json.dumps(value, allow_nan=False))
        for field in dataclasses.fields(record)
        if isinstance(value := getattr(record, field.name), dict)
    }
    return dataclasses.replace(record, **dicts) if dicts else record
