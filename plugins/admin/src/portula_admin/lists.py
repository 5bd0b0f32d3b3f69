"""Queries of lists, and the walks that answer them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

from portula_admin.walks import Page, Position, Reader, Walk

if TYPE_CHECKING:
    from portula_admin.options import RecordAdmin

MAX_SEARCH_CHARACTERS = 255
LARGEST = 2**63
"""Integers of a database are smaller."""
YES_NO = {"yes": True, "no": False}


@dataclass(frozen=True, slots=True)
class Filter:
    """One filter of a list as the page offers it."""

    name: str
    label: str
    options: Sequence[tuple[str, str]]
    """Values and texts to choose from; without any, its value comes by links only."""
    value: str
    """What is chosen; empty for everything."""


@dataclass(frozen=True, slots=True)
class ListQuery:
    """What somebody asked for."""

    search: str
    filters: tuple[Filter, ...]
    place: Position | None = None
    back: bool = False

    @property
    def is_narrowed(self) -> bool:
        """Whether it is not simply everything."""
        return bool(self.search or any(chosen.value for chosen in self.filters))

    @property
    def parameters(self) -> dict[str, str]:
        """What of it stands in addresses, the place left out."""
        return {
            **({"q": self.search} if self.search else {}),
            **{chosen.name: chosen.value for chosen in self.filters if chosen.value},
        }

    @classmethod
    def read(cls, admin: RecordAdmin, given: Mapping[str, str]) -> ListQuery:
        """Read the parameters of an address; what makes no sense is passed over."""
        filters = tuple(_filter(admin, name, given.get(name, "")) for name in admin.list_filter)
        back = "before" in given
        place = Position.read(given.get("before" if back else "after", ""))
        search = given.get("q", "").strip()[:MAX_SEARCH_CHARACTERS] if admin.search_fields else ""
        return cls(search, filters, place, back)


def read_page(admin: RecordAdmin, query: ListQuery) -> Page:
    """Return the page that was asked for."""
    chosen = {one.name: one.value for one in query.filters if one.value}
    walks = _searching(admin, query.search) if query.search else [_walk(admin, chosen)]
    tests = {name: value for name, value in chosen.items() if name not in walks[0].where or query.search}
    reader = Reader(admin, walks, (lambda record: _matches(admin, record, tests)) if tests else None)
    place = query.place if _fits(admin, walks, query.place) else None
    page = reader.page(place, back=query.back and place is not None)
    admin.prepare(page.records)
    return page


def _filter(admin: RecordAdmin, name: str, value: str) -> Filter:
    if name == "status":
        options = [(word, word.capitalize()) for word in admin.statuses]
    elif name in admin.choices:
        options = [(word, word.replace("_", " ").capitalize()) for word in admin.choices[name]]
    elif admin.record_type.cls.__dataclass_fields__[name].type in ("bool", bool):
        options = [("yes", "Yes"), ("no", "No")]
    else:
        return Filter(name, admin.label(name), (), value[:MAX_SEARCH_CHARACTERS])
    known = value if value in dict(options) else ""
    return Filter(name, admin.label(name), options, known)


def _matches(admin: RecordAdmin, record: Any, tests: Mapping[str, str]) -> bool:
    for name, value in tests.items():
        if name == "status":
            if admin.status_of(record) != value:
                return False
        else:
            held = getattr(record, name)
            if held != (YES_NO[value] if isinstance(held, bool) else value):
                return False
    return True


def _walk(admin: RecordAdmin, chosen: Mapping[str, str]) -> Walk:
    """Return the walk for filters alone: along an order that begins with one of them, if there is such."""
    for name, *rest in admin.record_type.orders:
        if rest == [admin.by] and name in chosen:
            return Walk(admin.by, admin.newest_first, {name: chosen[name]})
    along = admin.status_walk(chosen["status"]) if "status" in chosen else None
    return along or Walk(admin.by, admin.newest_first)


def _searching(admin: RecordAdmin, text: str) -> list[Walk]:
    """Return a walk for each field that is searched and each value that the text means there."""
    walks = []
    for field in admin.search_fields:
        how, name = field[0], field[1:]
        if how == "^":
            walks.append(Walk(name, descending=False, prefix=text))
        else:
            values = admin.search_values(name, text)
            walks += [Walk(admin.by, admin.newest_first, {name: value}) for value in values]
    return walks


def _fits(admin: RecordAdmin, walks: Sequence[Walk], place: Position | None) -> bool:
    """Say whether a place can lie on these walks; addresses are typed by anybody."""
    if place is None or place.walk >= len(walks):
        return False
    hint = get_type_hints(admin.record_type.cls)[walks[place.walk].by]
    if int in (hint, *get_args(hint)):
        return isinstance(place.value, int) and abs(place.value) < LARGEST
    return isinstance(place.value, str)
