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

from portula_storage_sql.driver_errors import is_mariadb_duplicate
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
    depth: int = 0
    begun: bool = False
    doomed: bool = False


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
        """Make what this thread writes within atomic; it begins with the first write, and an exception ends it."""
        local = self._local
        local.depth += 1
        try:
            yield
            if local.depth == 1:
                self._commit()
        except BaseException:
            self.doom()
            raise
        finally:
            local.depth -= 1
            if not local.depth:
                local.begun = local.doomed = False

    def read(self, statement: Executable, parameters: Mapping[str, Any]) -> CursorResult[Any]:
        """Read; once more on a new connection if this one is gone, unless a transaction went with it."""
        try:
            return self._connection().execute(statement, parameters)
        except DBAPIError as error:
            if self._fail(error):
                raise
        return self._connection().execute(statement, parameters)

    def write(self, statement: Executable, parameters: Mapping[str, Any]) -> int:
        """Write, within the transaction of this thread if there is one; return how many rows."""
        return self._write(statement, parameters).rowcount

    def write_returning(self, statement: Executable, parameters: Mapping[str, Any]) -> Row[Any]:
        """Write with a statement that answers with one row; return that."""
        return self._write(statement, parameters).one()

    def _write(self, statement: Executable, parameters: Mapping[str, Any]) -> CursorResult[Any]:
        self.check_alive()
        if not self._local.depth:
            self._leave_closed()
        elif not self._local.begun:
            self._open()
        try:
            return self._connection().execute(statement, parameters)
        except DBAPIError as error:
            self._fail(error)
            raise

    def _leave_closed(self) -> None:
        """Let go of a connection that the server has closed: what is sent on it once could not be sent again."""
        lease = self._local.lease
        if lease is not None and lease.pid == os.getpid() and is_closed(lease.connection):
            lease.connection.invalidate()
            self._local.lease = None

    def check_alive(self) -> None:
        """Refuse to go on in a transaction that has failed."""
        if self._local.doomed:
            raise RuntimeError("this transaction has failed; leave it before you write again")

    def doom(self) -> None:
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

    def _fail(self, error: DBAPIError) -> bool:
        """Clear up after an error of the database; say whether it must be raised."""
        begun = self._local.begun
        if error.connection_invalidated:
            self._local.lease = None
        if not is_mariadb_duplicate(error):
            self.doom()
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
