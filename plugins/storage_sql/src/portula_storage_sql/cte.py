"""A plan as one statement of PostgreSQL: a query whose WITH clause writes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Insert,
    Integer,
    Select,
    bindparam,
    func,
    literal_column,
    select,
    true,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.sql.dml import ReturningDelete, ReturningUpdate

from portula.plugin import Add
from portula_storage_sql.steps import Step, prefix_of

ONE, NONE = literal_column("1", Integer), literal_column("0", Integer)


def cte_of(steps: Sequence[Step]) -> Select[Any]:
    """Make the statement: its row says whether what is changed under conditions was met, then how much each bulk met.

    Each step that changes or requires one record refers to the one before it, so that rows are locked in their order,
    and all else refers to the last one. Where a later one of several meets nothing, the statement divides by zero, so
    that the database rolls back what the earlier ones wrote.
    """
    changes = sum(not step.is_bulk and not isinstance(step.part, Add) for step in steps)
    condition: ColumnElement[bool] = true()
    behind: ColumnElement[bool] = true()
    counts: list[ColumnElement[int]] = [ONE]
    parts: list[CTE] = []
    for place, step in enumerate(steps):
        prefix, given = prefix_of(place), condition & behind
        if isinstance(step.part, Add):
            parts.append(_insert(step, prefix, given).cte(f"{prefix}added"))
            continue
        parts.append(_met_rows(step, prefix, given).cte(f"{prefix}met"))
        met = select(func.count()).select_from(parts[-1]).scalar_subquery()
        if step.is_bulk:
            behind = met >= NONE  # whatever it met, it is done by then
            counts.append(met)
        else:
            condition = met == ONE
            counts[0] = ONE // met if changes > 1 else met
    columns: list[ColumnElement[Any]] = [count.label(f"n{place}") for place, count in enumerate(counts)]
    statement: Select[Any] = select(*columns)
    return statement.add_cte(*parts)


def _met_rows(
    step: Step, prefix: str, given: ColumnElement[bool]
) -> Select[Any] | ReturningUpdate[Any] | ReturningDelete[Any]:
    """Return the primary keys of the records that a step meets, on a condition."""
    statement = step.dml(prefix).where(given)
    if isinstance(statement, Select):
        return statement
    return statement.returning(step.statements.by_field[step.statements.shape.primary])


def _insert(step: Step, prefix: str, given: ColumnElement[bool]) -> Insert:
    """Insert one row on a condition; a key that is taken is an error of the whole statement, unless it may be."""
    table = step.statements.table
    row = [bindparam(f"{prefix}v_{name}", type_=table.c[name].type) for name in step.values]
    statement = postgresql.insert(table).from_select(list(step.values), select(*row).where(given))
    return statement.on_conflict_do_nothing() if step.is_optional else statement
