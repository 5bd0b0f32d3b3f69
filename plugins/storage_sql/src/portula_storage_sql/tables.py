"""Tables made from record types: the same bytes compare the same on every engine."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, MetaData, String, Table, Text
from sqlalchemy.dialects.mysql import MEDIUMTEXT, VARCHAR
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

from portula.plugin import MAX_TEXT_LENGTH, SURROGATE, RecordField, RecordShape

PREFIX = "portula_"
"""Every table begins with it, so that a database may be shared with the application."""

MARIADB = ("mysql", "mariadb")
"""Names SQLAlchemy's dialect has there, by the scheme of the URL."""

PARTIAL = ("postgresql", "sqlite")
"""Those that have indexes of some rows only."""

MARIADB_BINARY = "utf8mb4_nopad_bin"
"""Compares code points and trailing spaces; utf8mb4_bin would find `a` when asked for `a `."""

NAMING = {"pk": "pk_%(table_name)s", "ix": "ix_%(table_name)s_%(column_0_name)s"}

encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode
"""Writes compact JSON."""


SHORT = 512
"""Characters of a JSON list that is not parsed again while it is among the last 1,024 that were read."""


class ShortText(String):
    """What `short_text` returns, by a name that migrations can be written with."""


class LongText(Text):
    """What `long_text` returns, likewise."""


def short_text() -> TypeEngine[str]:
    """Return the type of str fields: up to 255 characters, compared byte by byte."""
    return (
        ShortText(MAX_TEXT_LENGTH)
        .with_variant(String(MAX_TEXT_LENGTH, collation="C"), "postgresql")
        .with_variant(VARCHAR(MAX_TEXT_LENGTH, charset="utf8mb4", collation=MARIADB_BINARY), *MARIADB)
    )


def long_text() -> TypeEngine[str]:
    """Return the type of text fields, of any length (on MariaDB 16 MiB)."""
    return (
        LongText()
        .with_variant(Text(collation="C"), "postgresql")
        .with_variant(MEDIUMTEXT(charset="utf8mb4", collation=MARIADB_BINARY), *MARIADB)
    )


class JsonDict(TypeDecorator[dict[str, Any]]):
    """A dict as JSON text; no engine's own JSON type, so that it comes back as it went in."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Use the same column type as a text field."""
        return dialect.type_descriptor(long_text())

    def process_bind_param(self, value: dict[str, Any] | None, dialect: Dialect) -> str | None:
        """Write compact JSON; most payloads are empty and need no encoder."""
        if not value:
            return None if value is None else "{}"
        return encode(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> dict[str, Any] | None:
        """Read JSON; most payloads are empty and need no parser."""
        if value is None:
            return None
        result: dict[str, Any] = {} if value == "{}" else json.loads(value)
        return result


def _list(text: str) -> tuple[str, ...]:
    return tuple(json.loads(text))


_short_list = lru_cache(1024)(_list)


class JsonTuple(TypeDecorator[tuple[str, ...]]):
    """A tuple of strings as JSON text."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Use the same column type as a text field."""
        return dialect.type_descriptor(long_text())

    def process_bind_param(self, value: tuple[str, ...] | None, dialect: Dialect) -> str | None:
        """Write a compact JSON list."""
        if not value:
            return None if value is None else "[]"
        return encode(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> tuple[str, ...] | None:
        """Read a JSON list; few different ones are read again and again, the grant types of clients among them."""
        if value is None:
            return None
        return _short_list(value) if len(value) <= SHORT else _list(value)


def column_type(field: RecordField) -> TypeEngine[Any]:
    """Return the column type of a field."""
    if field.kind == "str":
        return short_text()
    if field.kind == "text":
        return long_text()
    if field.kind == "int":
        return BigInteger()
    if field.kind == "bool":
        return Boolean()
    return JsonTuple() if field.kind == "tuple" else JsonDict()


def table_of(shape: RecordShape, metadata: MetaData, *dialects: str) -> Table:
    """Make the table of one record type; `dialects` as of `index`.

    The first key is the primary key, unless the type wants a surrogate. Each other key has a unique index (SQLite can
    add an index to a table, but no constraint), each index and the expiry field a plain one; all of them begin with the
    realm, where there are realms.
    """
    record = shape.record
    columns: list[Column[Any]] = [
        Column(
            field.name,
            column_type(field),
            primary_key=field.name == shape.primary and not record.surrogate,
            nullable=field.nullable and field.name != shape.primary,
            autoincrement=False,
        )
        for field in shape.fields
    ]
    if record.surrogate:
        columns.insert(0, Column(SURROGATE, BigInteger().with_variant(Integer(), "sqlite"), primary_key=True))
    table = Table(PREFIX + record.name, metadata, *columns)
    for name in record.keys[0 if record.surrogate else 1 :]:
        _index(table, shape, name, name, unique=True)
    index(table, shape, *dialects)
    return table


def _index(table: Table, shape: RecordShape, name: str, *columns: str, **options: Any) -> None:
    """Add an index that begins with the realm, where there are realms: every statement compares that."""
    realm = ["realm"] if shape.record.in_realm else []
    Index(f"ix_{table.name}_{name}", *[table.c[column] for column in (*realm, *columns)], **options)


def index(table: Table, shape: RecordShape, *dialects: str) -> None:
    """Add the indexes that a record type is searched and walked by, to a table of a deployment's own as well.

    Args:
        table: it gets them.
        shape: the record type.
        dialects: which it is for, so that SQLAlchemy need not import the others; none for all.
    """
    record = shape.record
    begun = {
        order[0] for order in record.orders if not partial(shape, order)
    }  # an order's index serves its beginning
    for name in dict.fromkeys((*record.indexes, *((record.expires,) if record.expires else ()))):
        if name not in record.keys and name not in begun:
            # Else SQLite would rather go through all of a realm in order of the key than sort the few that match.
            behind = (shape.primary,) if record.surrogate and record.in_realm else ()
            _index(table, shape, name, name, *behind)
    for order in record.orders:
        only = table.c[order[-1]].is_not(None) if partial(shape, order) else None
        known = [name for name in PARTIAL if not dialects or name in dialects]
        where: dict[str, Any] = {f"{name}_where": only for name in known} if only is not None else {}
        _index(table, shape, f"by_{'_'.join(order)}", *order, shape.primary, **where)


def partial(shape: RecordShape, order: Sequence[str]) -> bool:
    """Say whether the index of an order leaves out what has no value there, as a walk does: tokens not revoked.

    A field that expires is looked for by `purge` too, which needs no such condition.
    """
    field = next(field for field in shape.fields if field.name == order[-1])
    return field.nullable and order[-1] != shape.record.expires


def metadata_of(shapes: Iterable[RecordShape], *dialects: str) -> MetaData:
    """Make the tables of all these record types; `dialects` as of `index`."""
    metadata = MetaData(naming_convention=NAMING)
    for shape in shapes:
        table_of(shape, metadata, *dialects)
    return metadata
