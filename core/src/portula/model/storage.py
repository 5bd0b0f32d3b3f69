"""Contracts of storage: reads, plans, purging; no SQL, no Flask.

A store keeps records of the types it was made for, and writes them in plans only: whole or not at all, with nothing
open in between. Conditions need keys and indexes, and `walk` goes along an order, so that no deployment meets a full
scan. A tuple as a condition's value means "any of these".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from types import MappingProxyType
from typing import Any, NamedTuple, NoReturn, Protocol, TypeVar, cast

from portula.model.plans import (
    Add,
    Change,
    ChangeAll,
    Condition,
    Counts,
    Plan,
    PlanPart,
    Remove,
    Require,
    Take,
)
from portula.model.records import Application, Authorization, RecordType

R = TypeVar("R")

Cursor = tuple[str | int, str]
"""Where a walk goes on: behind this value of the field that gives the order and, among equal ones, this primary key."""


class Pointer(NamedTuple):
    """A field of one record that names another."""

    field: str
    cls: type[Any]
    """Class of the other record."""
    key: str
    """Its field that is named, a key."""
    realm: str | None = None
    """Realm of the other record, which `Storage` says; None where records belong to none."""
    value: str | None = None
    """What names the other record, where no field does; None for the field's value."""


TO_AUTHORIZATION = Pointer("authorization", Authorization, "id")
"""What codes and tokens were issued under."""

TO_CLIENT = Pointer("client_id", Application, "client_id")
"""Whom they were issued to."""


class Store(Protocol):
    """Keeps records of some types. Safe to share between threads and, if durable, processes.

    Records of a type that is `in_realm` have a field `realm`, which every verb may compare beside its conditions. Keys
    are unique within a realm; the primary key of a type that is no `surrogate` may be unique among all.

    Every verb raises StorageDown when the storage does not answer within a time.
    """

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

    def apply(self, plan: Plan) -> Counts:
        """Apply a plan whole or not at all; no reader sees a part of it.

        Where several parts fail, RecordReplayed is raised rather than Conflict, and Conflict rather than
        DuplicateRecord; the record that an error carries was read after the failure. Deadlocks are tried again, a few
        times.

        Keys compare byte by byte, and None is no key. What a plan changes or removes in bulk is sought by at least one
        key or index; beside it any scalar field may be compared. ValueError, before anything is written: a condition
        cannot be searched, a str holds NUL, a lone surrogate or too many characters, the primary key would change, or
        two parts contradict each other. It names the field.
        """
        ...

    def purge(self, cls: type[Any], /, *, now: int, limit: int, realm: str | None = None) -> int:
        """Delete up to `limit` records that expired before `now`, the oldest first; return how many.

        They are those of one realm, or of all of them where none is named.

        Safe to run in several processes at once and to be killed: what was deleted stays deleted, and no other writer
        is held up for longer than a few hundred rows take. Less than `limit` means that nothing expired is left.
        """
        ...

    def count_expired(self, cls: type[Any], /, *, now: int, limit: int, realm: str | None = None) -> int:
        """Return how many of those expired before `now`, counting to `limit` and no further; nothing is changed."""
        ...


class WalkingStore(Store, Protocol):
    """A store that can go along the orders of its types, which pages of the newest records need."""

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
        """Return up to `limit` records in order of `by` and, among equal values, of primary key; both may descend.

        The names in `where` with `by` behind them are one of the type's `orders`, or there is no condition and `by` is
        the primary key. Records that have None there are left out, and so are those that do not begin with `prefix`
        (of text only; compared byte by byte, as the order is). `after` need not be the place of a record.

        ValueError: the type has no such order.
        """
        ...


class MeasuredStore(Store, Protocol):
    """A store that can cheaply say how much it keeps, for `portula db stats`."""

    def usage(self) -> Mapping[str, int]:
        """Return what it says of itself, e.g. `keys` and `bytes`."""
        ...


StoreFactory = Callable[[Sequence[RecordType]], Store]
"""Makes a store for these record types. Called once a provider, at start."""


