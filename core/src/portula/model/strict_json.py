"""Reading JSON of strangers: one meaning only, of limited depth, and nothing in it that cannot be stored."""

from __future__ import annotations

import json
import math
from typing import Any

MAX_DEPTH = 16
"""How deep objects and arrays may stand in each other."""


def read_object(data: bytes) -> dict[str, Any]:
    """Return the JSON object that bytes are (RFC 8259, with the restrictions of RFC 7493).

    Raises:
        ValueError: it is none, names a member twice, is nested too deep, holds a number without a finite value, or a
            text with NUL or half a character. The message says so and quotes nothing.
    """
    try:
        value = json.loads(
            data.decode(), object_pairs_hook=_members, parse_constant=_finite, parse_float=_finite
        )
    except _Refused:
        raise
    except (ValueError, RecursionError):
        raise ValueError("it is not JSON in UTF-8") from None
    if not isinstance(value, dict):
        raise _Refused("it is not a JSON object")
    _check(value)
    return value


class _Refused(ValueError):
    """JSON that a stricter reader refuses."""


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse two members of one name: readers differ on which of them counts (RFC 7493 §2.3)."""
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _Refused("it names a member twice")
    return members


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise _Refused("it holds a number without a finite value")
    return number


def _check(value: dict[str, Any]) -> None:
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
                raise _Refused("it holds a text with NUL or half a character")
        level = below
    raise _Refused(f"it is nested more than {MAX_DEPTH} deep")


def _storable(text: str) -> bool:
    """Say whether a text can be kept by every store and sent as UTF-8 (RFC 7493 §2.1)."""
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)
