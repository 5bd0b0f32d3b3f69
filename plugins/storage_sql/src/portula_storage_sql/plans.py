"""Plans in SQL: one statement each where the database has a way to say it so, else a short transaction."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Executable
from sqlalchemy.exc import DBAPIError, IntegrityError

from portula.errors import Conflict, DuplicateRecord
from portula.plugin import ChangeAll, Counts, Remove, RowChange, Writes
from portula_storage_sql.block import block_of, is_block
from portula_storage_sql.combining import Combining, is_combined
from portula_storage_sql.connections import Connections, Write
from portula_storage_sql.driver_errors import (
    duplicate_of,
    is_duplicate,
    is_retryable,
    is_unmet,
    unreachable,
)
from portula_storage_sql.galera import is_certified
from portula_storage_sql.statements import Statements, bind_values, shape_of_conditions
from portula_storage_sql.steps import Step, UnmetCondition, is_one_statement, parameters_of, steps_of

ATTEMPTS = 12
"""How often a plan is tried that the database rolls back in favour of another."""

PAUSE_MILLISECONDS, MAX_PAUSE_MILLISECONDS = 20, 320
"""Up to which one waits before the second attempt, and twice as long before each further one: two do not meet again."""


class Plans:
    """Applies the plans of one store."""

    def __init__(self, connections: Connections, statements: Mapping[type[Any], Statements]) -> None:
        """Take the statements of each record class."""
        self._connections = connections
        self._statements = statements
        self._dialect = connections.engine.dialect
        self._joined: dict[tuple[object, ...], Executable] = {}
        self._combining = Combining(connections) if self._dialect.name == "sqlite" else None

    def apply(self, writes: Writes) -> Counts:
        """See Store.apply."""
        steps = steps_of(writes, self._statements, certified=is_certified(self._connections.engine))
        failure: Exception | None
        attempts = 0
        while True:
            attempts += 1
            is_last = attempts == ATTEMPTS
            try:
                return self._carry_out(steps)
            except UnmetCondition:
                failure = writes.failure(self._reread)
                if failure is None and is_last:
                    change = writes.changes[0]
                    failure = Conflict(change.kind.cls, self._reread(change))
            except DuplicateRecord as duplicate:
                failure = writes.failure(self._reread) or duplicate
            except DBAPIError as error:
                if not is_retryable(error):
                    raise
                if is_last:
                    raise unreachable(error.orig, self._connections.engine.url) from error
                failure = None
            if failure is not None:
                raise failure
            pause = min(PAUSE_MILLISECONDS << (attempts - 1), MAX_PAUSE_MILLISECONDS)
            time.sleep(secrets.randbelow(pause) / 1000)

    def _carry_out(self, steps: Sequence[Step]) -> Counts:
        """Write; return how many records each part met that may meet any number."""
        if self._combining is not None and is_combined(steps):
            return self._combining.apply(steps)
        if len(steps) == 1:
            return _one_by_one(steps, self._connections.write)
        statement = self._one_statement(steps)
        if statement is not None:
            return self._at_once(steps, statement)
        with self._connections.transaction() as write:
            return _one_by_one(steps, write)

    def _one_statement(self, steps: Sequence[Step]) -> Executable | None:
        """Return the statement that does what all steps do, made once for each shape of plan; None without one."""
        if not is_one_statement(steps):
            return None
        shape = tuple([step.shape for step in steps])
        statement = self._joined.get(shape)
        if statement is None and self._dialect.name == "postgresql":
            from portula_storage_sql.cte import cte_of

            statement = self._joined[shape] = cte_of(steps)
        elif statement is None and is_block(steps, self._dialect):
            statement = self._joined[shape] = block_of(steps)
        return statement

    def _at_once(self, steps: Sequence[Step], statement: Executable) -> Counts:
        met: Sequence[int]
        try:
            is_met, *met = self._connections.write_returning(statement, parameters_of(steps))
        except IntegrityError as error:
            if not is_duplicate(error):
                raise
            raise _duplicate(steps) from None
        except DBAPIError as error:
            if not is_unmet(error):
                raise
            is_met, met = 0, []
        if not is_met:
            raise UnmetCondition
        bulks = [step.part for step in steps if isinstance(step.part, ChangeAll | Remove)]
        return dict(zip(bulks, met, strict=True))

    def _reread(self, change: RowChange) -> object | None:
        where = change.identity
        statements = self._statements[change.kind.cls]
        rows = self._connections.read(statements.find(shape_of_conditions(where)), bind_values(where))
        found: object | None = statements.record(rows[0]) if rows else None
        return found


def _one_by_one(steps: Sequence[Step], write: Write) -> Counts:
    counts: dict[ChangeAll | Remove, int] = {}
    for step in steps:
        try:
            met = write(step.statement, step.parameters)
        except IntegrityError as error:
            if not is_duplicate(error):
                raise
            if step.is_optional:
                continue
            raise _duplicate([step]) from None
        if isinstance(step.part, ChangeAll | Remove):
            counts[step.part] = met
        elif not met and isinstance(step.part, RowChange):
            raise UnmetCondition
        elif not met and not step.is_optional:
            raise _duplicate([step])
    return counts


def _duplicate(steps: Sequence[Step]) -> DuplicateRecord:
    """Return the error for steps of which one meets a key that is taken."""
    return duplicate_of(*(step.cls for step in steps if not isinstance(step.part, Remove)))
