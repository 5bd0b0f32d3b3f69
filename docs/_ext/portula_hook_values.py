"""Says what the hooks of a room are called with: where they are declared, and the members of their values."""

# ruff: noqa: INP001 - Sphinx imports it by path
from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Iterable
from typing import Any

from portula.host.kinds import HookDeclarations
from portula.web.report import docs_in_source


def where_markdown(classes: Iterable[type[HookDeclarations]]) -> list[str]:
    """Return a sentence for each class that declares hooks: where it is, and what deriving from it is good for."""
    return [
        f"Declared in `{cls.__module__}.{cls.__name__}`; who derives from it beside `Plugin` has names, values and "
        "answers checked by mypy and pyright.\n"
        for cls in classes
    ]


def value_markdown(function: Callable[..., Any]) -> str:
    """Return the members of the value that a hook is called with, one a line; nothing where it is a class of core."""
    parameter = list(inspect.signature(function).parameters.values())[-1]
    cls = inspect.unwrap(function).__globals__.get(str(parameter.annotation))
    if (
        not dataclasses.is_dataclass(cls)
        or not isinstance(cls, type)
        or cls.__module__.startswith("portula.")
    ):
        return ""
    texts: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        texts |= docs_in_source(base)
    members = [(field.name, field.type, texts.get(field.name, "")) for field in dataclasses.fields(cls)]
    return "".join(
        f"- `{parameter.name}.{name}`, {_type(types)}{_text(text)}\n"
        for name, types, text in [*members, *_properties(cls)]
        if not name.startswith("_")
    )


def _properties(cls: type) -> list[tuple[str, object, str]]:
    """Return the name, the type and the text of each property of a class, in their order."""
    return [
        (name, inspect.signature(member.fget).return_annotation, inspect.getdoc(member) or "")
        for base in reversed(cls.__mro__)
        for name, member in vars(base).items()
        if isinstance(member, property) and member.fget is not None
    ]


def _type(types: object) -> str:
    return f"`{types if isinstance(types, str) else getattr(types, '__name__', types)}`"


def _text(text: str) -> str:
    return f": {' '.join(text.split())}" if text else ""
