"""Values of fields as texts, each behind a letter for its type, so that scripts compare them as they are."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from portula.plugin import RecordShape

NONE = "n"


def to_text(value: object) -> str:
    """Return a value as text."""
    if value is None:
        return NONE
    if isinstance(value, str):
        return "s" + value
    if isinstance(value, bool):
        return "b1" if value else "b0"
    if isinstance(value, int):
        return f"i{value}"
    return "j" + json.dumps(value, allow_nan=False)


def written_fields(record: object, shape: RecordShape) -> dict[str, str]:
    """Return the fields of a record as texts, without those that are None."""
    texts = ((name, to_text(getattr(record, name))) for name in shape.names)
    return {name: text for name, text in texts if text != NONE}


def written_where(where: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    """Return conditions as a script takes them: to each field the texts of which it has to have one.

    What no record can hold, a lone surrogate, is left out: it meets none.
    """
    return [
        (
            name,
            [
                to_text(each)
                for each in (value if isinstance(value, tuple) else (value,))
                if can_be_kept(each)
            ],
        )
        for name, value in where.items()
    ]


def can_be_kept(value: object) -> bool:
    """Say whether a text can be UTF-8: one with a lone surrogate cannot."""
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            return False
    return True


def read_record(shape: RecordShape, flat: Sequence[bytes]) -> Any:
    """Return the record of a hash, whose names and values come in turn.

    A field that it lacks is None where it may be, and else has its default, as one has that came later.
    """
    texts = {flat[at].decode(): flat[at + 1].decode() for at in range(0, len(flat), 2)}
    values: dict[str, Any] = {}
    for field in shape.fields:
        text = texts.get(field.name)
        if text is not None:
            values[field.name] = _read(text, field.kind)
        elif field.nullable:
            values[field.name] = None
    return shape.record.cls(**values)


def _read(text: str, kind: str) -> Any:
    tag, rest = text[0], text[1:]
    if tag == "s":
        return rest
    if tag == "i":
        return int(rest)
    if tag == "b":
        return rest == "1"
    found = json.loads(rest)
    return tuple(found) if kind == "tuple" else found
