"""Mapped classes of the deployment's own: which columns stand for which fields, and the record class made of one.

The store reads and writes their tables as it does ours, with SQLAlchemy Core; no session and no instance of the mapped
class takes part in a request. What its methods decide holds all the same: the record class has them too.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import CellType, FunctionType
from typing import Any, cast

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnDefault,
    String,
    Table,
    Text,
    UniqueConstraint,
    inspect,
)
from sqlalchemy.orm import Mapper

from portula.plugin import MAX_TEXT_LENGTH, RecordField, RecordType, shape_of
from portula_storage_sql.statements import fills_itself
from portula_storage_sql.tables import JsonDict, JsonTuple

KINDS: Mapping[str, type[Any]] = {
    "str": String,
    "text": String,
    "int": BigInteger,
    "bool": Boolean,
    "tuple": JsonTuple,
    "dict": JsonDict,
}
"""The column type of each kind of field, or a subclass of it. Unix seconds outgrow an Integer in 2038."""


def columns_of(model: type[Any], base: type[Any] | None) -> dict[str, Column[Any]]:
    """Return the column of each field: of `base` by the name of the column, of the others by that of the attribute."""
    table = _table(model)
    names = [field.name for field in dataclasses.fields(cast("Any", base))]
    ours = {name: table.c[name] for name in names if name != "realm" or hasattr(model, "realm")}
    return ours | _others(model, frozenset(ours))


def record_class(model: type[Any], record: RecordType) -> type[Any]:
    """Make the record class of a mapped class: the fields of `record`, one for each further column, its own methods.

    Raises:
        TypeError: naming each column that is missing or wrong.
    """
    table, fields = _table(model), shape_of(replace(record, model=model)).fields
    problems = [problem for field in fields for problem in _problems(field, table)]
    others = _others(model, frozenset(field.name for field in fields))
    problems += [
        f"column {column.name} is NOT NULL and has no default, so no new record could have it"
        for column in others.values()
        if not column.nullable and not fills_itself(column)
    ]
    for key in record.keys:
        if key in table.c and not _unique(table, key):
            problems.append(f"column {key} must be unique by itself, or together with a column realm")
    if problems:
        raise TypeError("; ".join(problems))
    made = dataclasses.make_dataclass(
        model.__name__,
        [
            (name, Any, dataclasses.field(default=_default(column), repr=False))
            for name, column in others.items()
        ],
        bases=(_with_methods(model, record.cls, frozenset(others)),),
        frozen=True,
        kw_only=True,
        slots=True,
    )
    made.__module__, made.__qualname__ = model.__module__, model.__qualname__
    made.__doc__ = f"Rows of {table.name}."
    return made


def _table(model: type[Any]) -> Table:
    table = getattr(model, "__table__", None)
    if not isinstance(table, Table):
        raise TypeError("is not mapped to a table")
    return table


def _others(model: type[Any], ours: frozenset[str]) -> dict[str, Column[Any]]:
    mapper: Mapper[Any] = inspect(model)
    return {name: column for name, column in mapper.columns.items() if column.key not in ours}


def _problems(field: RecordField, table: Table) -> Iterator[str]:
    column = table.c.get(field.name)
    if column is None:
        yield f"column {field.name} is missing"
        return
    needed = KINDS[field.kind]
    if not isinstance(column.type, needed):
        yield f"column {field.name} is {column.type!r}; it must be {needed.__name__}"
    elif field.kind == "str" and (cast("String", column.type).length or MAX_TEXT_LENGTH) < MAX_TEXT_LENGTH:
        yield f"column {field.name} must have room for {MAX_TEXT_LENGTH} characters"
    elif field.kind == "text" and not isinstance(column.type, Text):
        yield f"column {field.name} is {column.type!r}; it must be Text"
    if field.nullable and not column.nullable:
        yield f"column {field.name} must be nullable"


def _unique(table: Table, name: str) -> bool:
    unique = [{*table.primary_key.columns.keys()}]
    unique += [{*item.columns.keys()} for item in table.constraints if isinstance(item, UniqueConstraint)]
    unique += [{*index.columns.keys()} for index in table.indexes if index.unique]
    return {name} in unique or {name, "realm"} in unique


def _default(column: Column[Any]) -> Any:
    """Return what a new record says of a column: its plain default; None where the database or a function says it."""
    default = column.default
    return default.arg if isinstance(default, ColumnDefault) and default.is_scalar else None


# --- Methods ---


def _with_methods(model: type[Any], base: type[Any], others: frozenset[str]) -> type[Any]:
    """Put the methods of the model's own classes, in their order, on top of the record class.

    Each class gets a twin, so that `super()` goes on as it does in the model. The mixin's part is done by `base`, and
    the declarative base has no part.
    """
    top = base
    for cls in reversed(model.__mro__[: -len(object.__mro__)]):
        if cls in _not_ours(model, base):
            continue
        members = {
            name: value
            for name, value in vars(cls).items()
            if name not in others and name not in base.__dataclass_fields__ and _is_own(name, value)
        }
        cell = CellType()
        top = type(
            cls.__name__,
            (top,),
            {"__slots__": (), **{name: _rebound(value, cell) for name, value in members.items()}},
        )
        cell.cell_contents = top
    return top


def _not_ours(model: type[Any], base: type[Any]) -> set[type[Any]]:
    """Return the classes whose methods are the library's: the mixin's bases and those of the declarative base."""
    found: set[type[Any]] = set()
    for cls in model.__mro__:
        if not vars(cls).keys().isdisjoint(("portula_record", "registry", "_sa_registry")):
            found.update(cls.__mro__)
    return found | set(base.__mro__)


def _is_own(name: str, value: object) -> bool:
    """Tell what the deployment wrote from what SQLAlchemy and Python put there."""
    return not name.startswith(("__", "_sa_")) and type(value).__module__.partition(".")[0] != "sqlalchemy"


def _rebound(value: Any, cell: CellType) -> Any:
    """Return a member whose functions mean the twin where they say `super()`."""
    if isinstance(value, FunctionType):
        return _function(value, cell)
    if isinstance(value, property):
        return property(_rebound(value.fget, cell), doc=value.__doc__)
    if isinstance(value, classmethod | staticmethod):
        return type(value)(_rebound(value.__func__, cell))
    return value


def _function(function: FunctionType, cell: CellType) -> FunctionType:
    free = function.__code__.co_freevars
    if "__class__" not in free:
        return function
    closure = tuple(
        cell if name == "__class__" else held
        for name, held in zip(free, function.__closure__ or (), strict=True)
    )
    made = FunctionType(
        function.__code__, function.__globals__, function.__name__, function.__defaults__, closure
    )
    made.__kwdefaults__, made.__doc__, made.__qualname__ = (
        function.__kwdefaults__,
        function.__doc__,
        function.__qualname__,
    )
    return made
