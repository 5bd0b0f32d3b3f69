"""Contracts of storage: a few verbs, one transaction, no SQL, no Flask.

A store keeps records of the types it was made for. `find`, `select` and `change` accept only keys and indexes in
their conditions, and `walk` those of an order, so that no deployment meets a full scan. A tuple as a condition's value
means "any of these".
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field, fields, replace
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol, TypeVar, cast

from portula.model.errors import ConfigError, nearest
from portula.model.plans import Add, Change, ChangeAll, Condition, Counts, Part, Plan, Remove, Take
from portula.model.records import Application, Authorization, RecordType

R = TypeVar("R")

log = logging.getLogger("portula")

Place = tuple[str | int, str]
"""Where a walk goes on: behind this value of the field that gives the order and, among equal ones, this primary key."""


class Pointer(NamedTuple):
    """A field of one record that names another."""

    field: str
    cls: type[Any]
    """Class of the other record."""
    key: str
    """Its field that is named, a key."""


TO_AUTHORIZATION = Pointer("authorization", Authorization, "id")
"""What codes and tokens were issued under."""

TO_CLIENT = Pointer("client_id", Application, "client_id")
"""Whom they were issued to."""


class Store(Protocol):
    """Keeps records of some types. Safe to share between threads and, if durable, processes."""

    def transaction(self) -> AbstractContextManager[None]:
        """Make what follows in this thread atomic.

        It begins with the first writing verb; finds before that see committed state. Leaving with an exception
        rolls back. Nested transactions join the outermost: one that fails rolls everything back at once, and later
        writes, or leaving cleanly, raise RuntimeError. DuplicateRecord from `add` leaves a transaction usable.
        """
        ...

    def add(self, record: object) -> None:
        """Keep a new record; DuplicateRecord when one of its keys is taken.

        Keys compare byte by byte. ValueError names a str field with NUL, a lone surrogate or too many characters.
        """
        ...

    def find(self, cls: type[R], /, **keys: Condition) -> R | None:
        """Return the record with this key, or None. Every condition is a key or an index, at least one a key."""
        ...

    def select(
        self, cls: type[R], /, *, limit: int = 100, after: str | None = None, **where: Condition
    ) -> list[R]:
        """Return up to `limit` records in order of primary key, those behind the key `after`.

        Conditions are keys and indexes only; without any it is a page of all records.
        """
        ...

    def walk(
        self,
        cls: type[R],
        by: str,
        /,
        *,
        descending: bool = False,
        limit: int = 100,
        after: Place | None = None,
        prefix: str = "",
        **where: str | int | bool | None,
    ) -> list[R]:
        """Return up to `limit` records in order of `by` and, among equal values, of primary key; both may descend.

        The names in `where` with `by` behind them are one of the type's `orders`, or there is no condition and `by` is
        the primary key. Records that have None there are left out, and so are those that do not begin with `prefix`
        (of text only; compared byte by byte, as the order is). `after` need not be the place of a record.

        ValueError: the type has no such order.
        """
        ...

    def take(self, record: object, at: int) -> None:
        """Use a record once: set taken_at where it is unset.

        Of any number of takes, in any number of processes, one returns; each other raises Replayed with the record
        as it stands, or with the one given when it is gone.
        """
        ...

    def change(self, cls: type[Any], where: Mapping[str, Condition], /, **values: object) -> int:
        """Set fields on every record that matches; return how many.

        At least one condition is a key or an index; beside it any scalar field may be compared, e.g.
        `revoked_at=None`. The primary key cannot be set; setting another key to a taken value is DuplicateRecord.
        """
        ...

    def remove(self, cls: type[Any], /, **where: Condition) -> int:
        """Delete every record that matches, under the conditions of `change`; return how many."""
        ...

    def apply(self, plan: Plan) -> Counts:
        """Apply a plan whole or not at all, within this thread's transaction if there is one.

        Where several parts fail, Replayed is raised rather than Conflict, and Conflict rather than DuplicateRecord;
        the record that an error carries was read after the failure. Deadlocks are tried again, a few times.
        ValueError, before anything is written: as `add` and `change` refuse it, or two parts contradict each other.
        """
        ...

    def purge(self, cls: type[Any], /, *, now: int, limit: int) -> int:
        """Delete up to `limit` records that expired before `now`, the oldest first; return how many.

        Safe to run in several processes at once and to be killed: what was deleted stays deleted, and no other writer
        is held up for longer than a few hundred rows take. Less than `limit` means that nothing expired is left.
        """
        ...

    def expired(self, cls: type[Any], /, *, now: int, limit: int) -> int:
        """Return how many records expired before `now`, counting to `limit` and no further; nothing is changed."""
        ...


StoreFactory = Callable[[Sequence[RecordType]], Store]
"""Makes a store for these record types. Called once a provider, at start."""


@dataclass(slots=True)
class _Ending:
    """What waits for the end of a thread's transaction."""

    committed: list[Callable[[], None]] = field(default_factory=list)
    rolled_back: list[Callable[[], None]] = field(default_factory=list)


