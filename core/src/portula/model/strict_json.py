"""Reads JSON of strangers strictly: of one meaning, of limited depth, and with nothing that cannot be stored.

`json_problem` holds values that plugins return to the same rules.
"""

from __future__ import annotations

import json
import math
from typing import Any

from portula.model.errors import with_article

MAX_DEPTH = 16
"""How deep objects and arrays may be nested."""


def read_object(data: bytes) -> dict[str, Any]:
    """Return the JSON object that bytes are (RFC 8259, with the restrictions of RFC 7493).

    Raises:
        ValueError: it is none, names a member twice, is nested too deep, holds a number without a finite value, or a
            text with NUL or a lone surrogate. The message says so and quotes nothing.
    """
    value = _read(data)
    if not isinstance(value, dict):
        raise _StrictJSONError("it is not a JSON object")
    return value


def read_array(data: bytes) -> list[Any]:
    """Return the JSON array that bytes are.

    Raises:
        ValueError: as `read_object` says.
    """
    value = _read(data)
    if not isinstance(value, list):
        raise _StrictJSONError("it is not a JSON array")
    return value


def _read(data: bytes) -> Any:
    try:
        value = json.loads(
            data.decode(), object_pairs_hook=_members, parse_constant=_finite, parse_float=_finite
        )
    except _StrictJSONError:
        raise
    except (ValueError, RecursionError):
        raise ValueError("it is not JSON in UTF-8") from None
    _check(value)
    return value


def json_problem(value: object) -> str | None:
    """Say why a value cannot be written as JSON that every reader understands alike (RFC 7493); None when it can be."""
    level: list[tuple[str, object]] = [("", value)]
    for _ in range(MAX_DEPTH + 1):
        below: list[tuple[str, object]] = []
        for path, item in level:
            if isinstance(item, dict):
                below += [(f"{path}.{name}" if path else str(name), member) for name, member in item.items()]
            elif isinstance(item, list | tuple):
                below += [(path, member) for member in item]
            problem = _problem_of(item)
            if problem:
                return f"{path or 'it'} {problem}"
        if not below:
            return None
        level = below
    return f"it is nested more than {MAX_DEPTH} deep"


def _problem_of(item: object) -> str | None:
    """Say what is wrong with one value, whatever it holds."""
    if isinstance(item, dict):
        texts = all(isinstance(name, str) and _storable(name) for name in item)
        return None if texts else "has a name that is no text"
    if isinstance(item, str):
        return None if _storable(item) else "is a text with NUL or a lone surrogate"
    if isinstance(item, float):
        return None if math.isfinite(item) else "is a number without a finite value"
    return (
        None
        if item is None or isinstance(item, int | list | tuple)
        else f"is {with_article(type(item).__qualname__)}"
    )


class _StrictJSONError(ValueError):
    """JSON that a stricter reader refuses."""


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse two members of one name: readers differ on which of them counts (RFC 7493 §2.3)."""
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _StrictJSONError("it names a member twice")
    return members


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise _StrictJSONError("it holds a number without a finite value")
    return number


def _check(value: Any) -> None:
    """Look at every value, level by level."""
    level: list[Any] = [value]
    for _ in range(MAX_DEPTH + 1):
        if not level:
            return
        below: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                below += [*item, *item.values()]
            elif isinstance(item, list):
                below += item
            elif isinstance(item, str) and not _storable(item):
                raise _StrictJSONError("it holds a text with NUL or a lone surrogate")
        level = below
    raise _StrictJSONError(f"it is nested more than {MAX_DEPTH} deep")


def _storable(text: str) -> bool:
    """Say whether a text can be kept by every store and sent as UTF-8 (RFC 7493 §2.1)."""
    if "\0" in text:
        return False
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)
