"""Estimates of the engines about their tables, without reading them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Connection, Select, func, literal_column, select, text

from portula_storage_sql.tables import MARIADB

if TYPE_CHECKING:
    from portula_storage_sql.statements import Statements

PROBES = 400
"""Rows of a table in SQLite that are looked at, spread evenly over it."""

_MARIADB_TABLE = (
    "FROM information_schema.tables WHERE table_schema = coalesce(:schema, database()) AND table_name = :name"
)
_STATEMENTS = {
    "rows postgresql": "SELECT CASE WHEN relpages > 0 THEN reltuples / relpages * pg_relation_size(oid)"
    " / current_setting('block_size')::int ELSE 0 END FROM pg_class WHERE oid = to_regclass(:quoted)",
    "rows mariadb": f"SELECT table_rows {_MARIADB_TABLE}",
    "bytes postgresql": "SELECT pg_total_relation_size(to_regclass(:quoted))",
    "bytes mariadb": f"SELECT data_length + index_length {_MARIADB_TABLE}",
}


def row_estimate(connection: Connection, statements: Statements) -> int:
    """Return about how many rows a table has, all realms together; 0 where nobody knows."""
    if connection.dialect.name == "sqlite":
        first, last = _ends(connection, statements)
        return last - first + 1  # new rows have higher numbers, and the oldest are deleted first
    return int(_engine_figure(connection, statements, "rows") or 0)


def expired_estimate(
    connection: Connection, statements: Statements, condition: ColumnElement[bool], rows: int
) -> int:
    """Return about how many rows meet a condition on the expiry.

    Args:
        connection: an open one.
        statements: of the table.
        condition: compares the expiry.
        rows: about how many there are.
    """
    asked: Select[Any] = select(literal_column("1")).select_from(statements.table).where(condition)
    written = asked.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True})
    if connection.dialect.name == "postgresql":
        (plan,) = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {written}".replace("%", "%%")).one()
        return int((json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]["Plan Rows"])
    if connection.dialect.name in MARIADB:
        row = connection.exec_driver_sql(f"EXPLAIN {written}".replace("%", "%%")).mappings().one()
        return int(row["rows"] or 0)
    return round(rows * _share(connection, statements, condition))


def table_bytes(connection: Connection, statements: Statements) -> int | None:
    """Return what table and indexes take; None where the engine does not say without reading them (SQLite)."""
    told = _engine_figure(connection, statements, "bytes")
    return None if told is None else int(told)


def database_bytes(connection: Connection) -> tuple[int, int] | None:
    """Return what the file of a SQLite database takes, and how much of that is free; None for other engines."""
    if connection.dialect.name != "sqlite":
        return None
    pages, free, size = (
        int(connection.exec_driver_sql(f"PRAGMA {name}").scalar_one())
        for name in ("page_count", "freelist_count", "page_size")
    )
    return pages * size, free * size


def _engine_figure(connection: Connection, statements: Statements, what: str) -> Any:
    engine = "mariadb" if connection.dialect.name in MARIADB else connection.dialect.name
    statement = _STATEMENTS.get(f"{what} {engine}")
    if statement is None:
        return None
    table = statements.table
    quoted = connection.dialect.identifier_preparer.format_table(table)
    given = {"quoted": quoted, "schema": table.schema, "name": table.name}
    wanted = text(statement)
    return connection.execute(wanted, {name: given[name] for name in wanted._bindparams}).scalar()  # noqa: SLF001 - what the text names


def _ends(connection: Connection, statements: Statements) -> tuple[int, int]:
    """Return the numbers of the first and the last row of a table in SQLite."""
    number: ColumnElement[int] = literal_column("rowid")
    last = select(func.max(number)).select_from(statements.table)
    first = select(func.min(number)).select_from(statements.table)
    return int(connection.execute(first).scalar() or 0), int(connection.execute(last).scalar() or -1)


def _share(connection: Connection, statements: Statements, condition: ColumnElement[bool]) -> float:
    """Return the share of rows that meet a condition, of some that lie evenly between the first and the last."""
    first, last = _ends(connection, statements)
    number: ColumnElement[int] = literal_column("rowid")
    met = []
    for place in range(PROBES):
        row = select(condition).select_from(statements.table)
        row = row.where(number >= first + (last - first) * place // PROBES).order_by(number).limit(1)
        met.append(bool(connection.execute(row).scalar()))
    return sum(met) / PROBES