class Storage:
    """The provider's storage: sends each record type to the store that the STORAGE setting names."""

    def __init__(
        self, routes: Mapping[type[Any], Store], models: Mapping[type[Any], type[Any]] = MappingProxyType({})
    ) -> None:
        """Take the store of each record class, and the classes of the deployment's own that stand for others."""
        self._routes = {cls: (store, models.get(cls, cls)) for cls, store in routes.items()}
        self._stores = list({id(store): store for store in routes.values()}.values())
        self._local = threading.local()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Open a transaction on each store; each begins only when something is written there."""
        outermost = self._local.__dict__.get("ending") is None
        if outermost:
            self._local.ending = _Ending()
        ending: _Ending = self._local.ending
        try:
            with ExitStack() as stack:
                for store in self._stores:
                    stack.enter_context(store.transaction())
                yield
        except BaseException:
            self._end(outermost=outermost, callbacks=ending.rolled_back)
            raise
        self._end(outermost=outermost, callbacks=ending.committed)

    def _end(self, *, outermost: bool, callbacks: Sequence[Callable[[], None]]) -> None:
        if outermost:
            self._local.ending = None
            for callback in callbacks:
                try:
                    callback()
                except Exception:  # what was decided stands, and the callbacks that follow are made
                    log.exception("what follows a transaction failed")

    def on_commit(self, callback: Callable[[], None]) -> None:
        """Call back once this thread's transaction has committed, at once without one, never when it rolls back."""
        ending: _Ending | None = self._local.__dict__.get("ending")
        if ending is None:
            callback()
        else:
            ending.committed.append(callback)

    def on_rollback(self, callback: Callable[[], None]) -> None:
        """Call back once this thread's transaction was rolled back, never when it commits or when there is none.

        For what stays true although the request fails, such as that a value which may be used once was used.
        """
        ending: _Ending | None = self._local.__dict__.get("ending")
        if ending is not None:
            ending.rolled_back.append(callback)

    def model(self, cls: type[R]) -> type[R]:
        """Return the class whose instances are kept and found where a room says `cls`: itself, or its replacement."""
        model: type[R] = self._routes[cls][1]
        return model

    def as_model(self, record: R) -> R:
        """Return the record as an instance of the class that stands for its own.

        Raises:
            TypeError: it is of a class that neither a plugin contributes nor a setting names.
        """
        if type(record) not in self._routes:
            raise TypeError(
                f"{type(record).__qualname__} is no record class here; a setting *_MODEL may name it"
            )
        model = self._routes[type(record)][1]
        if type(record) is model:
            return record
        named: Any = record
        return cast("R", model(**{field.name: getattr(record, field.name) for field in fields(named)}))

    def add(self, record: object) -> None:
        """See Store.add."""
        self._routes[type(record)][0].add(self.as_model(record))

    def find(self, cls: type[R], /, **keys: Condition) -> R | None:
        """See Store.find."""
        store, model = self._routes[cls]
        found: R | None = store.find(model, **keys)
        return found

    def find_along(self, cls: type[Any], /, *along: Pointer, **keys: Condition) -> tuple[Any, ...] | None:
        """Return a record, followed by those that it points to, None for one that is gone; None without the record.

        It is one read where the store can join and keeps all of them, else one each.
        """
        store, model = self._routes[cls]
        placed = [(pointer, *self._routes[pointer.cls]) for pointer in along]
        joined = getattr(store, "find_joined", None)
        if joined is not None and all(other is store for _, other, _ in placed):
            targets = [pointer._replace(cls=target) for pointer, _, target in placed]
            found: tuple[Any, ...] | None = joined(model, *targets, **keys)
            return found
        record = store.find(model, **keys)
        if record is None:
            return None
        values = [getattr(record, pointer.field) for pointer in along]
        return record, *(
            None if value is None else other.find(target, **{pointer.key: value})
            for value, (pointer, other, target) in zip(values, placed, strict=True)
        )

    def select(
        self, cls: type[R], /, *, limit: int = 100, after: str | None = None, **where: Condition
    ) -> list[R]:
        """See Store.select."""
        store, model = self._routes[cls]
        return store.select(model, limit=limit, after=after, **where)

    def walk(
        self,
        cls: type[R],
        by: str,
        /,
        *,
        descending: bool = False,
        limit: int = 100,
        after: Place | None = None,
        prefix: str = "",
        **where: str | int | bool | None,
    ) -> list[R]:
        """See Store.walk."""
        store, model = self._routes[cls]
        return store.walk(model, by, descending=descending, limit=limit, after=after, prefix=prefix, **where)

    def take(self, record: object, at: int) -> None:
        """See Store.take."""
        self._routes[type(record)][0].take(self.as_model(record), at)

    def change(self, cls: type[Any], where: Mapping[str, Condition], /, **values: object) -> int:
        """See Store.change."""
        store, model = self._routes[cls]
        return store.change(model, where, **values)

    def remove(self, cls: type[Any], /, **where: Condition) -> int:
        """See Store.remove."""
        store, model = self._routes[cls]
        return store.remove(model, **where)

    def apply(self, plan: Plan) -> Counts:
        """Apply a plan.

        What it changes in one store is applied whole or not at all. Where it changes records in several, those stores
        come first in which something is taken or changed under conditions, then those in which something is added: what
        an earlier one applied stays when a later one fails.

        Returns:
            How many records each part met that `change_all` and `remove` returned.

        Raises:
            Replayed: a record to take was used before, or is gone.
            Conflict: a record to change is not as given, or is gone.
            DuplicateRecord: a key is taken.
            ValueError: a value cannot be kept, a condition is not searchable, or two parts contradict each other.
        """
        shares: dict[int, tuple[Store, Plan]] = {}
        given: dict[Part, ChangeAll | Remove] = {}
        for part in plan.parts:
            store, placed = self._place(part)
            shares.setdefault(id(store), (store, Plan()))[1].parts.append(placed)
            if isinstance(part, ChangeAll | Remove):
                given[placed] = part
        counts: dict[ChangeAll | Remove, int] = {}
        for store, share in sorted(shares.values(), key=lambda item: _turn(item[1])):
            counts |= {given[placed]: count for placed, count in store.apply(share).items()}
        return counts

    def _place(self, part: Part) -> tuple[Store, Part]:
        """Return the store that a part is for, and the part with the class that is kept there."""
        if isinstance(part, Take | Add):
            record = self.as_model(part.record)
            return self._routes[type(record)][0], replace(part, record=record)
        store, model = self._routes[part.cls]
        return store, part if part.cls is model else replace(part, cls=model)

    def purge(self, cls: type[Any], /, *, now: int, limit: int) -> int:
        """See Store.purge."""
        store, model = self._routes[cls]
        return store.purge(model, now=now, limit=limit)

    def expired(self, cls: type[Any], /, *, now: int, limit: int) -> int:
        """See Store.expired."""
        store, model = self._routes[cls]
        return store.expired(model, now=now, limit=limit)

    def keeps(self, cls: type[Any]) -> bool:
        """Say whether a store keeps these records; a resource server alone has none."""
        return cls in self._routes


