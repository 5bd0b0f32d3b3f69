"""The store: portula's verbs in SQL, on one connection a thread."""

from __future__ import annotations

import os
import sqlite3
import threading
import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from sqlalchemy import Column, Connection, CursorResult, Engine, Executable, Table
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError

from portula.errors import ConfigError, DuplicateRecord, Replayed
from portula.plugin import Condition, Place, RecordType
from portula_storage_sql import migrate
from portula_storage_sql.engine import BEGIN
from portula_storage_sql.fields import Shape, shape_of
from portula_storage_sql.statements import Route, Statements, bound, shaped, successor
from portula_storage_sql.tables import PREFIX, metadata_of

R = TypeVar("R")

PURGE_CHUNK = 500
"""Rows one DELETE of `purge` removes: few enough to hold no other writer up."""

SQLITE_DUPLICATE = ("SQLITE_CONSTRAINT_PRIMARYKEY", "SQLITE_CONSTRAINT_UNIQUE")
POSTGRESQL_DUPLICATE = "23505"
MARIADB_DUPLICATE = 1062
"""How each engine says that a key is taken. To INSERT only MariaDB does, and goes on with the transaction."""

POSTGRESQL_DEADLOCK = "40P01"
MARIADB_DEADLOCK = 1213
"""How each engine says that it ended this statement so that another may go on."""

_inherited: list[object] = []
"""Connections and pools of the parent process, kept for good: to close them here would disturb them there."""


class _Lease:
    """A connection that goes back to the pool when its thread ends."""

    __slots__ = ("connection", "pid")

    def __init__(self, connection: Connection) -> None:
        """Note which process the connection belongs to."""
        self.connection = connection
        self.pid = os.getpid()

    def __del__(self) -> None:
        if self.pid != os.getpid():
            _inherited.append(self.connection)
            return
        with suppress(SQLAlchemyError):  # of garbage: what it stands on may have been closed before it
            self.connection.close()


class _Local(threading.local):
    """What one thread holds."""

    lease: _Lease | None = None
    depth: int = 0
    begun: bool = False
    doomed: bool = False


