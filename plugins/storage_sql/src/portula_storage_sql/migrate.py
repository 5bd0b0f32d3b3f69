"""The schema: numbered migrations for core's records, additive comparison for those other rooms contribute.

Nothing here drops or narrows anything, or touches the tables of models of the deployment's own.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from alembic import command
from alembic.autogenerate import produce_migrations
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.operations import Operations, ops
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, DefaultClause, Engine, MetaData, false, inspect, true

from portula.errors import ConfigError
from portula.plugin import CORE_RECORDS, RecordField, RecordType, shape_of
from portula_storage_sql import online
from portula_storage_sql.engine import BEGIN
from portula_storage_sql.schema import MIGRATIONS, connect, newer, unfinished_indexes, version_of
from portula_storage_sql.tables import MARIADB, PREFIX, encode, metadata_of

UPGRADE_LOCK = 0x706F7274756C61
"""Key of PostgreSQL's advisory lock: `portula` in ASCII."""

BUILD_LOCK = UPGRADE_LOCK + 1
"""The same, of who builds indexes."""

LOCK_SECONDS = 60
"""Seconds an upgrade on MariaDB waits for another one."""

Addition = ops.CreateTableOp | ops.CreateIndexOp | ops.AddColumnOp


def pending(engine: Engine, records: Sequence[RecordType]) -> list[str]:
    """Return what `upgrade` would do, a line each; empty when the schema is up to date."""
    with connect(engine) as connection:
        migrations = _migrations(connection)
        theirs = bool(migrations) or newer(version_of(connection))
        additions = _additions(connection, records, with_core=not theirs)
        again = [f"index {name}" for name in unfinished_indexes(connection)]
        return migrations + [_line(addition) for addition in additions] + again


def upgrade(
    engine: Engine, records: Sequence[RecordType], report: Callable[[str], None] | None = None
) -> list[str]:
    """Apply what is pending; of two processes at once, the second finds nothing left to do.

    Args:
        engine: the database.
        records: types it shall keep.
        report: called with each line before it is done.

    Returns:
        What was done, a line each.

    Raises:
        StorageDown: the database does not answer.
        ConfigError: a record type gained a field without a default.
    """
    done: list[str] = []

    def tell(line: str) -> None:
        done.append(line)
        if report is not None:
            report(line)

    with _alone(engine), connect(engine, bounded=False) as connection:
        online.drop_unfinished(connection)
        with _upgrade_lock(connection):
            later = _upgrade(connection, records, tell)
        for index in later:
            tell(_line(index))
            online.create_index(connection, index)
    return done


@contextmanager
def _alone(engine: Engine) -> Iterator[None]:
    """Let one process at a time build indexes on PostgreSQL: of two at one table, one would be ended as a deadlock.

    The lock is asked for again and again, and held by a transaction that does nothing else: an index that is built
    CONCURRENTLY waits for whoever has a snapshot, and so for whoever waits within a statement.
    """
    if engine.dialect.name != "postgresql":
        yield
        return
    with connect(engine, bounded=False) as holder:
        holder.exec_driver_sql("BEGIN")
        holder.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
        while not holder.exec_driver_sql(f"SELECT pg_try_advisory_xact_lock({BUILD_LOCK})").scalar():
            time.sleep(0.2)
        try:
            yield
        finally:
            holder.exec_driver_sql("ROLLBACK")


def _upgrade(
    connection: Connection, records: Sequence[RecordType], tell: Callable[[str], None]
) -> list[ops.CreateIndexOp]:
    """Do what takes no time however many rows there are; return the indexes that do, on tables that were there."""
    there = set(inspect(connection).get_table_names())
    migrations = _migrations(connection)
    for line in migrations:
        tell(line)
    if migrations:
        config = _config()
        config.attributes["connection"] = connection
        config.attributes["theirs"] = {record.name for record in records if record.model is not None}
        command.upgrade(config, "head")
    later: list[ops.CreateIndexOp] = []
    operations = Operations(MigrationContext.configure(connection))
    for addition in _additions(connection, records, with_core=not newer(version_of(connection))):
        if (
            isinstance(addition, ops.CreateIndexOp)
            and addition.table_name in there
            and online.builds_online(connection)
        ):
            later.append(addition)
        else:
            tell(_line(addition))
            operations.invoke(addition)
    return later


