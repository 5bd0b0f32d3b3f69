"""The schema as the database has it, read without Alembic.

A provider whose schema is up to date never imports that, which is a tenth of its start and of its memory.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, MetaData, Table, inspect, text
from sqlalchemy.exc import DBAPIError

from portula.errors import ConfigError
from portula.plugin import RecordType
from portula_storage_sql.driver_errors import raise_translated, unreachable
from portula_storage_sql.engine import wait_for_ever
from portula_storage_sql.tables import MARIADB

VERSION_TABLE = "portula_version"
"""Holds the number of the last migration; apart from the application's own `alembic_version`."""

VERSION = text(f"SELECT version_num FROM {VERSION_TABLE}")  # noqa: S608 - a constant

MIGRATIONS = Path(__file__).parent / "migrations"

_UNFINISHED = """
SELECT relation.relname
FROM pg_index JOIN pg_class AS relation ON relation.oid = pg_index.indexrelid
WHERE NOT pg_index.indisvalid
  AND starts_with(relation.relname, 'ix_portula_')
  AND pg_table_is_visible(relation.oid)
  AND NOT EXISTS (SELECT FROM pg_stat_progress_create_index AS build WHERE build.index_relid = relation.oid)
ORDER BY 1
"""


@functools.cache
def _revisions() -> tuple[str, ...]:
    """Return the numbers of the migrations of this release, with which their files' names begin, the last one first."""
    files = (MIGRATIONS / "versions").glob("[0-9]*.py")
    return tuple(sorted((path.name.partition("_")[0] for path in files), reverse=True))


def head() -> str:
    """Return the number of the last migration of this release."""
    return _revisions()[0]


def newer(version: str | None) -> bool:
    """Say whether a schema is newer than this code: a later release has migrated it, and only added to it.

    Raises:
        ConfigError: it has a number that no migration of ours ever had.
    """
    known = _revisions()
    if version is None or version in known:
        return False
    if not version.isdecimal() or version < known[0]:
        raise ConfigError(f"DATABASE: {VERSION_TABLE} names {version!r}, which is no migration of portula")
    return True


def current(engine: Engine) -> str | None:
    """Return the number of the last migration applied, None on an empty database."""
    with connect(engine) as connection:
        return version_of(connection)


def version_of(connection: Connection) -> str | None:
    """Return the number of the last migration applied, None on an empty database."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    version: str | None = connection.execute(VERSION).scalar()
    return version


def is_complete(engine: Engine, metadata: MetaData) -> bool:
    """Say whether the last migration has run and each table has its columns and indexes; else see `migrate.pending`."""
    with connect(engine) as connection:
        inspector = inspect(connection)
        if version_of(connection) != head() or unfinished_indexes(connection):
            return False
        names = list(metadata.tables)
        columns = inspector.get_multi_columns(filter_names=names)
        indexes = inspector.get_multi_indexes(filter_names=names)
        return all(
            {column.name for column in table.columns} <= {each["name"] for each in columns.get(key, ())}
            and {_facts(index.name, index.columns.keys(), unique=index.unique) for index in table.indexes}
            <= {
                _facts(each["name"], each["column_names"], unique=each["unique"])
                for each in indexes.get(key, ())
            }
            for table in metadata.tables.values()
            for key in [(None, table.name)]
        )


def _facts(
    name: str | None, columns: Iterable[str | None], *, unique: bool | None
) -> tuple[str | None, tuple[str | None, ...], bool]:
    return name, tuple(columns), bool(unique)


def unfinished_indexes(connection: Connection) -> list[str]:
    """Return the names of indexes of ours that a build left behind unfinished and that nobody is building now."""
    if connection.dialect.name != "postgresql":
        return []
    return list(connection.exec_driver_sql(_UNFINISHED).scalars())


def lacking(engine: Engine, records: Sequence[RecordType]) -> list[str]:
    """Return what the tables of models of the deployment's own lack, a line each; their migrations are not ours."""
    found: list[str] = []
    with connect(engine) as connection:
        inspector = inspect(connection)
        for record in records:
            if record.model is None:
                continue
            table: Table = record.model.__table__
            if not inspector.has_table(table.name, table.schema):
                found.append(f"table {table.fullname}")
                continue
            there = {column["name"] for column in inspector.get_columns(table.name, table.schema)}
            found += [
                f"column {table.fullname}.{column.name}" for column in table.c if column.name not in there
            ]
    return found


@contextmanager
def connect(engine: Engine, *, bounded: bool = True) -> Iterator[Connection]:
    """Connect; what is done takes as long as it takes where it is not `bounded`.

    Raises:
        StorageDown: the database does not answer.
        ConfigError: it is MySQL.
    """
    try:
        connection = engine.connect()
    except DBAPIError as error:
        raise unreachable(error.orig, engine.url) from None
    try:
        with connection:
            if engine.dialect.name in MARIADB and not getattr(engine.dialect, "is_mariadb", False):
                raise ConfigError("DATABASE_URL: MySQL is not supported; use MariaDB")
            if not bounded:
                wait_for_ever(connection)
            yield connection
    except DBAPIError as error:
        raise_translated(error, error.orig, engine.url)