class SqlStore:
    """Keeps records in SQLite, PostgreSQL or MariaDB.

    Each thread keeps a connection of its own; a statement outside of a transaction commits by itself.
    """

    def __init__(self, engine: Engine, records: Sequence[RecordType], *, embedded: bool = False) -> None:
        """Prepare the statements; nothing connects yet.

        Args:
            engine: made by make_engine.
            records: types to keep.
            embedded: the database is ours alone, so that `ready` migrates it.
        """
        self.engine = engine
        self.records = tuple(records)
        self._embedded = embedded
        self._local = _Local()
        self._pid = os.getpid()
        weakref.finalize(self, _let_go, engine, self._local, self._pid).atexit = False
        self._begin = BEGIN[engine.dialect.name]
        shapes = [shape_of(record) for record in records]
        tables = metadata_of(shape for shape in shapes if shape.record.model is None).tables
        self._statements = {
            shape.record.cls: Statements(shape, _columns(shape, tables), engine.dialect.name)
            for shape in shapes
        }

    def ready(self) -> None:
        """Check the schema at the end of start-up; migrate it when the database is embedded.

        Raises:
            ConfigError: the schema is behind, or the database does not answer.
        """
        pending = migrate.pending(self.engine, self.records)
        if pending and not self._embedded:
            raise ConfigError(
                f"DATABASE: the schema is behind ({'; '.join(pending)}); run `portula db upgrade`"
            )
        if pending:
            migrate.upgrade(self.engine, self.records)
        self.close()

    def close(self) -> None:
        """Close this thread's connection and those no thread holds, e.g. before workers are forked."""
        self._local.lease = None
        self.engine.dispose()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """See Store.transaction. What failed within is rolled back at once, and no write follows it."""
        local = self._local
        local.depth += 1
        try:
            yield
            if local.depth == 1:
                self._commit()
        except BaseException:
            self._doom()
            raise
        finally:
            local.depth -= 1
            if not local.depth:
                local.begun = local.doomed = False

    def add(self, record: object) -> None:
        """See Store.add."""
        statements = self._statements[type(record)]
        values = statements.row(record)
        try:
            added = self._write(statements.add, values)
        except IntegrityError as error:
            if not _is_duplicate(error):
                raise
            added = 0
        if not added:
            raise _duplicate(type(record))

    def find(self, cls: type[R], /, **keys: Condition) -> R | None:
        """See Store.find."""
        statements = self._statements[cls]
        statements.shape.check_keys(keys)
        row = self._read(statements.find(shaped(keys)), bound(keys)).first()
        return None if row is None else cls(**dict(zip(statements.shape.names, row, strict=True)))

    def find_joined(
        self, cls: type[R], other: type[Any], pointer: str, /, **keys: Condition
    ) -> tuple[R, Any] | None:
        """Return a record with the one of another type that its field `pointer` names, None for none: in one query."""
        statements, target = self._statements[cls], self._statements[other]
        statements.shape.check_keys(keys)
        row = self._read(statements.find_joined(shaped(keys), target, pointer), bound(keys)).first()
        if row is None:
            return None
        names, others = statements.shape.names, target.shape.names
        record = cls(**dict(zip(names, row[: len(names)], strict=True)))
        found = dict(zip(others, row[len(names) :], strict=True))
        return record, None if found[target.shape.primary] is None else other(**found)

    def select(
        self, cls: type[R], /, *, limit: int = 100, after: str | None = None, **where: Condition
    ) -> list[R]:
        """See Store.select."""
        statements = self._statements[cls]
        statements.shape.check_searchable(where)
        parameters = {**bound(where), "limit": limit}
        if after is not None:
            parameters["after"] = after
        rows = self._read(statements.select(shaped(where), after=after is not None), parameters)
        names = statements.shape.names
        return [cls(**dict(zip(names, row, strict=True))) for row in rows]

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
        statements = self._statements[cls]
        statements.shape.check_walk(by, where, prefix)
        bound_ = successor(prefix)
        route = Route(by, shaped(where), descending, after is not None, bool(prefix), bound_ is not None)
        parameters: dict[str, object] = {**bound(where), "limit": limit}
        if after is not None:
            parameters["value"], parameters["key"] = after
        if prefix:
            parameters["prefix"], parameters["bound"] = prefix, bound_
        rows = self._read(statements.walk(route), parameters)
        names = statements.shape.names
        return [cls(**dict(zip(names, row, strict=True))) for row in rows]

    def take(self, record: object, at: int) -> None:
        """See Store.take."""
        cls = type(record)
        statements = self._statements[cls]
        if statements.take is None:
            raise ValueError(f"{statements.shape.record.name} has no field taken_at")
        primary = statements.shape.primary
        key = getattr(record, primary)
        if not self._write(statements.take, {f"w_{primary}": key, "at": at}):
            raise Replayed(self.find(cls, **{primary: key}) or record)

    def change(self, cls: type[Any], where: Mapping[str, Condition], /, **values: object) -> int:
        """See Store.change."""
        statements = self._statements[cls]
        statements.shape.check_anchored(where)
        statements.shape.check_change(values)
        try:
            return self._write(statements.change(shaped(where), tuple(values)), bound(where, values))
        except IntegrityError as error:
            if not _is_duplicate(error):
                raise
            self._doom()
            raise _duplicate(cls) from None

    def remove(self, cls: type[Any], /, **where: Condition) -> int:
        """See Store.remove."""
        statements = self._statements[cls]
        statements.shape.check_anchored(where)
        return self._write(statements.remove(shaped(where)), bound(where))

    def purge(self, cls: type[Any], /, *, now: int, limit: int) -> int:
        """See Store.purge."""
        statements = self._statements[cls]
        if statements.shape.record.expires is None:
            return 0
        self._check_alive()
        removed = 0
        while removed < limit:
            chunk = min(limit - removed, PURGE_CHUNK)
            keys = self._read(statements.expired, {"now": now, "limit": chunk}).scalars().all()
            if not keys:
                break
            try:
                removed += self._write(
                    statements.remove_expired, {f"w_{statements.shape.primary}": keys, "now": now}
                )
            except DBAPIError as error:
                if self._local.depth or not _is_deadlock(error):
                    raise  # else another process deletes the same rows: see what it leaves
        return removed

    def expired(self, cls: type[Any], /, *, now: int, limit: int) -> int:
        """See Store.expired."""
        statements = self._statements[cls]
        if statements.shape.record.expires is None:
            return 0
        return int(self._read(statements.count_expired, {"now": now, "limit": limit}).scalar_one())

    def _read(self, statement: Executable, parameters: Mapping[str, Any]) -> CursorResult[Any]:
        """Read; once more on a new connection if this one is gone, unless a transaction went with it."""
        try:
            return self._connection().execute(statement, parameters)
        except DBAPIError as error:
            if self._fail(error):
                raise
        return self._connection().execute(statement, parameters)

    def _write(self, statement: Executable, parameters: Mapping[str, Any]) -> int:
        """Write, within the transaction of this thread if there is one; return how many rows."""
        self._check_alive()
        if self._local.depth and not self._local.begun:
            self._open()
        try:
            return self._connection().execute(statement, parameters).rowcount
        except DBAPIError as error:
            self._fail(error)
            raise

    def _check_alive(self) -> None:
        if self._local.doomed:
            raise RuntimeError("this transaction has failed; leave it before you write again")

    def _open(self) -> None:
        """Begin; nothing is lost by beginning again on a new connection."""
        try:
            self._connection().exec_driver_sql(self._begin)
        except DBAPIError as error:
            if self._fail(error):
                raise
            self._connection().exec_driver_sql(self._begin)
        self._local.begun = True

    def _commit(self) -> None:
        if self._local.doomed:
            raise RuntimeError("a nested transaction failed, so nothing was kept; let its exception pass")
        if self._local.begun:
            self._connection().exec_driver_sql("COMMIT")

    def _doom(self) -> None:
        """Roll the transaction back, once."""
        local = self._local
        if not local.begun:
            return
        local.begun, local.doomed = False, True
        if local.lease is not None:
            try:
                local.lease.connection.exec_driver_sql("ROLLBACK")
            except SQLAlchemyError:
                local.lease.connection.invalidate()
                local.lease = None

    def _fail(self, error: DBAPIError) -> bool:
        """Clear up after an error of the database; say whether it must be raised."""
        begun = self._local.begun
        if error.connection_invalidated:
            self._local.lease = None
        if not _is_mariadb_duplicate(error):
            self._doom()
        return begun or not error.connection_invalidated

    def _connection(self) -> Connection:
        lease = self._local.lease
        if lease is None or lease.pid != os.getpid():
            lease = self._local.lease = self._lease()
        return lease.connection

    def _lease(self) -> _Lease:
        if self._pid != os.getpid():
            _inherited.append(self.engine.pool)
            self.engine.dispose(close=False)
            self._pid = os.getpid()
        return _Lease(self.engine.connect())


