"""Statements that PostgreSQL has prepared, sent through libpq.

A cursor of psycopg reads the text of a statement, looks up how each value is sent and sees to its transaction at each
execution. Here the text was compiled with numbered parameters, and transactions are begun in so many words.
"""

from __future__ import annotations

import secrets
import select
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import NoneType
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.adapt import Transformer
from psycopg.errors import FeatureNotSupported, InvalidSqlStatementName, error_from_result
from psycopg.pq import ExecStatus, TransactionStatus

if TYPE_CHECKING:
    from psycopg.pq.abc import PGresult

EXECUTIONS = 5
"""From this execution on a connection on, a statement is prepared."""

MOST = 200
"""Statements that one connection has prepared; each keeps some memory of the server. Others are sent by cursor."""

STALE = (FeatureNotSupported, InvalidSqlStatementName)
"""How the server says that a migration changed what a statement returns, or that it has none of that name. The
statement was not executed, and is prepared anew."""

DONE = (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK)


@dataclass(frozen=True, slots=True, eq=False)
class NumberedStatement:
    """A statement whose parameters are numbered."""

    text: bytes
    names: Sequence[str]
    """The names of its parameters in their order."""

    def values(self, parameters: Mapping[str, object]) -> list[bytes | None] | None:
        """Return its parameters in PostgreSQL's text format; None where one is of a type that psycopg has to convert.

        Raises:
            psycopg.DataError: a text has a NUL character, which would end it there.
        """
        given = [parameters[name] for name in self.names]
        try:
            return [AS_TEXT[type(value)](value) for value in given]
        except KeyError:
            return None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a statement did."""

    row_count: int
    rows: list[tuple[Any, ...]]


class PreparedStatements:
    """What one connection has prepared; used by one thread at a time, as the connection is."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        """Begin with none."""
        self._pgconn = connection.pgconn
        self._executions: dict[NumberedStatement, int] = {}
        self._names: dict[NumberedStatement, bytes] = {}
        self._prepared = 0
        # Behind a proxy that lends connections, another process's statement of the same name would be executed.
        self._prefix = f"portula_{secrets.token_hex(4)}".encode()
        self._transformer = Transformer(connection)
        self._polls = select.poll()
        self._polls.register(self._pgconn.socket, select.POLLIN)

    def is_due(self, statement: NumberedStatement) -> bool:
        """Count an execution of a statement; say whether it is prepared, or is to be now."""
        if statement in self._names:
            return True
        if len(self._names) >= MOST:
            return False
        executions = self._executions[statement] = self._executions.get(statement, 0) + 1
        return executions >= EXECUTIONS

    def execute(
        self, statement: NumberedStatement, values: Sequence[bytes | None], seconds: float | None
    ) -> Outcome:
        """Execute a statement, which is prepared before where it is not yet.

        Args:
            statement: what to execute.
            values: see NumberedStatement.values.
            seconds: within which the server has to answer; None for no end.

        Raises:
            psycopg.Error: the server refuses, or is gone.
            TimeoutError: it took too long, and the connection waits for the answer.
        """
        deadline = None if seconds is None else time.monotonic() + seconds
        name = self._names.get(statement)
        if name is not None:
            try:
                return self._outcome(name, values, deadline)
            except STALE as error:
                del self._names[statement]
                if self._pgconn.transaction_status != TransactionStatus.IDLE:
                    raise
                if isinstance(error, FeatureNotSupported):
                    self._pgconn.send_query(b"DEALLOCATE " + name)
                    self._result(deadline)
        return self._outcome(self._prepare(statement, deadline), values, deadline)

    def _prepare(self, statement: NumberedStatement, deadline: float | None) -> bytes:
        self._prepared += 1
        name = b"%b_%d" % (self._prefix, self._prepared)
        self._pgconn.send_prepare(name, statement.text)
        self._result(deadline)
        self._names[statement] = name
        self._executions.pop(statement, None)
        return name

    def _outcome(self, name: bytes, values: Sequence[bytes | None], deadline: float | None) -> Outcome:
        self._pgconn.send_query_prepared(name, values)
        result = self._result(deadline)
        if result.status == ExecStatus.COMMAND_OK:
            return Outcome(result.command_tuples or 0, [])
        self._transformer.set_pgresult(result)
        rows = self._transformer.load_rows(0, result.ntuples, tuple)
        self._transformer.set_pgresult(None)  # an idle connection keeps no answer
        return Outcome(result.ntuples, rows)

    def _result(self, deadline: float | None) -> PGresult:
        """Return the answer to what was sent, once the server is ready for more."""
        pgconn, last = self._pgconn, None
        while pgconn.flush():
            self._wait(deadline, select.POLLIN | select.POLLOUT)
            pgconn.consume_input()
        while True:
            while pgconn.is_busy():
                self._wait(deadline, select.POLLIN)
                pgconn.consume_input()
            result = pgconn.get_result()
            if result is None:
                break
            last = result
        if last is None:
            raise psycopg.OperationalError("the server gave no answer")
        if last.status not in DONE:
            raise error_from_result(last)
        return last

    def _wait(self, deadline: float | None, events: int) -> None:
        """Wait until the socket is ready.

        Raises:
            TimeoutError: the deadline passed.
        """
        if events != select.POLLIN:
            self._polls.modify(self._pgconn.socket, events)
        try:
            left = None if deadline is None else max(0.0, deadline - time.monotonic()) * 1000
            if not self._polls.poll(left):
                raise TimeoutError
        finally:
            if events != select.POLLIN:
                self._polls.modify(self._pgconn.socket, select.POLLIN)


def _text(value: str) -> bytes:
    if "\0" in value:
        raise psycopg.DataError("PostgreSQL text cannot contain NUL (0x00) characters")
    return value.encode()


AS_TEXT: Mapping[type, Callable[[Any], bytes | None]] = {
    str: _text,
    int: b"%d".__mod__,
    bool: {True: b"t", False: b"f"}.__getitem__,
    NoneType: lambda _: None,
}
"""The text format of values, for those types of which it is known here."""