@contextmanager
def _upgrade_lock(connection: Connection) -> Iterator[None]:
    """Keep other upgrades out; where DDL is transactional, also make this one atomic."""
    backend = connection.dialect.name
    if backend in MARIADB:
        name = "CONCAT('portula.', MD5(DATABASE()))"
        if connection.exec_driver_sql(f"SELECT GET_LOCK({name}, {LOCK_SECONDS})").scalar() != 1:
            raise ConfigError("DATABASE: another upgrade holds the lock")
        try:
            yield
        finally:
            connection.exec_driver_sql(f"SELECT RELEASE_LOCK({name})")
        return
    connection.exec_driver_sql(BEGIN[backend])
    try:
        if backend == "postgresql":
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({UPGRADE_LOCK})")
        yield
    except BaseException:
        connection.exec_driver_sql("ROLLBACK")
        raise
    connection.exec_driver_sql("COMMIT")


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _migrations(connection: Connection) -> list[str]:
    """Return the numbered migrations that have not run, in order; none when the schema is newer than this code."""
    script, version = ScriptDirectory.from_config(_config()), version_of(connection)
    if newer(version):
        return []
    steps = script.iterate_revisions("head", version or "base")
    return [f"migration {step.revision}: {step.doc}" for step in reversed(list(steps))]


def _additions(connection: Connection, records: Sequence[RecordType], *, with_core: bool) -> list[Addition]:
    """Return tables, columns and indexes that record types lack.

    Tables of models of the deployment's own are never among them. Those of core are there once the migrations have run:
    one is missing when its record had such a model until now, or a subclass gained a field. They are looked at
    `with_core` alone: not before their migrations, nor after those of a later release.
    """
    migrated = set() if with_core else {record.name for record in CORE_RECORDS}
    shapes = {
        PREFIX + record.name: shape_of(record)
        for record in records
        if record.model is None and record.name not in migrated
    }
    found = []
    for addition in _differences(connection, metadata_of(shapes.values())):
        if isinstance(addition, ops.AddColumnOp):
            fields = {field.name: field for field in shapes[addition.table_name].fields}
            _fill(addition, fields[addition.column.name])
        if isinstance(addition, Addition):
            found.append(addition)
    return found


def _differences(connection: Connection, metadata: MetaData) -> list[ops.MigrateOperation]:
    """Return how the tables of this metadata differ from those in the database."""

    def ours(name: str | None, type_: str, parents: Any) -> bool:
        return type_ == "schema" or (name if type_ == "table" else parents["table_name"]) in metadata.tables

    context = MigrationContext.configure(connection, opts={"include_name": ours})
    upgrade_ops = produce_migrations(context, metadata).upgrade_ops
    found: list[ops.MigrateOperation] = []
    for operation in upgrade_ops.ops if upgrade_ops else ():
        found += operation.ops if isinstance(operation, ops.ModifyTableOps) else [operation]
    return found


def _fill(addition: ops.AddColumnOp, field: RecordField) -> None:
    """Give the rows that exist already the field's default."""
    if field.nullable:
        return
    if field.default is dataclasses.MISSING:
        raise ConfigError(
            f"table {addition.table_name}: new field {field.name} needs a default, for the rows it has"
        )
    if field.kind == "bool":
        default = DefaultClause(true() if field.default else false())
    else:
        default = DefaultClause(
            encode(field.default) if field.kind in ("dict", "tuple") else str(field.default)
        )
    addition.column.server_default = default


def _line(addition: Addition) -> str:
    if isinstance(addition, ops.AddColumnOp):
        return f"column {addition.table_name}.{addition.column.name}"
    if isinstance(addition, ops.CreateIndexOp):
        return f"index {addition.index_name}"
    return f"table {addition.table_name}"
