"""The store: reads and plans as scripts of the server, each of which runs by itself."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import TYPE_CHECKING, Any, TypeVar, cast

from portula.errors import Conflict, DuplicateRecord, StorageDown
from portula.plugin import (
    ChangeAll,
    Condition,
    Counts,
    Cursor,
    Plan,
    Pointer,
    RecordShape,
    RecordType,
    Remove,
    RowChange,
    Writes,
    shape_of,
)
from portula_storage_redis.confirming import Confirmation, run_confirming
from portula_storage_redis.errors import answering
from portula_storage_redis.values import can_be_kept, read_record, to_text, written_fields, written_where

if TYPE_CHECKING:
    from redis import Redis
    from redis.cluster import RedisCluster

R = TypeVar("R")

SCRIPTS = ("apply", "find", "select", "walk", "expired")
PURGED_AT_ONCE = 200
"""Records that one script deletes: nobody else is served meanwhile."""


class RedisStore:
    """Keeps records in Redis. Safe to share between threads; any number of processes may share the server."""

    def __init__(
        self,
        client: Redis | RedisCluster,
        prefix: str,
        records: Sequence[RecordType],
        *,
        confirmation: Confirmation | None = None,
    ) -> None:
        """Take a client; nothing is sent yet.

        Args:
            client: of a server or a cluster; `close` closes it.
            prefix: what keys begin with.
            records: types to keep.
            confirmation: what plans wait for; None for nothing.
        """
        self._client = client
        self._confirmation = confirmation
        self._tag = "{" + prefix + "}"
        self._shapes: dict[type[Any], RecordShape] = {record.cls: shape_of(record) for record in records}
        self._kinds = {shape.record.name: _kind(shape) for shape in self._shapes.values()}
        folder = files(__package__).joinpath("scripts")
        common = folder.joinpath("common.lua").read_text()
        self._scripts = {
            name: client.register_script(f"{common}\n{folder.joinpath(f'{name}.lua').read_text()}")
            for name in SCRIPTS
        }

    def close(self) -> None:
        """Close the connections."""
        self._client.close()
        pool = getattr(self._client, "connection_pool", None)
        if pool is not None:
            pool.disconnect()

    def answers(self) -> None:
        """Ask for a sign of life.

        Raises:
            StorageDown: there is none.
        """
        with answering():
            if not self._client.ping():
                raise StorageDown("Redis does not answer")

    def facts(self, section: str) -> Mapping[str, Any]:
        """Return a section of what the server tells about itself, of a cluster that of one node (INFO)."""
        with answering():
            told = cast("Mapping[str, Any]", self._client.info(section))
        nodes = [value for value in told.values() if isinstance(value, Mapping)]
        return nodes[0] if nodes and len(nodes) == len(told) else told

    def usage(self) -> Mapping[str, int]:
        """Return how many keys the server has and the bytes that it takes, whoever they belong to."""
        with answering():
            keys = self._client.dbsize()
        return {"keys": keys, "bytes": int(self.facts("memory").get("used_memory", 0))}

    # --- Reading ---

    def find(self, cls: type[R], /, **keys: Condition) -> R | None:
        """See portula.plugin.Store."""
        found = self.find_joined(cls, **keys)
        return None if found is None else cast("R", found[0])

    def find_joined(self, cls: type[Any], /, *along: Pointer, **keys: Condition) -> tuple[Any, ...] | None:
        """Return a record, and those that it points to, in one round trip; see `Storage.find_along`."""
        shape = self._shapes[cls]
        shape.check_keys(keys)
        targets = [self._shapes[pointer.cls] for pointer in along]
        asked = {
            "kind": shape.record.name,
            "where": written_where(keys),
            "along": [_pointer(pointer, target) for pointer, target in zip(along, targets, strict=True)],
        }
        answer = self._run("find", asked, shape, *targets)
        if not answer:
            return None
        return tuple(
            read_record(known, flat) if flat else None
            for known, flat in zip((shape, *targets), answer, strict=True)
        )

    def select(
        self, cls: type[R], /, *, limit: int = 100, after: str | None = None, **where: Condition
    ) -> list[R]:
        """See portula.plugin.Store."""
        shape = self._shapes[cls]
        shape.check_searchable(where)
        if not can_be_kept(after):
            return []
        asked = {
            "kind": shape.record.name,
            "where": written_where(where),
            "limit": limit,
            **({} if after is None else {"after": after}),
        }
        return [read_record(shape, flat) for flat in self._run("select", asked, shape)]

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
        """See portula.plugin.WalkingStore."""
        shape = self._shapes[cls]
        shape.check_walk(by, where, prefix)
        if not all(map(can_be_kept, (prefix, *(after or ()), *where.values()))):
            return []
        compared = tuple(name for name in where if name != "realm" or not shape.record.in_realm)
        asked: dict[str, Any] = {
            "kind": shape.record.name,
            "order": _orders(shape).index((*compared, by)) + 1,
            "values": [to_text(where[name]) for name in compared],
            "descending": descending,
            "limit": limit,
            "prefix": prefix,
        }
        if shape.record.in_realm and "realm" in where:
            asked["realm"] = to_text(where["realm"])
        if after is not None:
            asked["after"] = [to_text(after[0]), after[1]]
        return [read_record(shape, flat) for flat in self._run("walk", asked, shape)]

    # --- Writing ---

    def apply(self, plan: Plan) -> Counts:
        """See portula.plugin.Store."""
        kinds = {cls: shape.record for cls, shape in self._shapes.items()}
        writes = Writes.of(plan, kinds)
        self._check(writes)
        shapes = {shape.record.name: shape for shape in map(self._shape_of_part, _parts(writes))}
        answer = self._run("apply", self._plan_arguments(writes), *shapes.values())
        outcome = answer[0].decode()
        if outcome == "ok":
            return dict(zip((*writes.all_changes, *writes.removals), answer[1:], strict=True))
        failure = writes.failure(lambda change: self.find(change.kind.cls, **change.identity))
        if failure is not None:
            raise failure
        if outcome == "unmet":
            change = writes.changes[int(answer[1]) - 1]
            raise Conflict(change.kind.cls, self.find(change.kind.cls, **change.identity))
        cls = shapes[answer[1].decode()].record.cls
        raise DuplicateRecord(f"{cls.__name__}: a record with one of these keys exists")

    def _shape_of_part(self, part: Any) -> RecordShape:
        if isinstance(part, RowChange):
            return self._shapes[part.kind.cls]
        return self._shapes[part.cls if isinstance(part, ChangeAll | Remove) else type(part.record)]

    def _check(self, writes: Writes) -> None:
        """Refuse what cannot be kept or sought, before anything is written."""
        for change in writes.changes:
            shape = self._shapes[change.kind.cls]
            shape.check_anchored(change.where)
            if change.values:
                shape.check_change(change.values)
        for part in writes.all_changes:
            self._shapes[part.cls].check_anchored(part.where)
            self._shapes[part.cls].check_change(part.values)
        for removal in writes.removals:
            self._shapes[removal.cls].check_anchored(removal.where)
        for addition in writes.additions:
            shape = self._shapes[type(addition.record)]
            shape.check_values({name: getattr(addition.record, name) for name in shape.names})

    def _plan_arguments(self, writes: Writes) -> dict[str, Any]:
        """Return a plan as the script takes it."""
        return {
            "changes": [
                {
                    "kind": change.kind.name,
                    "where": written_where(change.where),
                    "values": _texts(change.values),
                }
                for change in writes.changes
            ],
            "all_changes": [
                {
                    "kind": self._shapes[part.cls].record.name,
                    "where": written_where(part.where),
                    "values": _texts(part.values),
                }
                for part in writes.all_changes
            ],
            "removals": [
                {"kind": self._shapes[part.cls].record.name, "where": written_where(part.where)}
                for part in writes.removals
            ],
            "additions": [
                {
                    "kind": self._shapes[type(part.record)].record.name,
                    "fields": written_fields(part.record, self._shapes[type(part.record)]),
                    "unless_known": part.unless_known,
                }
                for part in writes.additions
            ],
        }

    # --- What has expired ---

    def purge(self, cls: type[Any], /, *, now: int, limit: int, realm: str | None = None) -> int:
        """See portula.plugin.Store."""
        purged = 0
        while purged < limit:
            wanted = min(PURGED_AT_ONCE, limit - purged)
            met = self._run_expired(cls, now, wanted, realm, purge=True)
            purged += met
            if met < wanted:
                break
        return purged

    def count_expired(self, cls: type[Any], /, *, now: int, limit: int, realm: str | None = None) -> int:
        """See portula.plugin.Store."""
        return self._run_expired(cls, now, limit, realm, purge=False)

    def _run_expired(self, cls: type[Any], now: int, limit: int, realm: str | None, *, purge: bool) -> int:
        shape = self._shapes[cls]
        if shape.record.expires is None or limit < 1:
            return 0
        asked = {"kind": shape.record.name, "now": str(now), "limit": limit, "purge": purge}
        if realm is not None:
            asked["realm"] = to_text(realm)
        return int(self._run("expired", asked, shape))

    # --- The server ---

    def _run(self, script: str, asked: Mapping[str, Any], *shapes: RecordShape) -> Any:
        kinds = {shape.record.name: self._kinds[shape.record.name] for shape in shapes}
        arguments = [json.dumps(kinds), json.dumps(asked)]
        with answering():
            if script == "apply" and self._confirmation is not None:
                return run_confirming(
                    self._client, self._scripts[script], self._tag, arguments, self._confirmation
                )
            return self._scripts[script](keys=[self._tag], args=arguments)


def _kind(shape: RecordShape) -> dict[str, Any]:
    """Return what scripts have to know of a record type."""
    record = shape.record
    realm = ("realm",) if record.in_realm else ()
    known: dict[str, Any] = {
        "primary": shape.primary,
        "orders": _orders(shape),
        "keys": list(record.keys),
        "indexes": [*record.keys[1:], *record.indexes, *realm],
        "in_realm": record.in_realm,
    }
    return known if record.expires is None else {**known, "expires": record.expires}


def _orders(shape: RecordShape) -> list[tuple[str, ...]]:
    """Return the orders that `walk` goes along."""
    return [(shape.primary,), *shape.record.orders]


def _pointer(pointer: Pointer, target: RecordShape) -> dict[str, str]:
    described = {"field": pointer.field, "kind": target.record.name, "key": pointer.key}
    if pointer.value is not None:
        described["value"] = to_text(pointer.value)
    return described if pointer.realm is None else {**described, "realm": to_text(pointer.realm)}


def _parts(writes: Writes) -> list[Any]:
    return [*writes.changes, *writes.all_changes, *writes.removals, *writes.additions]


def _texts(values: Mapping[str, object]) -> dict[str, str]:
    return {name: to_text(value) for name, value in values.items()}
