"""Reading a list: along an index, from a place on, at most so many records; never an offset, never a count.

A list is one walk or several behind each other. What no index tells apart is told by looking at each record, at most
WINDOW of them for one page; then the page says so and offers to look on.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from portula.plugin import Cursor
    from portula_admin.options import RecordAdmin

WINDOW = 1000
"""Records looked at for one page."""
CHUNK = 250
"""Records read at a time once it has shown that some do not match."""
BEHIND = "~"
"""Sorts behind every character of a digest: where a shortened key is compared with whole ones."""

Predicate = Callable[[Any], bool]


@dataclass(frozen=True, slots=True)
class Walk:
    """Records in the order of one index."""

    by: str
    descending: bool = True
    where: Mapping[str, str | int | bool | None] = field(default_factory=dict)
    prefix: str = ""
    above: int | None = None
    """Only values greater than this one."""
    below: int | None = None
    """Only values less than this one."""

    def holds(self, record: Any) -> bool:
        """Say whether a record lies on this walk."""
        value = getattr(record, self.by)
        return (
            value is not None
            and all(getattr(record, name) == wanted for name, wanted in self.where.items())
            and (not self.prefix or value.startswith(self.prefix))
            and (self.above is None or value > self.above)
            and (self.below is None or value < self.below)
        )

    def start(self, *, descending: bool) -> Cursor | None:
        """Return where a walk in this direction begins, None for the end of the index."""
        if descending:
            return None if self.below is None else (self.below, "")
        return None if self.above is None else (self.above, BEHIND)


@dataclass(frozen=True, slots=True)
class Position:
    """A record's place in a list."""

    walk: int
    value: str | int
    key: str

    def __str__(self) -> str:
        """Write it for an address."""
        text = json.dumps([self.walk, self.value, self.key], separators=(",", ":"))
        return urlsafe_b64encode(text.encode()).rstrip(b"=").decode()

    @classmethod
    def read(cls, text: str) -> Position | None:
        """Read it from an address; None for what is none."""
        try:
            found = json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        except (ValueError, RecursionError):
            return None
        if not isinstance(found, list) or [type(part) for part in found[::2]] != [int, str]:
            return None
        walk, value, key = found if len(found) == 3 else (-1, "", "")
        sound = walk >= 0 and type(value) in (int, str) and f"{value}{key}".isprintable()
        return cls(walk, value, key) if sound else None


@dataclass(slots=True)
class Page:
    """One page of a list."""

    records: list[Any] = field(default_factory=list)
    newer: str | None = None
    """Place before which the page before this one lies; None on the first page."""
    older: str | None = None
    """Place behind which the next page lies; None on the last one."""
    looked_at: int = 0
    exhausted: bool = False
    """Whether WINDOW records were looked at before the page was full."""


@dataclass(slots=True)
class Reader:
    """Reads pages of one list."""

    admin: RecordAdmin
    walks: Sequence[Walk]
    matches: Predicate | None = None
    """What no index tells apart."""

    def page(self, place: Position | None = None, *, back: bool = False) -> Page:
        """Return the page behind a place, or the one before it."""
        size, page = self.admin.list_per_page, Page()
        found: list[tuple[Position, Any]] = []
        last: Position | None = None
        more = False
        for position, record in self._records(place, back=back):
            if page.looked_at == WINDOW:
                more, page.exhausted = True, len(found) < size
                break
            page.looked_at += 1
            belongs = self._belongs(position.walk, record)
            if belongs and len(found) == size:
                more = True
                break
            last = position
            if belongs:
                found.append((position, record))
        first, final = (found[0][0], found[-1][0]) if found else (place, None)
        edge = last if page.exhausted else final
        if back:
            found.reverse()
            page.newer, page.older = str(edge) if more and edge else None, str(first) if first else None
        else:
            page.newer, page.older = (
                str(first) if place and first else None,
                str(edge) if more and edge else None,
            )
        page.records = [record for _, record in found]
        return page

    def _belongs(self, number: int, record: Any) -> bool:
        earlier = any(walk.holds(record) for walk in self.walks[:number])
        return not earlier and (self.matches is None or self.matches(record))

    def _records(self, place: Position | None, *, back: bool) -> Iterator[tuple[Position, Any]]:
        """Yield what lies on the walks, from a place on."""
        numbers = range(len(self.walks))
        for number in reversed(numbers) if back else numbers:
            if place is not None and (number > place.walk if back else number < place.walk):
                continue
            begun = place if place is not None and place.walk == number else None
            for record in self._along(self.walks[number], begun, back=back):
                yield self._position(number, record), record

    def _along(self, walk: Walk, place: Position | None, *, back: bool) -> Iterator[Any]:
        descending = walk.descending is not back
        after = self._place(walk, place, descending=descending)
        limit = self.admin.list_per_page + 1
        storage, cls = self.admin.provider.storage, self.admin.record_type.cls
        while True:
            read = storage.walk(
                cls,
                walk.by,
                descending=descending,
                limit=limit,
                after=after,
                prefix=walk.prefix,
                **walk.where,
            )
            for record in read:
                if not walk.holds(record):
                    return
                yield record
            if len(read) < limit:
                return
            limit = CHUNK
            after = (getattr(read[-1], walk.by), getattr(read[-1], self.admin.key))

    def _place(self, walk: Walk, place: Position | None, *, descending: bool) -> Cursor | None:
        """Return where to begin. A shortened key lies before all that begin with it; an ascending walk skips those."""
        if place is None:
            return walk.start(descending=descending)
        shortened = self.admin.identifier_length is not None
        key = place.key + (BEHIND if shortened and not descending else "")
        return (key, key) if walk.by == self.admin.key else (place.value, key)

    def _position(self, number: int, record: Any) -> Position:
        walk, key = self.walks[number], self.admin.identify(record)
        return Position(number, key if walk.by == self.admin.key else getattr(record, walk.by), key)
