"""Reads settings models: type, default, bounds, and the text under each field."""

# ruff: noqa: INP001 - Sphinx imports it by path
from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

from portula.plugin import AnswersSlot, display_value, field_docs

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic.fields import FieldInfo

BOUNDS = {
    "ge": "at least {}",
    "gt": "above {}",
    "le": "at most {}",
    "lt": "below {}",
    "min_length": "length at least {}",
    "max_length": "length at most {}",
    "pattern": "matching `{}`",
}
NAMES = {
    str: "string",
    int: "integer",
    bool: "true or false",
    float: "number",
    timedelta: "timedelta",
    Any: "object",
}


@dataclass(frozen=True, slots=True)
class SettingEntry:
    """One setting as the reference shows it."""

    name: str
    type: str
    default: str
    bounds: str
    slot: str | None
    """The slot that a value answers."""
    text: str


def entries(model: type[BaseModel]) -> list[SettingEntry]:
    """Return the settings of a model in their order."""
    texts = field_docs(model)
    return [_entry(name, field, texts.get(name, "")) for name, field in model.model_fields.items()]


def markdown(entry: SettingEntry) -> str:
    """Return the section of one setting."""
    facts = {"Type": entry.type, "Default": entry.default, "Allowed": entry.bounds}
    if entry.slot:
        facts["Slot"] = f"[`portula_{entry.slot}`](#portula_{entry.slot})"
    lines = [f"- {label}: {fact}" for label, fact in facts.items() if fact]
    return (
        f"(setting-{entry.name.lower()})=\n### `{entry.name}`\n\n{entry.text}\n\n" + "\n".join(lines) + "\n"
    )


def _entry(name: str, field: FieldInfo, text: str) -> SettingEntry:
    slot = next((mark.slot for mark in field.metadata if isinstance(mark, AnswersSlot)), None)
    default = field.get_default(call_default_factory=True)
    return SettingEntry(
        name=name,
        type="import string, or the object itself" if slot else _type(field.annotation),
        default=_default(name, default),
        bounds=_bounds(field.metadata),
        slot=slot,
        text=text,
    )


def _default(name: str, value: object) -> str:
    if value is None:
        return "none"
    return "empty" if value in ("", (), {}, []) else f"`{display_value(name, value)}`"


def _bounds(metadata: list[Any]) -> str:
    return ", ".join(
        text.format(value)
        for mark in metadata
        for key, text in BOUNDS.items()
        if not isinstance(mark, AnswersSlot) and (value := getattr(mark, key, None)) is not None
    )


def _type(annotation: Any) -> str:
    """Say a type in words."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return f"{_type(arguments[0])} {_bounds(list(arguments[1:]))}".strip()
    if origin in (Union, UnionType):
        return " or ".join(_type(argument) for argument in arguments if argument is not NoneType)
    if origin is not None:
        return _generic(origin, arguments)
    return NAMES.get(annotation, getattr(annotation, "__name__", str(annotation)))


def _generic(origin: Any, arguments: tuple[Any, ...]) -> str:
    if origin is Literal:
        return " or ".join(f"`{argument!r}`" for argument in arguments)
    if issubclass(origin, Callable):  # type: ignore[arg-type]
        return "callable"
    if issubclass(origin, Mapping):
        return f"mapping from {_type(arguments[0])} to {_type(arguments[1])}"
    return f"list of {_type(arguments[0])}"
