"""One connection a thread, and the transaction that is open on it."""

from __future__ import annotations

import os
import select
import threading
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from sqlalchemy import Connection, CursorResult, Engine, Executable, Row
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from portula_storage_sql.engine import BEGIN
from portula_storage_sql.tables import MARIADB

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
    begun: bool = False


class Connections:
    """Runs statements on the connection of the thread that asks; outside of a transaction each commits by itself."""

    def __init__(self, engine: Engine) -> None:
        """Take the engine; nothing connects yet."""
        self.engine = engine
        self._local = _Local()
        self._pid = os.getpid()
        self._begin = BEGIN[engine.dialect.name]
        weakref.finalize(self, _let_go, engine, self._local, self._pid).atexit = False

    def close(self) -> None:
        """Close this thread's connection and those no thread holds."""
        self._local.lease = None
        self.engine.dispose()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make what this thread writes within atomic; an exception rolls it back."""
        self._open()
        try:
            yield
            self.connection.exec_driver_sql("COMMIT")
        except BaseException:
            self._roll_back()
            raise
        finally:
            self._local.begun = False

    def read(self, statement: Executable, parameters: Mapping[str, Any]) -> CursorResult[Any]:
        """Read; once more on a new connection if this one is gone."""
        try:
            return self.connection.execute(statement, parameters)
        except DBAPIError as error:
            if not self._is_gone(error):
                raise
        return self.connection.execute(statement, parameters)

    def write(self, statement: Executable, parameters: Mapping[str, Any]) -> int:
        """Write, within the transaction of this thread if there is one; return how many rows."""
        return self._write(statement, parameters).rowcount

    def write_returning(self, statement: Executable, parameters: Mapping[str, Any]) -> Row[Any]:
        """Write with a statement that answers with one row; return that."""
        return self._write(statement, parameters).one()

    def _write(self, statement: Executable, parameters: Mapping[str, Any]) -> CursorResult[Any]:
        if not self._local.begun:
            self._leave_closed()
        try:
            return self.connection.execute(statement, parameters)
        except DBAPIError as error:
            self._is_gone(error)
            raise

    def _leave_closed(self) -> None:
        """Let go of a connection that the server has closed: what is sent on it once could not be sent again."""
        lease = self._local.lease
        if lease is not None and lease.pid == os.getpid() and is_closed(lease.connection):
            lease.connection.invalidate()
            self._local.lease = None

    def _open(self) -> None:
        """Begin; nothing is lost by beginning again on a new connection."""
        try:
            self.connection.exec_driver_sql(self._begin)
        except DBAPIError as error:
            if not self._is_gone(error):
                raise
            self.connection.exec_driver_sql(self._begin)
        self._local.begun = True

    def _roll_back(self) -> None:
        lease = self._local.lease
        if lease is None:
            return
        try:
            lease.connection.exec_driver_sql("ROLLBACK")
        except SQLAlchemyError:
            lease.connection.invalidate()
            self._local.lease = None

    def _is_gone(self, error: DBAPIError) -> bool:
        """Say whether an error ended the connection; then the next statement gets another."""
        if error.connection_invalidated:
            self._local.lease = None
        return error.connection_invalidated

    @property
    def connection(self) -> Connection:
        """The connection of this thread."""
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


def _let_go(engine: Engine, local: _Local, pid: int) -> None:
    """Close the connections of a store that nobody holds any more; never those of the parent process."""
    if pid == os.getpid():
        local.lease = None
        engine.dispose()
