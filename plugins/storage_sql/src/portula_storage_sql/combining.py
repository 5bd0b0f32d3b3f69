"""Plans on SQLite: the first thread that comes writes for all that wait, so that they share one commit.

Without that, threads that write at the same time find the file locked, and one that has bad luck finds it so for
seconds. Other processes still wait for the file as SQLite lets them.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import cast

from sqlalchemy import Executable

from portula.plugin import Add, ChangeAll, Counts, Remove, RowChange
from portula_storage_sql.connections import Connections
from portula_storage_sql.direct import NAMED, DirectStatement, compile_direct
from portula_storage_sql.driver_errors import SQLITE_DUPLICATE, duplicate_of, raise_translated
from portula_storage_sql.steps import Step, UnmetCondition

MOST = 64
"""Plans in one transaction: as many as there may be threads, and few enough for other processes to have their turn."""


def is_combined(steps: Sequence[Step]) -> bool:
    """Say whether another thread may write the steps.

    Columns of a deployment's own models may be filled in by functions, which are called in the thread of their request.
    """
    return all(
        step.statements.shape.record.model is None
        and not any(isinstance(value, tuple) for value in step.where.values())
        for step in steps
    )


class _Waiting:
    """A plan, and what became of it."""

    def __init__(self, steps: Sequence[Step]) -> None:
        """Take the steps; nobody knows yet."""
        self.steps = steps
        self.turn = threading.Event()
        """Set when the plan has an end, or when its thread is to lead."""
        self.leads = False
        """Whether its thread writes for those that wait."""
        self.end: Counts | Exception | None = None

    def outcome(self) -> Counts:
        """Return or raise what the plan ended with."""
        if isinstance(self.end, Exception):
            raise self.end
        if self.end is None:
            raise RuntimeError("the thread that wrote this plan was interrupted")
        return self.end


class _Queue:
    """The plans that wait in one process. A fork leaves it behind: whoever writes there does not write here."""

    def __init__(self) -> None:
        """Begin with none."""
        self.pid = os.getpid()
        self.lock = threading.Lock()
        self.waiting: list[_Waiting] = []
        self.is_led = False


class Combining:
    """Applies plans, those that come at the same time in one transaction."""

    def __init__(self, connections: Connections) -> None:
        """Take the connections: the thread that leads writes on one of them."""
        self._connections = connections
        self._queue = _Queue()
        self._direct: dict[Executable, DirectStatement] = {}

    def apply(self, steps: Sequence[Step]) -> Counts:
        """Write; return how many records each part met that may meet any number. Nothing is told before the commit.

        Raises:
            UnmetCondition: a change met nothing.
            DuplicateRecord: a key is taken.
            StorageDown: the file cannot be written now.
        """
        queue = self._queue
        if queue.pid != os.getpid():
            queue = self._queue = _Queue()
        mine = _Waiting(steps)
        with queue.lock:
            queue.waiting.append(mine)
            if not queue.is_led:
                queue.is_led = mine.leads = True
        if not mine.leads:
            mine.turn.wait()
        if mine.leads:
            self._lead(queue)
        try:
            return mine.outcome()
        except sqlite3.Error as error:
            raise_translated(error, error, self._connections.engine.url)

    def _lead(self, queue: _Queue) -> None:
        """Write for all that wait, this thread's plan first; then let the next one lead, whatever happened."""
        with queue.lock:
            batch = queue.waiting[:MOST]
        try:
            self._write(batch)
        except Exception as error:  # noqa: BLE001 - no connection, or no transaction: for all of them alike
            for waiting in batch:
                waiting.end = error if waiting.end is None else waiting.end
        finally:
            with queue.lock:
                del queue.waiting[: len(batch)]
                following = queue.waiting[:1]
                queue.is_led = bool(following)
            for waiting in following:
                waiting.leads = True
            for waiting in (*batch[1:], *following):
                waiting.turn.set()

    def _write(self, batch: Sequence[_Waiting]) -> None:
        with self._connections.connection() as connection:
            driver = cast("sqlite3.Connection", connection.connection.driver_connection)
            if len(batch) > 1 and self._together(driver, batch):
                return
            for waiting in batch:
                waiting.end = self._alone(driver, waiting.steps)

    def _together(self, connection: sqlite3.Connection, batch: Sequence[_Waiting]) -> bool:
        """Write plans in one transaction, each undone by itself if it fails; say whether that could be done.

        Some errors (no room on the disk) undo the transaction of all of them.
        """
        ends: list[Counts | Exception] = []
        connection.execute("BEGIN IMMEDIATE")
        try:
            for waiting in batch:
                connection.execute("SAVEPOINT plan")
                ends.append(self._attempt(connection, waiting.steps))
                if isinstance(ends[-1], Exception):
                    connection.execute("ROLLBACK TO plan")
                connection.execute("RELEASE plan")
            connection.execute("COMMIT")
        except sqlite3.Error:
            return False
        finally:
            _leave(connection)
        for waiting, end in zip(batch, ends, strict=True):
            waiting.end = end
        return True

    def _alone(self, connection: sqlite3.Connection, steps: Sequence[Step]) -> Counts | Exception:
        """Write one plan; a single statement commits by itself."""
        if len(steps) == 1:
            return self._attempt(connection, steps)
        try:
            connection.execute("BEGIN IMMEDIATE")
            end = self._attempt(connection, steps)
            if not isinstance(end, Exception):
                connection.execute("COMMIT")
        except sqlite3.Error as error:
            return error
        finally:
            _leave(connection)
        return end

    def _attempt(self, connection: sqlite3.Connection, steps: Sequence[Step]) -> Counts | Exception:
        try:
            return self._carry_out(connection, steps)
        except Exception as error:  # noqa: BLE001 - whose plan it is raises it
            return error

    def _carry_out(self, connection: sqlite3.Connection, steps: Sequence[Step]) -> Counts:
        counts: dict[ChangeAll | Remove, int] = {}
        for step in steps:
            direct = self._direct_of(step)
            try:
                cursor = connection.execute(direct.text, direct.bind(step.parameters))
                met = len(cursor.fetchall()) if step.only_requires else cursor.rowcount
            except sqlite3.IntegrityError as error:
                if error.sqlite_errorname not in SQLITE_DUPLICATE:
                    raise
                raise duplicate_of(step.cls) from None
            if isinstance(step.part, ChangeAll | Remove):
                counts[step.part] = met
            elif not met and isinstance(step.part, RowChange):
                raise UnmetCondition
            elif not met and isinstance(step.part, Add) and not step.is_optional:
                raise duplicate_of(step.cls)
        return counts

    def _direct_of(self, step: Step) -> DirectStatement:
        statement = step.statement
        if statement not in self._direct:
            self._direct[statement] = compile_direct(statement, step.values, NAMED)
        return self._direct[statement]


def _leave(connection: sqlite3.Connection) -> None:
    """Roll back what is neither committed nor rolled back."""
    if connection.in_transaction:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
