"""The store: portula's verbs in SQL."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import Column, Engine, Table, text
from sqlalchemy.exc import DBAPIError

from portula.errors import ConfigError
from portula.plugin import Condition, Counts, Cursor, Plan, Pointer, RecordShape, RecordType, Writes, shape_of
from portula_storage_sql.connections import Connections, PoolSize
from portula_storage_sql.driver_errors import is_retryable
from portula_storage_sql.plans import Plans
from portula_storage_sql.schema import VERSION, current, head, is_complete, newer
from portula_storage_sql.statements import (
    Route,
    Statements,
    bind_values,
    pointer_parameters,
    shape_of_conditions,
    successor,
)
from portula_storage_sql.tables import PREFIX, metadata_of

log = logging.getLogger("portula")

R = TypeVar("R")

_ANYTHING = text("SELECT 1")

PURGE_CHUNK = 500
"""Rows one DELETE of `purge` removes: few enough to hold no other writer up."""


class SqlStore:
    """Keeps records in SQLite, PostgreSQL or MariaDB; a verb raises StorageDown when the database does not answer."""

    def __init__(
        self,
        engine: Engine,
        records: Sequence[RecordType],
        *,
        embedded: bool = False,
        pool: PoolSize | None = None,
    ) -> None:
        """Prepare the statements; nothing connects yet.

        Args:
            engine: made by make_engine.
            records: types to keep.
            embedded: the database is ours alone, so that `ready` migrates it.
            pool: how many connections there may be.
        """
        self.engine = engine
        self.records = tuple(records)
        self._embedded = embedded
        self._connections = Connections(engine, pool or PoolSize())
        shapes = [shape_of(record) for record in records]
        ours = [shape for shape in shapes if shape.record.model is None]
        self._metadata = metadata_of(ours, engine.dialect.name)
        tables = self._metadata.tables
        self._statements = {
            shape.record.cls: Statements(shape, _columns(shape, tables), engine.dialect.name)
            for shape in shapes
        }
        self._kinds = {record.cls: record for record in self.records}
        self._plans = Plans(self._connections, self._statements)

    def ready(self) -> None:
        """Check the schema at the end of start-up; migrate it when the database is embedded.

        Raises:
            StorageDown: the database does not answer.
            ConfigError: the schema is behind.
        """
        if not is_complete(self.engine, self._metadata):
            self._migrate()
        self.close()

    def _migrate(self) -> None:
        from portula_storage_sql import migrate

        pending = migrate.pending(self.engine, self.records)
        if pending and not self._embedded:
            raise ConfigError(
                f"DATABASE: the schema is behind ({'; '.join(pending)}); run `portula db upgrade`"
            )
        if pending:
            migrate.upgrade(self.engine, self.records)
        version = current(self.engine)
        if newer(version):
            log.warning("the schema (%s) is newer than this release; it is served all the same", version)

    def answers(self) -> None:
        """Read something small.

        Raises:
            StorageDown: the database does not answer.
        """
        self._connections.read(_ANYTHING, {})

    def fits(self) -> None:
        """Compare the number of the schema with the migrations of this release; tables are not looked at.

        Raises:
            StorageDown: the database does not answer.
            ConfigError: migrations are due.
        """
        rows = self._connections.read(VERSION, {})
        version = str(rows[0][0]) if rows else None
        if version != head() and not newer(version):
            raise ConfigError(f"DATABASE: the schema is at {version}, and {head()} is due")

    def close(self) -> None:
        """Close the connections that nobody uses, e.g. before workers are forked."""
        self._connections.close()

    def statements(self, cls: type[Any]) -> Statements:
        """Return the statements of a record class, e.g. to look at its table."""
        return self._statements[cls]

    def find(self, cls: type[R], /, **keys: Condition) -> R | None:
        """See Store.find."""
        statements = self._statements[cls]
        statements.shape.check_keys(keys)
        rows = self._connections.read(statements.find(shape_of_conditions(keys)), bind_values(keys))
        found: R | None = statements.record(rows[0]) if rows else None
        return found

    def find_joined(self, cls: type[Any], /, *along: Pointer, **keys: Condition) -> tuple[Any, ...] | None:
        """See Storage.find_along: in one query."""
        statements = self._statements[cls]
        statements.shape.check_keys(keys)
        targets = tuple([(pointer, self._statements[pointer.cls]) for pointer in along])
        parameters = {**bind_values(keys), **pointer_parameters(along)}
        statement = statements.find_joined(shape_of_conditions(keys), targets, keys.get("realm"))
        rows = self._connections.read(statement, parameters)
        if not rows:
            return None
        row = rows[0]
        end = len(statements.shape.names)
        found = [statements.record(row[:end])]
        for _, target in targets:
            begin, end = end, end + len(target.shape.names)
            found.append(target.joined_record(row[begin:end]))
        return tuple(found)

    def select(
        self, cls: type[R], /, *, limit: int = 100, after: str | None = None, **where: Condition
    ) -> list[R]:
        """See Store.select."""
        statements = self._statements[cls]
        statements.shape.check_searchable(where)
        parameters = {**bind_values(where), "limit": limit}
        if after is not None:
            parameters["after"] = after
        rows = self._connections.read(
            statements.select(shape_of_conditions(where), after=after is not None), parameters
        )
        return [statements.record(row) for row in rows]

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
        statements = self._statements[cls]
        statements.shape.check_walk(by, where, prefix)
        bound_ = successor(prefix)
        route = Route(
            by, shape_of_conditions(where), descending, after is not None, bool(prefix), bound_ is not None
        )
        parameters: dict[str, object] = {**bind_values(where), "limit": limit}
        if after is not None:
            parameters["value"], parameters["key"] = after
        if prefix:
            parameters["prefix"], parameters["bound"] = prefix, bound_
        rows = self._connections.read(statements.walk(route), parameters)
        return [statements.record(row) for row in rows]

    def apply(self, plan: Plan) -> Counts:
        """See Store.apply."""
        return self._plans.apply(Writes.of(plan, self._kinds))

    def purge(self, cls: type[Any], /, *, now: int, limit: int, realm: str | None = None) -> int:
        """See Store.purge."""
        statements, where = self._statements[cls], _of_realm(realm)
        if statements.shape.record.expires is None:
            return 0
        expired, given = statements.expiry(shape_of_conditions(where)), {**bind_values(where), "now": now}
        removed = 0
        while removed < limit:
            chunk = min(limit - removed, PURGE_CHUNK)
            rows = self._connections.read(expired.keys, {**given, "limit": chunk})
            keys = [row[0] for row in rows]
            if not keys:
                break
            try:
                met = self._connections.write(
                    expired.remove, {**given, f"w_{statements.shape.primary}": keys}
                )
            except DBAPIError as error:
                if not is_retryable(error):
                    raise  # else another process deletes the same rows: see what it leaves
                continue
            removed += met
            if len(keys) == met < chunk:
                break
        return removed

    def count_expired(self, cls: type[Any], /, *, now: int, limit: int, realm: str | None = None) -> int:
        """See Store.expired."""
        statements, where = self._statements[cls], _of_realm(realm)
        if statements.shape.record.expires is None:
            return 0
        count, given = (
            statements.expiry(shape_of_conditions(where)).count,
            {**bind_values(where), "now": now, "limit": limit},
        )
        return int(self._connections.read(count, given)[0][0])


def _of_realm(realm: str | None) -> dict[str, str]:
    return {} if realm is None else {"realm": realm}


def _columns(shape: RecordShape, tables: Mapping[str, Table]) -> Mapping[str, Column[Any]]:
    """Return the column of each field: of our table, or of the one that a deployment's own model is mapped to."""
    if shape.record.model is None:
        return dict(tables[PREFIX + shape.record.name].c.items())
    from portula_storage_sql.mapping import columns_of

    return columns_of(shape.record.model, shape.record.replaces)