def _turn(plan: Plan) -> int:
    """Return which of several stores comes first: the one where most may fail."""
    if any(isinstance(part, Take | Change) for part in plan.parts):
        return 0
    return 1 if any(isinstance(part, Add) for part in plan.parts) else 2


def build_storage(
    choice: str | Mapping[str, str] | None,
    factories: Mapping[str, StoreFactory],
    records: Sequence[RecordType],
    install: str = "one",
) -> Storage:
    """Make the stores that STORAGE chooses; without a choice the only one installed serves all.

    `install` names what to install where there is none.

    Raises:
        ConfigError: a named store is not installed, or none is.
    """
    chosen = {"default": choice} if isinstance(choice, str) else dict(choice or {})
    if "default" not in chosen:
        if len(factories) != 1:
            known = ", ".join(sorted(factories)) or f"none; install {install}"
            raise ConfigError(f"STORAGE: name the default store; installed: {known}")
        chosen["default"] = next(iter(factories))
    names = {record.name for record in records}
    findings = [
        f"STORAGE: unknown record type {name!r}{nearest(name, names)}"
        for name in chosen
        if name != "default" and name not in names
    ]
    findings += [
        f"STORAGE: no store named {store!r} is installed{nearest(store, factories)}"
        for store in sorted(set(chosen.values()))
        if store not in factories
    ]
    if findings:
        raise ConfigError(*findings)
    placed: dict[str, list[RecordType]] = {}
    for record in records:
        placed.setdefault(chosen.get(record.name, chosen["default"]), []).append(record)
    routes: dict[type[Any], Store] = {}
    for name, types in placed.items():
        store = factories[name](tuple(types))
        routes.update({cls: store for record in types for cls in (record.cls, record.replaces) if cls})
    return Storage(routes, {record.replaces: record.cls for record in records if record.replaces})
