"""A plan as one block of statements of MariaDB, which the server carries out without being asked in between."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import BindParameter, Dialect, TextClause, insert, text
from sqlalchemy.dialects.mysql.base import MySQLDialect

from portula.plugin import Add
from portula_storage_sql.steps import Step, prefix_of

SINCE = (10, 1, 1)
"""The version of MariaDB that blocks outside of stored procedures came with; MySQL has none."""

FAIL = "SIGNAL SQLSTATE '45000'"

UNMET = f"IF ROW_COUNT() = 0 THEN {FAIL}; END IF"
"""Ends the block where a change meets nothing. Rows that have the values already count, as the driver asks for it."""

BEGINNING = (
    "DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END",
    "START TRANSACTION",
)
"""Whatever fails, nothing is written and the client gets the error."""


def is_block(steps: Sequence[Step], dialect: Dialect) -> bool:
    """Say whether the server has blocks, which nobody knows before the first connection, and no list is compared."""
    return (
        bool(getattr(dialect, "is_mariadb", False))
        and (dialect.server_version_info or ()) >= SINCE
        and not any(isinstance(value, tuple) for step in steps for value in step.where.values())
    )


def block_of(steps: Sequence[Step]) -> TextClause:
    """Make the block: its one row has 1, then how many records each bulk met."""
    named = MySQLDialect(paramstyle="named", is_mariadb=True)
    counts = [f"portula_{prefix_of(place)}met" for place, step in enumerate(steps) if step.is_bulk]
    parameters: dict[str, BindParameter[Any]] = {}
    lines = [f"DECLARE {count} INT" for count in counts]
    lines += BEGINNING
    for place, step in enumerate(steps):
        compiled = _dml(step, prefix_of(place)).compile(dialect=named)
        parameters |= compiled.binds
        lines += _lines(step, str(compiled), f"portula_{prefix_of(place)}met")
    lines += ["COMMIT", f"SELECT {', '.join(['1', *counts])}"]
    block = "BEGIN NOT ATOMIC\n" + "".join(f"{line};\n" for line in lines) + "END"
    return text(block).bindparams(*parameters.values())


def _dml(step: Step, prefix: str) -> Any:
    if isinstance(step.part, Add):
        table = step.statements.table
        return insert(table).values(
            {name: BindParameter(f"{prefix}v_{name}", type_=table.c[name].type) for name in step.values}
        )
    return step.dml(prefix)


def _lines(step: Step, statement: str, count: str) -> Iterator[str]:
    if step.is_optional:
        yield f"BEGIN DECLARE CONTINUE HANDLER FOR 1062 BEGIN END; {statement}; END"
        return
    if step.only_requires:
        yield f"IF NOT EXISTS ({statement}) THEN {FAIL}; END IF"
        return
    yield statement
    if step.is_bulk:
        yield f"SET {count} = ROW_COUNT()"
    elif not isinstance(step.part, Add):
        yield UNMET