class _Route(NamedTuple):
    """Where records of a class are, and which of them are the provider's."""

    store: Store
    model: type[Any]
    """The class of what is kept there."""
    condition: Mapping[str, str]
    """What the provider's records meet: they are of its realm. Nothing where they belong to none."""


class _Routes(dict[type[Any], _Route]):
    """The route of each class of records."""

    def __missing__(self, cls: type[Any]) -> NoReturn:
        """Name a class that has none."""
        raise LookupError(
            f"{cls.__qualname__} is of no record type that a plugin contributes (portula_records)"
        )


class Storage:
    """The provider's storage: sends each record type to the store that the STORAGE setting names.

    It is the one place that knows of realms: whatever is added becomes a record of the provider's, and nothing else is
    found, changed or removed.
    """

    def __init__(
        self,
        routes: Mapping[type[Any], Store],
        models: Mapping[type[Any], type[Any]] = MappingProxyType({}),
        realms: Mapping[type[Any], str] = MappingProxyType({}),
    ) -> None:
        """Take what is known of each record class.

        Args:
            routes: its store.
            models: the class of the deployment's own that stands for it, if one does.
            realms: the realm whose records are the provider's, where they belong to realms.
        """
        self._routes = _Routes()
        for cls, store in routes.items():
            model = models.get(cls, cls)
            realm = realms.get(model)
            self._routes[cls] = _Route(store, model, {} if realm is None else {"realm": realm})
        self.on_applied: list[Callable[[Plan], None]] = []
        """Are given each plan that was applied; they raise nothing."""

    def model(self, cls: type[R]) -> type[R]:
        """Return the class whose instances are kept and found where a room says `cls`: itself, or its replacement."""
        model: type[R] = self._routes[cls].model
        return model

    def as_model(self, record: R) -> R:
        """Return the record as an instance of the class that stands for its own, of the provider's realm.

        Raises:
            TypeError: it is of a class that neither a plugin contributes nor a setting names.
        """
        if type(record) not in self._routes:
            raise TypeError(
                f"{type(record).__qualname__} is no record class here; a setting *_MODEL may name it"
            )
        _, model, condition = self._routes[type(record)]
        named: Any = record
        if type(record) is model:
            is_placed = not condition or named.realm == condition["realm"]
            return record if is_placed else cast("R", replace(named, **condition))
        values = {field.name: getattr(record, field.name) for field in fields(named)}
        return cast("R", model(**{**values, **condition}))

    def find(self, cls: type[R], /, **keys: Condition) -> R | None:
        """See Store.find."""
        store, model, condition = self._routes[cls]
        found: R | None = store.find(model, **keys, **condition)
        return found

    def find_along(self, cls: type[Any], /, *along: Pointer, **keys: Condition) -> tuple[Any, ...] | None:
        """Return a record, followed by those that it points to, None for one that is gone; None without the record.

        It is one read where the store can join and keeps all of them, else one each.
        """
        store, model, condition = self._routes[cls]
        targets = [self._routes[pointer.cls] for pointer in along]
        joined = getattr(store, "find_joined", None)
        if joined is not None and all(target.store is store for target in targets):
            pointers = [
                pointer._replace(cls=target.model, realm=target.condition.get("realm"))
                for pointer, target in zip(along, targets, strict=True)
            ]
            found: tuple[Any, ...] | None = joined(model, *pointers, **keys, **condition)
            return found
        record = store.find(model, **keys, **condition)
        if record is None:
            return None
        values = [
            getattr(record, pointer.field) if pointer.value is None else pointer.value for pointer in along
        ]
        return record, *(
            None
            if value is None
            else target.store.find(target.model, **{pointer.key: value}, **target.condition)
            for value, pointer, target in zip(values, along, targets, strict=True)
        )

    def select(
        self, cls: type[R], /, *, limit: int = 100, after: str | None = None, **where: Condition
    ) -> list[R]:
        """See Store.select."""
        store, model, condition = self._routes[cls]
        return store.select(model, limit=limit, after=after, **where, **condition)

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
        """See WalkingStore.walk; for those of whom `walks` is true."""
        store, model, condition = self._routes[cls]
        return cast("WalkingStore", store).walk(
            model, by, descending=descending, limit=limit, after=after, prefix=prefix, **where, **condition
        )

    def apply(self, plan: Plan) -> Counts:
        """Apply a plan.

        What it changes in one store is applied whole or not at all. Where it is about records in several, what it
        requires is compared first, in all of them, since what an earlier one applied stays when a later one fails. Then
        those stores come first in which something is taken or changed under conditions, then those in which something
        is added.

        Returns:
            How many records each part met that `change_all` and `remove` returned.

        Raises:
            RecordReplayed: a record to take was used before, or is gone.
            Conflict: a record to change is not as given, or is gone.
            DuplicateRecord: a key is taken.
            ValueError: a value cannot be kept, a condition is not searchable, or two parts contradict each other.
        """
        shares: dict[int, tuple[Store, Plan]] = {}
        given: dict[PlanPart, ChangeAll | Remove] = {}
        for part in plan.parts:
            store, placed = self._place(part)
            shares.setdefault(id(store), (store, Plan()))[1].parts.append(placed)
            if isinstance(part, ChangeAll | Remove):
                given[placed] = part
        if len(shares) > 1:
            for name, (store, share) in list(shares.items()):
                required = Plan()
                required.extend(part for part in share.parts if isinstance(part, Require))
                if required:
                    store.apply(required)
                if len(required.parts) == len(share.parts):
                    del shares[name]
        counts: dict[ChangeAll | Remove, int] = {}
        for store, share in sorted(shares.values(), key=lambda item: _turn(item[1])):
            counts |= {given[placed]: count for placed, count in store.apply(share).items()}
        for applied in self.on_applied:
            applied(plan)
        return counts

    def _place(self, part: PlanPart) -> tuple[Store, PlanPart]:
        """Return the store that a part is for, and the part with the class that is kept there and the realm."""
        if isinstance(part, Add):
            record = self.as_model(part.record)
            placed = part if record is part.record else replace(part, record=record)
            return self._routes[type(record)].store, placed
        if isinstance(part, Take | Require):
            record = self.as_model(part.record)
            store, _, condition = self._routes[type(record)]
            given = {**part.given, **condition}
            if isinstance(part, Take):
                return store, Take(record=record, at=part.at, given=given)
            return store, Require(record=record, given=given)
        store, model, condition = self._routes[part.cls]
        if not condition and model is part.cls:
            return store, part
        if condition and not isinstance(part, Remove) and "realm" in part.values:
            raise ValueError(f"{part.cls.__name__}.realm never changes")
        if isinstance(part, Change):
            return store, replace(part, cls=model, given={**part.given, **condition})
        return store, replace(part, cls=model, where={**part.where, **condition})

    def purge(self, cls: type[Any], /, *, now: int, limit: int) -> int:
        """See Store.purge."""
        store, model, condition = self._routes[cls]
        return store.purge(model, now=now, limit=limit, **condition)

    def count_expired(self, cls: type[Any], /, *, now: int, limit: int) -> int:
        """See Store.expired."""
        store, model, condition = self._routes[cls]
        return store.count_expired(model, now=now, limit=limit, **condition)

    def joins(self, cls: type[Any], other: type[Any]) -> bool:
        """Say whether records of two classes are in one store, and it reads one with another that it points to."""
        stores = [self._routes[each].store if each in self._routes else None for each in (cls, other)]
        return stores[0] is stores[1] and hasattr(stores[0], "find_joined")

    def walks(self, cls: type[Any]) -> bool:
        """Say whether the store of these records can go along their orders."""
        return hasattr(self._routes[cls].store, "walk")

    def condition(self, cls: type[Any]) -> Mapping[str, str]:
        """Return what the provider's records of a class meet: they are of its realm; nothing where there are none."""
        return self._routes[cls].condition

    def keeps(self, cls: type[Any]) -> bool:
        """Say whether a store keeps these records; a resource server alone has none."""
        return cls in self._routes


def _turn(plan: Plan) -> int:
    """Return which of several stores comes first: the one where most may fail."""
    if any(isinstance(part, Take | Change) for part in plan.parts):
        return 0
    return 1 if any(isinstance(part, Add) for part in plan.parts) else 2
