"""Statements that go to the driver as text, and rows that come from it: what SQLAlchemy works out is worked out once.

SQLAlchemy spends more on the execution of a small statement than the database does. It still writes the text of each,
knows how every type is bound and read, and carries out whatever does not fit here; see `direct_of`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import (
    BigInteger,
    BindParameter,
    Boolean,
    ClauseElement,
    Connection,
    Dialect,
    Executable,
    Insert,
    Integer,
    Select,
    String,
    Table,
    Text,
    Update,
)
from sqlalchemy.dialects.sqlite.base import SQLiteDialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TypeEngine

from portula_storage_sql.tables import JsonDict, JsonTuple, LongText, ShortText

if TYPE_CHECKING:
    from portula_storage_sql.prepared_statements import NumberedStatement

Convert = Callable[[Any], Any]

NAMED = SQLiteDialect(paramstyle="named")
"""SQLite's parameters by name, as the other drivers take them."""

KNOWN = frozenset((ShortText, LongText, JsonDict, JsonTuple, BigInteger, Boolean, Integer, String, Text))
"""Types whose values are converted without a look at the cursor."""


@dataclass(frozen=True, slots=True)
class DirectStatement:
    """The text of a statement, and what turns its parameters into what the driver takes and its columns into values."""

    text: str
    fixed: Mapping[str, object]
    """Parameters that are a part of the statement, e.g. of its LIMIT."""
    binds: Mapping[str, Convert]
    results: Sequence[tuple[int, Convert]]
    """The places of columns that are converted."""
    numbered: NumberedStatement | None = None
    """The same statement where the driver may have it prepared."""

    def bind(self, parameters: Mapping[str, object]) -> dict[str, object]:
        """Return what the driver is given."""
        given = {**self.fixed, **parameters}
        for name, bind in self.binds.items():
            given[name] = bind(given[name])
        return given

    def rows(self, connection: Connection, parameters: Mapping[str, object]) -> list[Sequence[Any]]:
        """Execute a statement that returns rows; a driver's error is raised as by SQLAlchemy."""
        _, rows = self._execute(connection, parameters, fetches=True)
        if not self.results:
            return rows
        values = [list(row) for row in rows]
        for row in values:
            for place, convert in self.results:
                row[place] = convert(row[place])
        return [*values]

    def row_count(self, connection: Connection, parameters: Mapping[str, object]) -> int:
        """Execute a statement that writes; return how many rows it met."""
        count, _ = self._execute(connection, parameters, fetches=False)
        return count

    def _execute(
        self, connection: Connection, parameters: Mapping[str, object], *, fetches: bool
    ) -> tuple[int, list[Sequence[Any]]]:
        dialect = connection.dialect
        driver: Any = connection.connection.driver_connection
        try:
            return self._execute_by(driver, self.bind(parameters), fetches=fetches)
        except dialect.loaded_dbapi.Error as error:
            is_lost = dialect.is_disconnect(error, driver, None)
            raised = DBAPIError.instance(
                self.text,
                None,
                error,
                dialect.loaded_dbapi.Error,
                hide_parameters=True,
                connection_invalidated=is_lost,
                dialect=dialect,
            )
            if is_lost:
                connection.invalidate(error)
            raise raised from error

    def _execute_by(
        self, driver: Any, given: Mapping[str, object], *, fetches: bool
    ) -> tuple[int, list[Sequence[Any]]]:
        if self.numbered is not None:
            outcome = driver.execute_prepared(self.numbered, given)
            if outcome is not None:
                return outcome.row_count, outcome.rows
        cursor = driver.cursor()
        try:
            cursor.execute(self.text, given)
            return cursor.rowcount, cursor.fetchall() if fetches else []
        finally:
            cursor.close()


def direct_of(statement: Executable, keys: Iterable[str], dialect: Dialect) -> DirectStatement | None:
    """Compile a statement; None for one that SQLAlchemy has to execute.

    These are: a statement with a list of any length, one that writes a table with columns that SQLAlchemy fills, one
    with a type that only a deployment's own model has, and all for a driver whose parameters have no names.

    Args:
        statement: any.
        keys: the names of its parameters, which of an INSERT are its columns.
        dialect: of an engine that has connected.
    """
    dialect = NAMED if dialect.name == "sqlite" else dialect
    if dialect.positional or _is_filled(statement):
        return None
    binds = {name: bind for bind, name in _compile(statement, keys, dialect).bind_names.items()}
    types = [*[bind.type for bind in binds.values()], *_result_types(statement)]
    if any(bind.expanding for bind in binds.values()) or not KNOWN.issuperset(map(type, types)):
        return None
    return compile_direct(statement, keys, dialect)


def compile_direct(statement: Executable, keys: Iterable[str], dialect: Dialect) -> DirectStatement:
    """Compile a statement that is known to be none of those that SQLAlchemy has to execute; see direct_of."""
    compiled = _compile(statement, keys, dialect)
    binds: dict[str, BindParameter[Any]] = {name: bind for bind, name in compiled.bind_names.items()}
    bound = [(name, bind.type.dialect_impl(dialect).bind_processor(dialect)) for name, bind in binds.items()]
    results = [
        each.dialect_impl(dialect).result_processor(dialect, None) for each in _result_types(statement)
    ]
    is_psycopg = dialect.name == "postgresql" and dialect.driver == "psycopg"
    return DirectStatement(
        text=str(compiled),
        fixed={name: bind.value for name, bind in binds.items() if not bind.required},
        binds={name: convert for name, convert in bound if convert is not None},
        results=[(place, convert) for place, convert in enumerate(results) if convert is not None],
        numbered=_numbered_statement(statement, keys) if is_psycopg else None,
    )


def _numbered_statement(statement: Executable, keys: Iterable[str]) -> NumberedStatement:
    from portula_storage_sql.prepared_statements import NumberedStatement

    compiled = _compile(statement, keys, _numbering())
    return NumberedStatement(str(compiled).encode(), tuple(compiled.positiontup or ()))


@cache
def _numbering() -> Dialect:
    """Return the dialect that numbers the parameters, as PostgreSQL itself does."""
    from sqlalchemy.dialects.postgresql import psycopg

    dialect: Callable[..., Dialect] = psycopg.dialect
    return dialect(paramstyle="numeric_dollar")


def _compile(statement: Executable, keys: Iterable[str], dialect: Dialect) -> SQLCompiler:
    columns = list(keys) if isinstance(statement, Insert) else None
    compiled = cast("ClauseElement", statement).compile(dialect=dialect, column_keys=columns)
    return cast("SQLCompiler", compiled)


def _result_types(statement: Executable) -> list[TypeEngine[Any]]:
    return [column.type for column in statement.selected_columns] if isinstance(statement, Select) else []


def _is_filled(statement: Executable) -> bool:
    """Say whether SQLAlchemy has values of its own for columns that a statement writes."""
    if not isinstance(statement, Insert | Update):
        return False
    columns = cast("Table", statement.table).columns
    return any(column.default is not None or column.onupdate is not None for column in columns)
