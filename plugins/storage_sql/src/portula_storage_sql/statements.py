"""SQL of the verbs for one record type, made once for each shape of condition."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BindParameter,
    Column,
    ColumnElement,
    Delete,
    FromClause,
    Insert,
    Select,
    Update,
    and_,
    bindparam,
    delete,
    func,
    insert,
    literal_column,
    or_,
    select,
    tuple_,
    update,
)

from portula.plugin import Pointer, RecordShape
from portula_storage_sql.tables import MARIADB

LAST = "\U0010ffff"
"""The last code point there is."""

_NOTHING: ColumnElement[str] = literal_column("''")

Compare = Callable[[Any, Any], ColumnElement[bool]]

Shaped = tuple[tuple[str, str], ...]
"""Names of the conditions, each with how it compares: `=`, `in` or `null`."""


def shape_of_conditions(where: Mapping[str, object]) -> Shaped:
    """Return the shape of conditions: what of them the SQL depends on."""
    return tuple(
        [
            (name, "null" if value is None else "in" if isinstance(value, tuple) else "=")
            for name, value in where.items()
        ]
    )


def bind_values(
    where: Mapping[str, object], values: Mapping[str, object] | None = None, prefix: str = ""
) -> dict[str, object]:
    """Return the parameters: `w_` and the field's name for a condition, `v_` for a value to set.

    A name that is a column's would be taken for a value to set, where an UPDATE stands inside another statement.
    """
    parameters = {f"{prefix}w_{name}": value for name, value in where.items() if value is not None}
    for name, value in (values or {}).items():
        parameters[f"{prefix}v_{name}"] = value
    return parameters


def pointer_parameters(along: Sequence[Pointer]) -> dict[str, object]:
    """Return the parameters of pointers that name a record by a value: `n_` and the place."""
    return {f"n_{place}": pointer.value for place, pointer in enumerate(along) if pointer.value is not None}


def fills_itself(column: Column[Any]) -> bool:
    """Say whether a column gets a value where an INSERT leaves it out: a default, or a number of its own."""
    own_number = column.table.autoincrement_column is column
    return column.default is not None or column.server_default is not None or own_number


@dataclass(frozen=True, slots=True)
class Route:
    """The shape of a walk: what of it the SQL depends on."""

    by: str
    where: Shaped
    descending: bool
    after: bool
    prefix: bool
    bounded: bool
    """Whether there is a text behind all that begin with the prefix."""


@dataclass(frozen=True, slots=True)
class ExpiredStatements:
    """Statements about what has expired. Keys come first: MariaDB has no DELETE … IN (SELECT … LIMIT)."""

    keys: Select[Any]
    remove: Delete
    count: Select[Any]
    """How many they are, read from the index and no further than the limit."""


def successor(prefix: str) -> str | None:
    """Return the first text behind all that begin with a prefix, by code points; None when there is none."""
    while prefix.endswith(LAST):
        prefix = prefix[:-1]
    if not prefix:
        return None
    following = ord(prefix[-1]) + 1
    return prefix[:-1] + chr(0xE000 if following == 0xD800 else following)


class Statements:
    """Statements of one record type. SQLAlchemy compiles each once."""

    def __init__(self, shape: RecordShape, columns: Mapping[str, Column[Any]], dialect: str) -> None:
        """Prepare the statements whose shape is known.

        Args:
            shape: the record type.
            columns: the column of each of its fields, all of one table.
            dialect: the name SQLAlchemy has for the database.
        """
        self.shape = shape
        self._cls = shape.record.cls
        self.columns = [columns[name] for name in shape.names]
        self.by_field = columns
        self._place = shape.names.index(shape.primary)
        self._primary = columns[shape.primary]
        self.table = self._primary.table
        record = shape.record
        self.is_led_by_primary = dialect == "postgresql" and record.model is None and not record.surrogate
        """Whether a search by primary key has to keep PostgreSQL from other indexes; see `realm`."""
        self._extra = {name: columns[name].key for name, kind in shape.kinds.items() if kind == "other"}
        self._filled = frozenset(name for name in self._extra if fills_itself(columns[name]))
        self.add = self._insert(dialect).execution_options(preserve_rowcount=True)
        self._dialect = dialect
        self._walk: dict[Route, Select[Any]] = {}
        self._find: dict[Shaped, Select[Any]] = {}
        self._joined: dict[tuple[Shaped, tuple[Pointer, ...], object], Select[Any]] = {}
        self._select: dict[tuple[Shaped, bool], Select[Any]] = {}
        self._change: dict[tuple[Shaped, tuple[str, ...]], Update] = {}
        self._remove: dict[Shaped, Delete] = {}
        self._requiring: dict[tuple[Shaped, str], Select[Any]] = {}
        self._expired: dict[Shaped, ExpiredStatements] = {}

    def row(self, record: object) -> dict[str, Any]:
        """Return the values of a record by column; a column that fills itself is left out when nothing is said of it.

        Raises:
            ValueError: some engine could not give a value back; see Shape.check_values.
        """
        values = {name: getattr(record, name) for name in self.shape.names}
        self.shape.check_values(values)
        for name, key in self._extra.items():
            value = values.pop(name)
            if value is not None or name not in self._filled:
                values[key] = value
        return values

    def record(self, row: Sequence[Any] | None) -> Any:
        """Return the record of a row that was selected; None without one."""
        return None if row is None else self._cls(**dict(zip(self.shape.names, row, strict=True)))

    def joined_record(self, row: Sequence[Any]) -> Any:
        """Return the record of a part of a row that was joined; None where no row was there."""
        return None if row[self._place] is None else self.record(row)

    def find(self, where: Shaped) -> Select[Any]:
        """Select one record."""
        statement = self._find.get(where)
        if statement is None:
            statement = self._find[where] = select(*self.columns).where(self._condition(where)).limit(1)
        return statement

    def find_joined(
        self, where: Shaped, along: tuple[tuple[Pointer, Statements], ...], within: object = None
    ) -> Select[Any]:
        """Select one record, followed by those that it points to, NULL where there is none.

        Args:
            where: what it is found by.
            along: to what it points; the values of pointers that name a record by one are parameters, see `named`.
            within: the realm among the conditions.
        """
        pointers = tuple([pointer._replace(value=pointer.value and "") for pointer, _ in along])
        statement = self._joined.get((where, pointers, within))
        if statement is None:
            joined: FromClause = self.table
            columns = list(self.columns)
            for place, (pointer, other) in enumerate(along):
                table = other.table.alias(f"j{place}")
                key, *found = [table.c[each.key] for each in (other.by_field[pointer.key], *other.columns)]
                of = self.by_field[pointer.field] if pointer.value is None else bindparam(f"n_{place}")
                on = key == of
                if pointer.realm is not None:
                    realm = table.c[other.by_field["realm"].key]
                    by_primary = pointer.key == other.shape.primary
                    # The realm of both, since its value would be looked for in the other table before they are joined.
                    value = self.by_field["realm"] if pointer.realm == within else pointer.realm
                    on &= other.realm(realm, by_primary=by_primary) == value
                joined = joined.outerjoin(table, on)
                columns += found
            statement = select(*columns).select_from(joined).where(self._condition(where)).limit(1)
            self._joined[where, pointers, within] = statement
        return statement

    def select(self, where: Shaped, *, after: bool) -> Select[Any]:
        """Select a page, in order of primary key."""
        statement = self._select.get((where, after))
        if statement is None:
            statement = select(*self.columns).where(self._condition(where)).order_by(self._primary)
            if after:
                statement = statement.where(self._primary > bindparam("after"))
            statement = self._select[where, after] = statement.limit(bindparam("limit"))
        return statement

    def walk(self, route: Route) -> Select[Any]:
        """Select a page along an order; the place is compared as a row, which is what lets an index begin there.

        MariaDB does not use an index for rows: there the value bounds the range and the key decides among equal ones.
        """
        statement = self._walk.get(route)
        if statement is None:
            column, key = self.by_field[route.by], self._primary
            statement = select(*self.columns).where(self._condition(route.where), column.is_not(None))
            if route.prefix:
                statement = statement.where(column >= bindparam("prefix"))
            if route.prefix and route.bounded:
                statement = statement.where(column < bindparam("bound"))
            if route.after:
                statement = statement.where(self._behind(column, descending=route.descending))
            ends = [column] if column is key else [column, key]
            statement = statement.order_by(*[end.desc() if route.descending else end for end in ends])
            statement = self._walk[route] = statement.limit(bindparam("limit"))
        return statement

    def _behind(self, column: ColumnElement[Any], *, descending: bool) -> ColumnElement[bool]:
        compare: Compare = operator.lt if descending else operator.gt
        value, key = bindparam("value", type_=column.type), bindparam("key", type_=self._primary.type)
        if column is self._primary:
            return compare(column, key)
        if self._dialect not in MARIADB:
            return compare(tuple_(column, self._primary), tuple_(value, key))
        at_most: Compare = operator.le if descending else operator.ge
        return and_(at_most(column, value), or_(compare(column, value), compare(self._primary, key)))

    def change(self, where: Shaped, fields: tuple[str, ...]) -> Update:
        """Set fields on every record that matches."""
        statement = self._change.get((where, fields))
        if statement is None:
            statement = self._change[where, fields] = self.changing(where, fields)
        return statement

    def changing(self, where: Shaped, fields: tuple[str, ...], prefix: str = "") -> Update:
        """Make a statement like `change`, with a prefix to the names of its parameters."""
        values: dict[Any, BindParameter[Any]] = {
            self.by_field[name]: bindparam(f"{prefix}v_{name}") for name in fields
        }
        return update(self.table).where(self._condition(where, prefix)).values(values)

    def remove(self, where: Shaped) -> Delete:
        """Delete every record that matches."""
        statement = self._remove.get(where)
        if statement is None:
            statement = self._remove[where] = self.removing(where)
        return statement

    def removing(self, where: Shaped, prefix: str = "") -> Delete:
        """Make a statement like `remove`, with a prefix to the names of its parameters."""
        return delete(self.table).where(self._condition(where, prefix))

    def requiring(self, where: Shaped, prefix: str = "") -> Select[Any]:
        """Select the primary key of the record that matches; made once for each shape and prefix."""
        statement = self._requiring.get((where, prefix))
        if statement is None:
            statement = select(self._primary).where(self._condition(where, prefix))
            self._requiring[where, prefix] = statement
        return statement

    def expiry(self, where: Shaped) -> ExpiredStatements:
        """Make the statements about what has expired; for record types that have a field for it."""
        found = self._expired.get(where)
        if found is None:
            column = self.by_field[str(self.shape.record.expires)]
            condition = and_(self._condition(where), column < bindparam("now"))
            some = select(column).where(condition).limit(bindparam("limit"))
            found = self._expired[where] = ExpiredStatements(
                keys=select(self._primary).where(condition).order_by(column).limit(bindparam("limit")),
                remove=delete(self.table).where(self._comparison(self.shape.primary, "in"), condition),
                count=select(func.count()).select_from(some.subquery()),
            )
        return found

    def realm(self, column: ColumnElement[Any], *, by_primary: bool) -> ColumnElement[Any]:
        """Return the realm as it is compared, where a record is sought by its primary key or not.

        All indexes but that of the primary key begin with the realm. As long as PostgreSQL has no statistics of a table
        (ANALYZE), it takes any of them for as good, and would go through a whole realm for each record. No index serves
        an expression.
        """
        return column.concat(_NOTHING) if by_primary and self.is_led_by_primary else column

    def _condition(self, where: Shaped, prefix: str = "") -> ColumnElement[bool]:
        by_primary = any(name == self.shape.primary and how != "null" for name, how in where)
        return and_(
            True, *[self._comparison(name, how, prefix, by_primary=by_primary) for name, how in where]
        )

    def _comparison(
        self, name: str, how: str, prefix: str = "", *, by_primary: bool = False
    ) -> ColumnElement[bool]:
        column: ColumnElement[Any] = self.by_field[name]
        if name == "realm" and self.shape.record.in_realm:
            column = self.realm(column, by_primary=by_primary)
        if how == "null":
            return column.is_(None)
        if how == "in":
            return column.in_(bindparam(f"{prefix}w_{name}", expanding=True))
        return column == bindparam(f"{prefix}w_{name}")

    def _insert(self, dialect: str) -> Insert:
        """Insert a record, or no row where one of its keys is taken. Nobody asks for what the database filled in.

        On PostgreSQL an error would end the transaction. MariaDB has nothing alike (INSERT IGNORE hides other
        errors too), but there the error ends only the statement.
        """
        if dialect == "postgresql":
            from sqlalchemy.dialects import postgresql

            return postgresql.insert(self.table).on_conflict_do_nothing().inline()
        if dialect == "sqlite":
            from sqlalchemy.dialects import sqlite

            return sqlite.insert(self.table).on_conflict_do_nothing().inline()
        return insert(self.table).inline()
