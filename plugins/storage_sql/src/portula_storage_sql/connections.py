"""The connections of a process: so many and no more, each lent for one statement or one transaction."""

from __future__ import annotations

import os
import select
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, Executable, Select
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from portula.errors import StorageDown
from portula_storage_sql.direct import DirectStatement, direct_of
from portula_storage_sql.driver_errors import down_of, is_late, raise_translated
from portula_storage_sql.engine import BEGIN
from portula_storage_sql.tables import MARIADB

Write = Callable[[Executable, Mapping[str, Any]], int]
"""Runs a statement of a plan, which writes or is a SELECT; returns how many rows it met."""

RETRY_SECONDS = 1.0
"""After a connection could not be made: until the next attempt, what needs one fails at once."""

_inherited: list[object] = []
"""Connections of the parent process, kept for good: to close them here would disturb them there."""


@dataclass(frozen=True, slots=True)
class PoolSize:
    """How many connections there are; see the settings."""

    size: int = 10
    overflow: int = 0
    wait_seconds: float = 5.0

    @property
    def most(self) -> int:
        """How many there may be at once."""
        return self.size + self.overflow


class _Pool:
    """The connections of one process."""

    def __init__(self) -> None:
        """Begin with none."""
        self.pid = os.getpid()
        self.free = threading.Condition()
        self.idle: list[Connection] = []
        self.open = 0
        """How many there are, those too that are being made."""
        self.retry_at = 0.0
        self.failure: StorageDown | None = None
        """Why the last attempt to connect failed; None when it did not."""

    def close_idle(self) -> None:
        """Close the connections that nobody uses."""
        with self.free:
            closing, self.idle = self.idle, []
            self.open -= len(closing)
            self.free.notify_all()
        for connection in closing:
            _close(connection)


