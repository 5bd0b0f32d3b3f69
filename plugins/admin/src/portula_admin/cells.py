"""Kinds of cells besides plain text; the templates render and escape them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Badge:
    """A word that stands out: `ok`, `warn`, `danger`, or none of them."""

    text: str
    tone: str = ""
    kind: ClassVar[str] = "badge"


@dataclass(frozen=True, slots=True)
class Code:
    """Something that is copied rather than read."""

    text: str
    kind: ClassVar[str] = "code"


@dataclass(frozen=True, slots=True)
class Link:
    """A way to another page of the admin."""

    text: str
    url: str
    to: str = ""
    """The slug of the kind of records that it leads to, where not everybody who sees the link may see those."""
    kind: ClassVar[str] = "link"


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in time, in Unix seconds."""

    at: int
    kind: ClassVar[str] = "moment"

    @property
    def time(self) -> datetime:
        """The same, in UTC."""
        return datetime.fromtimestamp(self.at, UTC)


@dataclass(frozen=True, slots=True)
class Lines:
    """Several texts, one a line."""

    items: Sequence[str]
    kind: ClassVar[str] = "lines"


Cell = str | Badge | Code | Link | Moment | Lines | None


def cell_of(name: str, value: object) -> Cell:
    """Return how the value of a record's field is shown; fields that end in `_at` or `_time` are times."""
    if value is None or value in ("", ()):
        return None
    if isinstance(value, Badge | Code | Link | Moment | Lines):
        return value
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, int) and name.endswith(("_at", "_time")):
        return Moment(value) if value else None
    if isinstance(value, tuple):
        return Lines([str(item) for item in value])
    return str(value)
