"""Parts of a plan as statements of SQL, and what all of them in one statement have in common."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from sqlalchemy import Delete, Insert, Select, Update

from portula.plugin import Add, ChangeAll, Condition, Remove, RowChange, Writes
from portula_storage_sql.galera import force_write
from portula_storage_sql.statements import Shaped, Statements, bind_values, shape_of_conditions

MOST = 12
"""Steps of a plan that is written as one statement: a longer one takes the database longer to plan than to write."""


class UnmetCondition(Exception):
    """Ends a plan in which the condition of a change does not hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One statement of a plan."""

    statements: Statements
    part: RowChange | ChangeAll | Remove | Add
    """What it was made of."""
    where: Mapping[str, Condition] = field(default_factory=dict)
    values: Mapping[str, object] = field(default_factory=dict)
    """Values to set by field, or the row to insert by column."""

    @property
    def cls(self) -> type[Any]:
        """The record class."""
        return self.statements.shape.record.cls

    @property
    def is_optional(self) -> bool:
        """Whether the step may meet a key that is taken."""
        return isinstance(self.part, Add) and self.part.unless_known

    @property
    def is_bulk(self) -> bool:
        """Whether the step may meet any number of records, and says how many."""
        return isinstance(self.part, ChangeAll | Remove)

    @property
    def only_requires(self) -> bool:
        """Whether the step reads whether a record is as a plan requires, and writes nothing."""
        return isinstance(self.part, RowChange) and not self.values

    @property
    def statement(self) -> Insert | Update | Delete | Select[Any]:
        """The statement by itself."""
        if isinstance(self.part, Add):
            return self.statements.add
        if self.only_requires:
            return self.statements.requiring(shape_of_conditions(self.where))
        if isinstance(self.part, Remove):
            return self.statements.remove(shape_of_conditions(self.where))
        return self.statements.change(shape_of_conditions(self.where), tuple(self.values))

    @property
    def parameters(self) -> Mapping[str, object]:
        """What the statement by itself is executed with."""
        return self.values if isinstance(self.part, Add) else bind_values(self.where, self.values)

    def dml(self, prefix: str) -> Update | Delete | Select[Any]:
        """Make the UPDATE, DELETE or SELECT as a part of another statement."""
        if self.only_requires:
            return self.statements.requiring(shape_of_conditions(self.where), prefix)
        if isinstance(self.part, Remove):
            return self.statements.removing(shape_of_conditions(self.where), prefix)
        return self.statements.changing(shape_of_conditions(self.where), tuple(self.values), prefix)

    @property
    def shape(self) -> tuple[type[Any], type[Any], bool, Shaped, tuple[str, ...]]:
        """What of the step the SQL depends on."""
        return (
            type(self.part),
            self.cls,
            self.is_optional,
            shape_of_conditions(self.where),
            tuple(self.values),
        )


def steps_of(
    writes: Writes, statements: Mapping[type[Any], Statements], *, certified: bool = False
) -> list[Step]:
    """Make the steps in order; ValueError for what no engine keeps, before anything is written.

    Args:
        writes: the plan.
        statements: of each record class.
        certified: whether a cluster compares what plans write.
    """
    changes: Iterable[RowChange] = writes.changes
    if certified:
        changes = chain.from_iterable(
            force_write(change, statements[change.kind.cls].shape) for change in writes.changes
        )
    return [
        *(_changing(change.kind.cls, change.where, change, statements) for change in changes),
        *(_changing(part.cls, part.where, part, statements) for part in writes.all_changes),
        *(_removing(part, statements[part.cls]) for part in writes.removals),
        *(_adding(part, statements[type(part.record)]) for part in writes.additions),
    ]


def _changing(
    cls: type[Any],
    where: Mapping[str, Condition],
    part: RowChange | ChangeAll,
    statements: Mapping[type[Any], Statements],
) -> Step:
    shape = statements[cls].shape
    shape.check_anchored(where)
    if part.values or isinstance(part, ChangeAll):
        shape.check_change(part.values)
    return Step(statements=statements[cls], part=part, where=_plain(where), values=part.values)


def _removing(part: Remove, statements: Statements) -> Step:
    statements.shape.check_anchored(part.where)
    return Step(statements=statements, part=part, where=_plain(part.where))


def _plain(where: Mapping[str, Condition]) -> dict[str, Condition]:
    """Compare a list of one as the value that it is, which is one shape less."""
    return {
        name: value[0] if isinstance(value, tuple) and len(value) == 1 else value
        for name, value in where.items()
    }


def _adding(part: Add, statements: Statements) -> Step:
    return Step(statements=statements, part=part, values=statements.row(part.record))


def prefix_of(place: int) -> str:
    """Return what the names of parameters begin with that belong to the step at a place."""
    return f"p{place}_"


def parameters_of(steps: Sequence[Step]) -> dict[str, object]:
    """Return the parameters of all steps."""
    parameters: dict[str, object] = {}
    for place, step in enumerate(steps):
        parameters |= bind_values(step.where, step.values, prefix_of(place))
    return parameters


def is_one_statement(steps: Sequence[Step]) -> bool:
    """Say whether a single statement does what these steps do one after the other.

    All parts of a statement see the rows as they were when it began, and a row that two of them write is written
    once. So no step may meet what an earlier one leaves, nor take a key that an earlier one gives up; and what another
    plan adds while this one waits for it is seen only by its first step, so that the others have to name their rows.
    Tables of a deployment's own stay out: functions that fill columns in an UPDATE are not called inside of another
    statement.
    """
    return (
        1 < len(steps) <= MOST
        and all(step.statements.shape.record.model is None for step in steps)
        and not any(_faults(steps))
    )


def _faults(steps: Sequence[Step]) -> Iterator[bool]:
    """Yield whether a step needs what an earlier one did."""
    written: set[type[Any]] = set()
    freed: set[type[Any]] = set()
    for step in steps:
        keys = step.statements.shape.record.keys
        if isinstance(step.part, Add):
            yield step.cls in freed
            continue
        if step.is_bulk:
            yield step.cls in written
            yield bool(written) and step.where.keys().isdisjoint(keys)
        if step.only_requires:
            continue
        written.add(step.cls)
        if isinstance(step.part, Remove) or not step.values.keys().isdisjoint(keys):
            freed.add(step.cls)
