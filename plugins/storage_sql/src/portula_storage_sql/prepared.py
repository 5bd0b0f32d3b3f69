"""Statements that PostgreSQL has prepared, sent through libpq.

A cursor of psycopg reads the text of a statement, looks up how each value is sent and begins its transaction at each
execution. Here that is known: the text was compiled with numbered parameters, and each execution commits by itself.
"""

from __future__ import annotations

import select
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.adapt import Transformer
from psycopg.errors import FeatureNotSupported, InvalidSqlStatementName, error_from_result
from psycopg.pq import ExecStatus, TransactionStatus

if TYPE_CHECKING:
    from psycopg.pq.abc import PGresult

EXECUTIONS = 5
"""From the how manieth execution on a connection a statement is prepared; so many does psycopg take too."""

MOST = 200
"""Statements that one connection has prepared; each keeps some memory of the server. Others are sent by cursor."""

STALE = (FeatureNotSupported, InvalidSqlStatementName)
"""How the server says that a migration changed what a statement returns, or that it has none of that name: then it was
not executed, and is prepared anew."""

DONE = (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK)


@dataclass(frozen=True, slots=True, eq=False)
class NumberedStatement:
    """A statement whose parameters are numbered."""

    text: bytes
    names: Sequence[str]
    """The names of its parameters in their order."""

    def values(self, parameters: Mapping[str, object]) -> list[bytes | None]:
        """Return its parameters in PostgreSQL's text format.

        Raises:
            psycopg.DataError: a text has a NUL character, which would end it there.
            TypeError: a value is neither text nor a whole number nor a truth value.
        """
        return [_as_text(parameters[name]) for name in self.names]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a statement did."""

    row_count: int
    rows: list[tuple[Any, ...]]


class PreparedStatements:
    """What one connection has prepared; used by one thread at a time, as the connection is."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        """Begin with none, on a connection that commits each statement by itself."""
        self._pgconn = connection.pgconn
        self._executions: dict[NumberedStatement, int] = {}
        self._names: dict[NumberedStatement, bytes] = {}
        self._prepared = 0
        self._transformer = Transformer(connection)
        self._polls = select.poll()
        self._polls.register(self._pgconn.socket, select.POLLIN)

    def are_worth_it(self, statement: NumberedStatement) -> bool:
        """Count an execution; say whether the statement is prepared, or should now be."""
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
            except STALE:
                del self._names[statement]
                if self._pgconn.transaction_status != TransactionStatus.IDLE:
                    raise
        return self._outcome(self._prepare(statement, deadline), values, deadline)

    def _prepare(self, statement: NumberedStatement, deadline: float | None) -> bytes:
        self._prepared += 1
        name = b"portula_%d" % self._prepared
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
        return Outcome(result.ntuples, self._transformer.load_rows(0, result.ntuples, tuple))

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


def _as_text(value: object) -> bytes | None:
    if value is None:
        return None
    if isinstance(value, str):
        if "\0" in value:
            raise psycopg.DataError("PostgreSQL text cannot contain NUL (0x00) characters")
        return value.encode()
    if isinstance(value, bool):
        return b"t" if value else b"f"
    if isinstance(value, int):
        return b"%d" % value
    raise TypeError(f"a parameter is of {type(value).__name__}")
