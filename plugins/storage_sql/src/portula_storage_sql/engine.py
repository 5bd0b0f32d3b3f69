"""Engines that commit each statement by itself; a transaction is opened in so many words by the store."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from stat import S_IMODE
from typing import Any

from sqlalchemy import Connection, Engine, NullPool, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from portula.errors import ConfigError
from portula.plugin import RecordType
from portula_storage_sql import galera
from portula_storage_sql.tables import MARIADB

BUSY_SECONDS = 10
"""Seconds a SQLite connection waits for another process to finish writing."""

DRIVERS = {
    "sqlite": "sqlite",
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
}
"""Drivers of URLs that name none."""

BEGIN = {
    "sqlite": "BEGIN IMMEDIATE",
    "postgresql": "BEGIN ISOLATION LEVEL READ COMMITTED",
    "mysql": "START TRANSACTION",
    "mariadb": "START TRANSACTION",
}
"""How each engine opens a writing transaction. A deferred one on SQLite fails when it meets another writer."""


MARIADB_ARGS = {"init_command": "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED"}


def parse_url(text: str) -> URL:
    """Read DATABASE_URL.

    Raises:
        ConfigError: it cannot be read, or names a database that is not supported; its password is not repeated.
    """
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise ConfigError(
            "DATABASE_URL: not a URL; write e.g. postgresql+psycopg://user:password@host/name"
        ) from None
    url = url.set(drivername=DRIVERS.get(url.drivername, url.drivername))
    if url.get_backend_name() not in BEGIN:
        raise ConfigError(
            f"DATABASE_URL: {url.drivername} is not supported; use SQLite, PostgreSQL or MariaDB"
        )
    if url.get_backend_name() == "sqlite" and url.database in (None, "", ":memory:"):
        raise ConfigError("DATABASE_URL: SQLite needs a file; threads do not share a database in memory")
    return url


def embedded_url(folder: Path) -> URL:
    """Return the address of the database in a folder, whatever characters the path is made of."""
    return URL.create("sqlite", database=str(folder / "portula.sqlite3"))


def refuse_models(records: Sequence[RecordType]) -> None:
    """Refuse models of the deployment's own without DATABASE_URL: their tables are not in the embedded file."""
    findings = [
        f"DATABASE_URL: {record.model.__module__}.{record.model.__qualname__} stands for {record.name}, so name the "
        "database that its table is in, e.g. the SQLALCHEMY_DATABASE_URI of the app"
        for record in records
        if record.model is not None
    ]
    if findings:
        raise ConfigError(*findings)


def make_engine(
    url: URL | str,
    *,
    connect_timeout: int = 5,
    statement_timeout: float = 10,
    prepared_statements: bool = True,
    cluster_waits: bool = True,
    make_folder: bool = False,
) -> Engine:
    """Make an engine that keeps no connection; nothing connects yet.

    Args:
        url: where the database is; times that it names count.
        connect_timeout: seconds within which a server has to accept a connection.
        statement_timeout: seconds within which it has to answer a statement.
        prepared_statements: whether PostgreSQL may prepare statements.
        cluster_waits: whether reads at a node of Galera wait until it has what was committed at the others.
        make_folder: create the folder of a SQLite file, and keep others from both, before the first connection.

    Raises:
        ConfigError: the URL is not supported or its driver not installed.
    """
    url = parse_url(url) if isinstance(url, str) else url
    backend = url.get_backend_name()
    connect_args = {"timeout": BUSY_SECONDS} if backend == "sqlite" else {"connect_timeout": connect_timeout}
    connect_args |= _further_args(backend, statement_timeout, prepared_statements=prepared_statements)
    if backend in MARIADB:
        url = url.update_query_dict({"charset": "utf8mb4"})
    try:
        engine = create_engine(
            url,
            isolation_level="AUTOCOMMIT",
            connect_args={name: value for name, value in connect_args.items() if name not in url.query},
            poolclass=NullPool,
            pool_reset_on_return=None,
            hide_parameters=True,
        )
    except (ModuleNotFoundError, NoSuchModuleError):
        raise ConfigError(_no_driver(url)) from None
    if backend == "sqlite":
        _prepare_sqlite(engine, Path(str(url.database)), embedded=make_folder)
    elif backend in MARIADB:
        galera.follow(engine, waits=cluster_waits)
    elif url.drivername == DRIVERS["postgresql"]:
        from portula_storage_sql.psycopg_waits import bound_waits

        bound_waits(engine, statement_timeout)
    return engine


def _further_args(backend: str, statement_timeout: float, *, prepared_statements: bool) -> dict[str, Any]:
    if backend == "postgresql" and not prepared_statements:
        return {"prepare_threshold": None}
    if backend in MARIADB:
        return MARIADB_ARGS | dict.fromkeys(("read_timeout", "write_timeout"), statement_timeout)
    return {}


def _no_driver(url: URL) -> str:
    """Say how to get the driver of a URL; one that is not among ours is best left out of it."""
    backend = url.get_backend_name()
    extra = "mariadb" if backend in MARIADB else backend
    write = "" if url.drivername in DRIVERS.values() else f"write {backend}://… and "
    run = f"run `pip install 'portula[{extra}]'`"
    return f"DATABASE_URL: the driver of {url.drivername} is not installed; {write}{run}"


def wait_for_ever(connection: Connection) -> None:
    """Let the statements of a connection take as long as they take."""
    driver: Any = connection.connection.driver_connection
    if connection.dialect.name == "postgresql":
        driver.statement_seconds = None
    elif connection.dialect.name in MARIADB:
        driver._read_timeout = driver._write_timeout = None  # noqa: SLF001 - PyMySQL takes them when it connects only


def _prepare_sqlite(engine: Engine, file: Path, *, embedded: bool) -> None:
    @event.listens_for(engine, "do_connect")
    def make_private(*_: object) -> None:
        if embedded:
            file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            for part in (file, *(file.with_name(f"{file.name}{ending}") for ending in ("-wal", "-shm"))):
                _close_to_others(part)
        _create_private(file)

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _: object) -> None:
        cursor = connection.cursor()
        _use_wal(cursor)
        # FULL: with NORMAL a commit that was acknowledged may be lost when the power fails.
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()


def _create_private(file: Path) -> None:
    """Make an empty file that its owner alone can read, where none is; SQLite reports what stands in the way."""
    if not str(file).startswith("file:"):  # a URI, which SQLite reads
        with suppress(OSError):
            os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


def _close_to_others(file: Path) -> None:
    """Take from group and others what they may do with a file; one that is not ours to change stays as it is."""
    with suppress(OSError):
        if S_IMODE(file.stat().st_mode) & 0o077:
            file.chmod(0o600)


def _use_wal(cursor: Any) -> None:
    """Switch the file to write-ahead logging; unlike all else, the switch does not wait for other processes."""
    deadline = time.monotonic() + BUSY_SECONDS
    while cursor.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
