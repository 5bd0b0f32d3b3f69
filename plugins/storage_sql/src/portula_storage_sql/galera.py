"""Nodes of a Galera cluster of MariaDB: what reads wait for, and what the cluster is told so that it certifies it.

A node commits what no other has changed meanwhile, and tells by 1213 of what one has: so whoever writes first wins, on
whatever node. It compares the rows that were written, never those that were read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from weakref import WeakSet

from sqlalchemy import Engine, event

from portula.plugin import RecordShape, RowChange
from portula_storage_sql.tables import MARIADB

WAITS_FOR_READS = 1
"""The bit of wsrep_sync_wait that lets SELECT and START TRANSACTION wait until the node has all that was committed."""

_single: WeakSet[Engine] = WeakSet()
"""Engines whose server has told that it is no node of a cluster."""


def follow(engine: Engine, *, waits: bool) -> None:
    """Ask each new connection whether its server is a node; let reads wait there.

    Args:
        engine: of MariaDB.
        waits: whether reads wait until the node has what was committed on any other.
    """

    @event.listens_for(engine, "connect")
    def ask(connection: Any, _: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SHOW VARIABLES LIKE 'wsrep_on'")
            if cursor.fetchone() != ("wsrep_on", "ON"):
                _single.add(engine)
                return
            _single.discard(engine)
            if waits:
                cursor.execute(f"SET SESSION wsrep_sync_wait = @@wsrep_sync_wait | {WAITS_FOR_READS}")


def is_certified(engine: Engine) -> bool:
    """Say whether the server is, or may be, a node of a cluster, which nobody knows before the first connection."""
    return engine.dialect.name in MARIADB and engine not in _single


def force_write(change: RowChange, shape: RecordShape) -> Iterator[RowChange]:
    """Yield a change as one or two of which one at least writes.

    A change may set what is there already, as the condition of the rest of a plan. MariaDB writes nothing then, so that
    the cluster would have nothing to compare, and another node may end the condition at the same time.
    """
    values = change.values
    is_sure = any(name in values and values[name] != value for name, value in change.given.items())
    number = next(
        (name for name in values if shape.kinds.get(name) == "int" and name not in shape.record.keys), None
    )
    if is_sure or number is None:
        yield change
        return
    value = values[number]
    yield replace(change, values={number: value + 1 if isinstance(value, int) else 1})
    yield replace(change, given={name: change.given[name] for name in change.identity.keys() & {"realm"}})
