"""Plans in SQL: one short transaction each."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Executable
from sqlalchemy.exc import DBAPIError, IntegrityError

from portula.errors import Conflict, DuplicateRecord
from portula.plugin import Add, ChangeAll, Counts, Remove, RowChange, Writes
from portula_storage_sql.connections import Connections
from portula_storage_sql.driver_errors import duplicate_of, is_duplicate, is_retryable
from portula_storage_sql.statements import Statements, bound, shaped

ATTEMPTS = 5
"""How often a plan is tried that the database rolls back in favour of another."""

PAUSE_MILLISECONDS = 20
"""Up to which one waits before the next attempt, so that two do not meet again."""


class _Unmet(Exception):
    """Ends a plan in which the condition of a change does not hold."""

    def __init__(self, change: RowChange) -> None:
        """Keep the change."""
        self.change = change


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    """One statement of a plan."""

    cls: type[Any]
    statement: Executable
    parameters: Mapping[str, Any]
    part: RowChange | ChangeAll | Remove | Add
    """What it was made of."""


class Plans:
    """Applies the plans of one store."""

    def __init__(self, connections: Connections, statements: Mapping[type[Any], Statements]) -> None:
        """Take the statements of each record class."""
        self._connections = connections
        self._statements = statements

    def apply(self, writes: Writes) -> Counts:
        """See Store.apply."""
        steps = self._steps(writes)
        failure: Exception
        attempts = 0
        while True:
            attempts += 1
            try:
                with self._connections.transaction():
                    return self._carry_out(steps)
            except _Unmet as unmet:
                change = unmet.change
                failure = writes.failure(self._reread) or Conflict(change.kind.cls, self._reread(change))
            except DuplicateRecord as duplicate:
                failure = writes.failure(self._reread) or duplicate
            except DBAPIError as error:
                if attempts == ATTEMPTS or not is_retryable(error):
                    raise
                time.sleep(secrets.randbelow(PAUSE_MILLISECONDS) / 1000)
                continue
            raise failure

    def _steps(self, writes: Writes) -> list[_Step]:
        """Make the statements; ValueError for what no engine keeps, before anything is written."""
        steps = [
            self._change(change.kind.cls, change.where, change.values, change) for change in writes.changes
        ]
        steps += [self._change(part.cls, part.where, part.values, part) for part in writes.all_changes]
        for part in writes.removals:
            statements = self._statements[part.cls]
            statements.shape.check_anchored(part.where)
            statement = statements.remove(shaped(part.where))
            steps.append(_Step(cls=part.cls, statement=statement, parameters=bound(part.where), part=part))
        for addition in writes.additions:
            cls = type(addition.record)
            row = self._statements[cls].row(addition.record)
            steps.append(_Step(cls=cls, statement=self._statements[cls].add, parameters=row, part=addition))
        return steps

    def _change(
        self,
        cls: type[Any],
        where: Mapping[str, Any],
        values: Mapping[str, object],
        part: RowChange | ChangeAll,
    ) -> _Step:
        statements = self._statements[cls]
        statements.shape.check_anchored(where)
        statements.shape.check_change(values)
        statement = statements.change(shaped(where), tuple(values))
        return _Step(cls=cls, statement=statement, parameters=bound(where, values), part=part)

    def _carry_out(self, steps: list[_Step]) -> Counts:
        """Run the statements; return how many records each part met that may meet any number."""
        self._connections.check_alive()
        counts: dict[ChangeAll | Remove, int] = {}
        for step in steps:
            optional = isinstance(step.part, Add) and step.part.unless_known
            try:
                met = self._connections.write(step.statement, step.parameters)
            except IntegrityError as error:
                if not is_duplicate(error):
                    raise
                if optional:
                    continue
                raise duplicate_of(step.cls) from None
            if isinstance(step.part, ChangeAll | Remove):
                counts[step.part] = met
            elif not met and isinstance(step.part, RowChange):
                raise _Unmet(step.part)
            elif not met and not optional:
                raise duplicate_of(step.cls)
        return counts

    def _reread(self, change: RowChange) -> object | None:
        where = {change.kind.keys[0]: change.key}
        statements = self._statements[change.kind.cls]
        row = self._connections.read(statements.find(shaped(where)), bound(where)).first()
        found: object | None = statements.record(row)
        return found