def _columns(shape: Shape, tables: Mapping[str, Table]) -> Mapping[str, Column[Any]]:
    """Return the column of each field: of our table, or of the one that a deployment's own model is mapped to."""
    if shape.record.model is None:
        return dict(tables[PREFIX + shape.record.name].c.items())
    from portula_storage_sql.mapped import columns_of

    return columns_of(shape.record.model, shape.record.replaces)


def _duplicate(cls: type[Any]) -> DuplicateRecord:
    return DuplicateRecord(f"{cls.__name__}: a record with one of these keys exists")


def _let_go(engine: Engine, local: _Local, pid: int) -> None:
    """Close the connections of a store that nobody holds any more; never those of the parent process."""
    if pid == os.getpid():
        local.lease = None
        engine.dispose()


def _is_duplicate(error: DBAPIError) -> bool:
    """Recognize the errors for a key that is taken."""
    orig = error.orig
    if isinstance(orig, sqlite3.Error):
        return orig.sqlite_errorname in SQLITE_DUPLICATE
    return getattr(orig, "sqlstate", None) == POSTGRESQL_DUPLICATE or _is_mariadb_duplicate(error)


def _is_deadlock(error: DBAPIError) -> bool:
    """Recognize the error for a statement that gave way to another; SQLite lets writers wait instead."""
    orig = error.orig
    return getattr(orig, "sqlstate", None) == POSTGRESQL_DEADLOCK or MARIADB_DEADLOCK in getattr(
        orig, "args", ()
    )


def _is_mariadb_duplicate(error: DBAPIError) -> bool:
    return (
        isinstance(error, IntegrityError) and error.orig is not None and MARIADB_DUPLICATE in error.orig.args
    )