class Connections:
    """Runs statements, each on a connection that nobody else uses; outside of a transaction each commits by itself."""

    def __init__(self, engine: Engine, pool: PoolSize) -> None:
        """Take the engine; nothing connects yet."""
        self.engine = engine
        self._limits = pool
        self._pool = _Pool()
        self._begin = BEGIN[engine.dialect.name]
        self._direct: dict[Executable, DirectStatement | None] = {}
        weakref.finalize(self, _let_go, self._pool).atexit = False

    def close(self) -> None:
        """Close the connections that nobody uses."""
        self._pool.close_idle()

    @contextmanager
    def transaction(self) -> Iterator[Write]:
        """Make what is written by the function that it returns atomic; an exception rolls it back.

        Raises:
            StorageDown: the database does not answer.
        """
        with self.connection() as connection:
            connection.exec_driver_sql(self._begin)
            try:
                yield lambda statement, parameters: self._write(connection, statement, parameters)
                connection.exec_driver_sql("COMMIT")
            except BaseException:
                _roll_back(connection)
                raise

    def read(self, statement: Executable, parameters: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
        """Return the rows of a statement that reads; it is sent once more if its connection is gone.

        Raises:
            StorageDown: the database does not answer.
        """
        try:
            try:
                return self._read_once(statement, parameters)
            except DBAPIError as error:
                if not error.connection_invalidated or is_late(error):
                    raise
            return self._read_once(statement, parameters)
        except DBAPIError as error:
            raise_translated(error, error.orig, self.engine.url)

    def write(self, statement: Executable, parameters: Mapping[str, Any]) -> int:
        """Write; return how many rows.

        Raises:
            StorageDown: the database does not answer.
        """
        with self.connection() as connection:
            return self._write(connection, statement, parameters)

    def write_returning(self, statement: Executable, parameters: Mapping[str, Any]) -> Sequence[Any]:
        """Write with a statement that answers with one row; return that.

        Raises:
            StorageDown: the database does not answer.
        """
        with self.connection() as connection:
            (row,) = self._read(connection, statement, parameters)
            return row

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """Lend a connection for what can be sent once only, so one that the server has not closed.

        Raises:
            StorageDown: the database does not answer.
        """
        pool = self._of_this_process()
        try:
            connection = self._take(pool, is_write=True)
            try:
                yield connection
            except BaseException as error:
                self._take_back(pool, connection, error)
                raise
        except DBAPIError as error:
            raise_translated(error, error.orig, self.engine.url)
        self._give_back(pool, connection)

    def _read_once(self, statement: Executable, parameters: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
        pool = self._of_this_process()
        connection = self._take(pool, is_write=False)
        try:
            rows = self._read(connection, statement, parameters)
        except BaseException as error:
            self._take_back(pool, connection, error)
            raise
        self._give_back(pool, connection)
        return rows

    def _read(
        self, connection: Connection, statement: Executable, parameters: Mapping[str, Any]
    ) -> Sequence[Sequence[Any]]:
        direct = self._direct_of(statement, parameters)
        if direct is None:
            return connection.execute(statement, parameters).all()
        return direct.rows(connection, parameters)

    def _write(self, connection: Connection, statement: Executable, parameters: Mapping[str, Any]) -> int:
        if isinstance(statement, Select):
            return len(self._read(connection, statement, parameters))
        direct = self._direct_of(statement, parameters)
        if direct is None:
            return connection.execute(statement, parameters).rowcount
        return direct.row_count(connection, parameters)

    def _direct_of(self, statement: Executable, parameters: Mapping[str, Any]) -> DirectStatement | None:
        """Return what is sent to the driver itself; None while somebody listens to what SQLAlchemy executes."""
        if self.engine.dispatch.before_cursor_execute or self.engine.dispatch.after_cursor_execute:
            return None
        if statement not in self._direct:
            self._direct[statement] = direct_of(statement, parameters, self.engine.dialect)
        return self._direct[statement]

    def _take(self, pool: _Pool, *, is_write: bool) -> Connection:
        """Return a connection that nobody uses, made now if none is; wait for one if no more may be made."""
        deadline = time.monotonic() + self._limits.wait_seconds
        while True:
            with pool.free:
                while not pool.idle and pool.open >= self._limits.most:
                    if not pool.free.wait(deadline - time.monotonic()):
                        raise StorageDown(
                            f"DATABASE_POOL_SIZE: none of {self._limits.most} connections was free for "
                            f"{self._limits.wait_seconds:g} s"
                        )
                connection = pool.idle.pop() if pool.idle else None
                if connection is None:
                    _refuse_for_a_while(pool)
                    pool.open += 1
            if connection is None:
                return self._connect(pool)
            if not is_write or not is_closed(connection):
                return connection
            self._discard(pool, connection)

    def _connect(self, pool: _Pool) -> Connection:
        made = False
        try:
            connection = self.engine.connect()
            made = True
        except DBAPIError as error:
            pool.failure = down_of(error.orig, self.engine.url)
            raise
        finally:
            if not made:
                with pool.free:
                    pool.open -= 1
                    pool.retry_at = time.monotonic() + RETRY_SECONDS
                    pool.free.notify()
        pool.failure = None
        return connection

    def _take_back(self, pool: _Pool, connection: Connection, error: BaseException) -> None:
        """Take a connection from who failed with it: one that is lost, or was left in a statement, is closed."""
        if isinstance(error, Exception) and not connection.invalidated:
            self._give_back(pool, connection)
            return
        self._discard(pool, connection)
        if isinstance(error, DBAPIError):
            pool.close_idle()  # the server has closed them too, or does not answer on them either

    def _give_back(self, pool: _Pool, connection: Connection) -> None:
        with pool.free:
            pooled = len(pool.idle) < self._limits.size
            if pooled:
                pool.idle.append(connection)
                pool.free.notify()
        if not pooled:
            self._discard(pool, connection)

    @staticmethod
    def _discard(pool: _Pool, connection: Connection) -> None:
        _close(connection)
        with pool.free:
            pool.open -= 1
            pool.free.notify()

    def _of_this_process(self) -> _Pool:
        if self._pool.pid != os.getpid():
            _inherited.append(self._pool)
            self._pool = _Pool()
            weakref.finalize(self, _let_go, self._pool).atexit = False
        return self._pool


def _refuse_for_a_while(pool: _Pool) -> None:
    """Fail at once while the last attempt to connect failed a moment ago; one thread at a time tries again.

    Raises:
        StorageDown: that is so.
    """
    if pool.failure is None:
        return
    now = time.monotonic()
    if now < pool.retry_at:
        raise StorageDown(*pool.failure.findings)
    pool.retry_at = now + 60  # until this attempt has an end, which sets it anew


def _roll_back(connection: Connection) -> None:
    try:
        connection.exec_driver_sql("ROLLBACK")
    except SQLAlchemyError:
        connection.invalidate()


def _close(connection: Connection) -> None:
    with suppress(SQLAlchemyError):
        connection.invalidate()
        connection.close()


def is_closed(connection: Connection) -> bool:
    """Say whether the server of an idle connection has closed it: then there is something to read, if only the end."""
    driver: Any = connection.connection.driver_connection
    if connection.dialect.name == "postgresql":
        descriptor = driver.fileno()
    elif connection.dialect.name in MARIADB:
        descriptor = driver._sock.fileno()  # noqa: SLF001 - PyMySQL has no other name for it
    else:
        return False
    waiting = select.poll()
    waiting.register(descriptor, select.POLLIN)
    return bool(waiting.poll(0))


def _let_go(pool: _Pool) -> None:
    """Close the connections of a store that nobody holds any more; never those of the parent process."""
    if pool.pid == os.getpid():
        pool.close_idle()
