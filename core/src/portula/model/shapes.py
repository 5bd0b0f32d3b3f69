"""The fields of a record, and the conditions and values that a store accepts for them."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from portula.model.errors import ConfigError, nearest
from portula.model.records import RecordType

MAX_TEXT_LENGTH = 255
"""Characters a str field holds unless the RecordType lists it under `text`."""

SURROGATE = "id"
"""The primary key of a table whose records have none that is unique by itself."""

Kind = Literal["str", "text", "int", "bool", "tuple", "dict", "other"]
"""`other` is a column that only a deployment's own model has."""

_KINDS: Mapping[object, Kind] = {str: "str", int: "int", bool: "bool", tuple: "tuple", dict: "dict"}


@dataclass(frozen=True, slots=True)
class RecordField:
    """One field of a record, as a store sees it."""

    name: str
    kind: Kind
    nullable: bool
    default: Any
    """The dataclass default, made once if it comes from a factory; dataclasses.MISSING without one."""


@dataclass(frozen=True, slots=True)
class RecordShape:
    """A RecordType with its fields resolved."""

    record: RecordType
    fields: tuple[RecordField, ...]
    names: tuple[str, ...]
    anchors: frozenset[str]
    """Keys and indexes: what keeps a condition from scanning the table."""
    searchable: frozenset[str]
    """What `find` and `select` may compare: the anchors, and the realm where there are realms."""
    scalars: frozenset[str]
    """Fields a condition may compare at all."""
    kinds: Mapping[str, Kind]
    """What each field is."""

    @property
    def primary(self) -> str:
        """Name of the primary key."""
        return self.record.keys[0]

    def check_values(self, values: Mapping[str, object]) -> None:
        """Refuse what some engine could not give back: too long, NUL, a lone surrogate, an unknown field.

        Raises:
            ValueError: naming the field, never its value.
        """
        known = 0
        for field in self.fields:
            if field.name not in values:
                continue
            known += 1
            value = values[field.name]
            if isinstance(value, str):
                _check_text(self.record.name, field, value)
        if known != len(values):
            self._refuse_unknown(values)

    def check_change(self, values: Mapping[str, object]) -> None:
        """Refuse what `change` may not set: as check_values, and the primary key."""
        self.check_values(values)
        if self.primary in values or not values:
            raise ValueError(f"{self.record.name}.{self.primary} never changes; name other fields to set")

    def check_keys(self, where: Mapping[str, object]) -> None:
        """Refuse conditions of `find` that are no keys or indexes, or among which is no key."""
        self.check_searchable(where)
        if where.keys().isdisjoint(self.record.keys):
            raise ValueError(f"{self.record.name}: find needs one of {_comma_separated(self.record.keys)}")

    def check_searchable(self, where: Mapping[str, object]) -> None:
        """Refuse conditions of `select` on fields that are neither key nor index."""
        for name in where:
            if name not in self.searchable:
                self._refuse_unknown(where)
                raise ValueError(f"{self.record.name}.{name} is neither a key nor an index")

    def check_walk(self, by: str, where: Mapping[str, object], prefix: str) -> None:
        """Refuse what no order serves, and a prefix of what is no text."""
        self.record.check_order(by, where)
        if prefix and self.kinds[by] != "str":
            raise ValueError(f"{self.record.name}.{by} is no text that could have a prefix")

    def check_anchored(self, where: Mapping[str, object]) -> None:
        """Refuse conditions of `change` and `remove` among which is neither key nor index."""
        self._refuse_unknown(where)
        for name in where:
            if name not in self.scalars:
                raise ValueError(f"{self.record.name}.{name} cannot be compared")
        if where.keys().isdisjoint(self.anchors):
            given = _comma_separated(where) or "no condition"
            raise ValueError(f"{self.record.name}: {given}: none is a key or an index")

    def _refuse_unknown(self, names: Iterable[str]) -> None:
        for name in names:
            if name not in self.names:
                raise ValueError(f"{self.record.name} has no field {name!r}{nearest(name, self.names)}")


def shape_of(record: RecordType) -> RecordShape:
    """Resolve the fields of a record type.

    Raises:
        ConfigError: its class is no dataclass, a field has a type no store keeps, there is no key, or a key or an index
            is not a short scalar.
    """
    if not dataclasses.is_dataclass(record.cls):
        raise ConfigError(f"record {record.name}: {record.cls.__qualname__} is no dataclass")
    if not record.keys:
        raise ConfigError(f"record {record.name}: `keys` names no field; the first is the primary key")
    hints = get_type_hints(record.cls)
    fields = tuple(
        _field(record, field, hints[field.name])
        for field in dataclasses.fields(record.cls)
        if field.name != "realm" or record.in_realm  # what a model has no column for is not kept
    )
    by_name = {field.name: field for field in fields}
    anchors = frozenset((*record.keys, *record.indexes))
    searchable = anchors | ({"realm"} if record.in_realm else frozenset())
    expires = (record.expires,) if record.expires else ()
    ordered = {name for order in record.orders for name in order}
    for name in (*record.keys, *record.indexes, *expires, *record.text, *ordered):
        if name not in by_name:
            raise ConfigError(f"record {record.name}: no field {name!r}{nearest(name, by_name)}")
    if record.surrogate and record.model is None and SURROGATE in by_name:
        raise ConfigError(
            f"record {record.name}: the table has a column {SURROGATE} of its own; rename the field"
        )
    for name in (*searchable, *expires, *ordered):
        if by_name[name].kind not in ("str", "int", "bool"):
            raise ConfigError(f"record {record.name}: {name} is {by_name[name].kind}, which no index holds")
    return RecordShape(
        record=record,
        fields=fields,
        names=tuple(by_name),
        anchors=anchors,
        searchable=searchable,
        scalars=frozenset(field.name for field in fields if field.kind in ("str", "int", "bool")),
        kinds={field.name: field.kind for field in fields},
    )


def _field(record: RecordType, field: dataclasses.Field[Any], hint: object) -> RecordField:
    options = get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)
    plain = [option for option in options if option is not types.NoneType]
    kind = _KINDS.get(get_origin(plain[0]) or plain[0]) if len(plain) == 1 else None
    if hint is Any and record.model is not None:
        kind = "other"
    if kind is None:
        raise ConfigError(
            f"record {record.name}: {field.name} must be str, int, bool, tuple or dict, or one of them or None"
        )
    made = field.default_factory
    return RecordField(
        name=field.name,
        kind="text" if kind == "str" and field.name in record.text else kind,
        nullable=len(plain) < len(options),
        default=field.default if made is dataclasses.MISSING else made(),
    )


def _check_text(record: str, field: RecordField, value: str) -> None:
    if field.kind == "str" and len(value) > MAX_TEXT_LENGTH:
        raise ValueError(f"{record}.{field.name} holds at most {MAX_TEXT_LENGTH} characters")
    if "\0" in value:
        raise ValueError(f"{record}.{field.name} cannot hold NUL")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise ValueError(f"{record}.{field.name} cannot hold a lone surrogate") from None


def _comma_separated(names: Iterable[str]) -> str:
    return ", ".join(names)
