"""Databases: a place of its own on an engine for each server, what the engine's processes cost, and how it writes."""

from __future__ import annotations

import os
import uuid
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import redis
import sqlalchemy

from servers.cpu import cpu_seconds, those_that_run

BACKENDS = "SELECT pid FROM pg_stat_activity WHERE datname = %s"
CONNECT_SECONDS = 10


class EngineMissing(Exception):
    """A database server has no address, or does not answer."""


class Engine(ABC):
    """A database server that an environment variable names."""

    variable: str

    def __init__(self) -> None:
        """Read the variable."""
        self.url = os.environ.get(self.variable, "")

    @contextmanager
    @abstractmethod
    def place(self) -> Iterator[str]:
        """Give the URL of a new database there; drop it afterwards."""

    @abstractmethod
    def cpu_seconds(self, url: str) -> float | None:
        """Return the CPU seconds of the processes that serve this database; None when they cannot be found."""

    @abstractmethod
    def settings(self) -> dict[str, str]:
        """Return the settings that decide whether a commit is on disk."""

    def durability(self) -> dict[str, str]:
        """Return the same.

        Raises:
            EngineMissing: nobody can be asked.
        """
        if not self.url:
            raise EngineMissing(f"{self.variable} is not set; `make services` starts one")
        try:
            return self.settings()
        except (sqlalchemy.exc.SQLAlchemyError, redis.RedisError) as error:
            raise EngineMissing(f"{self.variable}: {str(error).splitlines()[0]}") from error


class SqlEngine(Engine):
    """A server that SQLAlchemy connects to."""

    drop = "DROP DATABASE {}"

    def __init__(self) -> None:
        """Make no connection yet."""
        super().__init__()
        self._admin: sqlalchemy.Connection | None = None

    @property
    def admin(self) -> sqlalchemy.Connection:
        """A connection that asks the server about itself."""
        if self._admin is None:
            made = sqlalchemy.create_engine(
                self.url, isolation_level="AUTOCOMMIT", connect_args={"connect_timeout": CONNECT_SECONDS}
            )
            self._admin = made.connect()
        return self._admin

    def ask(self, statement: str, *parameters: Any) -> list[Any]:
        """Return the rows of a statement."""
        result = self.admin.exec_driver_sql(statement, parameters)
        return list(result) if result.returns_rows else []

    @contextmanager
    def place(self) -> Iterator[str]:
        """Give the URL of a new database; drop it afterwards."""
        name = f"portula_bench_{uuid.uuid4().hex[:12]}"
        self.ask(f"CREATE DATABASE {name}")
        try:
            yield self.admin.engine.url.set(database=name).render_as_string(hide_password=False)
        finally:
            self.ask(self.drop.format(name))


class PostgreSQL(SqlEngine):
    """Its backends are processes of their own, so that each server's can be told apart."""

    variable = "PORTULA_TEST_POSTGRESQL_URL"
    drop = "DROP DATABASE {} WITH (FORCE)"

    def cpu_seconds(self, url: str) -> float:
        """Return what the backends of a database took."""
        rows = self.ask(BACKENDS, sqlalchemy.make_url(url).database)
        return sum(those_that_run(pid for (pid,) in rows))

    def settings(self) -> dict[str, str]:
        """Return what a commit waits for."""
        return {name: self.ask(f"SHOW {name}")[0][0] for name in ("fsync", "synchronous_commit")}


class MariaDB(SqlEngine):
    """One process for all; others' work is in its figures."""

    variable = "PORTULA_TEST_MARIADB_URL"

    @cached_property
    def pid(self) -> int | None:
        """The server's process; None where its file cannot be read."""
        ((file,),) = self.ask("SELECT @@pid_file")
        try:
            return int(Path(file).read_text())
        except OSError:
            return None

    def cpu_seconds(self, url: str) -> float | None:
        """Return what the server took."""
        return None if self.pid is None else cpu_seconds([self.pid])

    def settings(self) -> dict[str, str]:
        """Return what a commit waits for."""
        name = "innodb_flush_log_at_trx_commit"
        return {name: str(self.ask(f"SELECT @@{name}")[0][0])}


class Redis(Engine):
    """One process for all; a place there is what all keys begin with."""

    variable = "PORTULA_TEST_REDIS_URL"

    @cached_property
    def admin(self) -> Any:
        """A connection that asks the server about itself."""
        return redis.Redis.from_url(self.url, decode_responses=True, socket_timeout=CONNECT_SECONDS)

    @contextmanager
    def place(self) -> Iterator[str]:
        """Give the URL with a prefix as its fragment; delete the keys of this prefix afterwards."""
        prefix = f"bench-{uuid.uuid4().hex[:12]}"
        try:
            yield f"{self.url}#{prefix}"
        finally:
            for key in self.admin.scan_iter(match=f"*{prefix}*", count=1000):
                self.admin.delete(key)

    @cached_property
    def pid(self) -> int:
        """The server's process."""
        return int(self.admin.info("server")["process_id"])

    def cpu_seconds(self, url: str) -> float:
        """Return what the server took."""
        return cpu_seconds([self.pid])

    def settings(self) -> dict[str, str]:
        """Return what an answer waits for."""
        return {name: self.admin.config_get(name)[name] for name in ("appendonly", "appendfsync")}


ENGINES: dict[str, type[Engine]] = {"postgresql": PostgreSQL, "mariadb": MariaDB, "redis": Redis}
"""By the name that sides use; SQLite is a file and needs none."""
