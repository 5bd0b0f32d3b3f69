"""Connections to PostgreSQL on which no statement is waited for without an end.

The server's own `statement_timeout` is no help against a server that hangs, and cannot be set behind every proxy.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping
from contextlib import suppress
from typing import Any

import psycopg
from psycopg import capabilities
from sqlalchemy import Engine, event

from portula_storage_sql.prepared_statements import NumberedStatement, Outcome, PreparedStatements

CANCEL_SECONDS = 1.0
"""Seconds in which a server may take the word that a statement is no longer wanted."""


class BoundedConnection(psycopg.Connection[Any]):
    """A connection that is closed when a statement is not answered in time."""

    statement_seconds: float | None = None
    """None for no end."""
    prepared: PreparedStatements | None = None
    """What it prepares; None where it may not, or where text is not sent as UTF-8."""

    def wait(self, gen: Generator[Any, Any, Any], *args: Any, **kwargs: Any) -> Any:
        """Wait for what a generator of psycopg does.

        Raises:
            psycopg.OperationalError: it took too long.
        """
        seconds = self.statement_seconds
        if seconds is None:
            return super().wait(gen, *args, **kwargs)
        try:
            return super().wait(_until(gen, time.monotonic() + seconds), *args, **kwargs)
        except TimeoutError:
            self._give_up()
            raise psycopg.OperationalError(f"no answer within {seconds:g} s") from None

    def execute_prepared(
        self, statement: NumberedStatement, parameters: Mapping[str, object]
    ) -> Outcome | None:
        """Execute a statement that is executed often; None, and nothing is done, for one to be sent by a cursor.

        Raises:
            psycopg.Error: the server refuses, is gone, or took too long.
        """
        if self.prepared is None or not self.prepared.is_due(statement):
            return None
        values, seconds = statement.values(parameters), self.statement_seconds
        if values is None:
            return None
        try:
            return self.prepared.execute(statement, values, seconds)
        except TimeoutError:
            self._give_up()
            raise psycopg.OperationalError(f"no answer within {seconds:g} s") from None

    def _give_up(self) -> None:
        """Let the server end the statement, if it hears of it, and close."""
        self.statement_seconds = None
        if capabilities.has_cancel_safe():
            with suppress(psycopg.Error):
                self.cancel_safe(timeout=CANCEL_SECONDS)
        self.close()


def _until(steps: Generator[Any, Any, Any], deadline: float) -> Generator[Any, Any, Any]:
    """Go through the steps of a generator of psycopg, which is told each tenth of a second that nothing came."""
    try:
        waited_for = next(steps)
        while True:
            ready = yield waited_for
            if not ready and time.monotonic() > deadline:
                raise TimeoutError
            waited_for = steps.send(ready)
    except StopIteration as end:
        return end.value


def bound_waits(engine: Engine, seconds: float) -> None:
    """Let the connections of an engine be bounded ones."""

    @event.listens_for(engine, "do_connect")
    def connect(_dialect: Any, _record: Any, arguments: Any, parameters: Any) -> BoundedConnection:
        connection = BoundedConnection.connect(*arguments, **parameters)
        connection.statement_seconds = seconds
        if connection.prepare_threshold is not None and connection.info.encoding == "utf-8":
            # Else psycopg prepares too, and drops all there is at a ROLLBACK.
            connection.prepare_threshold = None
            connection.prepared = PreparedStatements(connection)
        return connection
