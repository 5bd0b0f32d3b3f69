"""Records and actions that a room contributes to the pages of administrators, independent of how they are rendered."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar

from typing_extensions import override

from portula.web.pages import PageForm

R = TypeVar("R")

Facts = Mapping[str, Any]
"""What is known of one record, by name, without secrets; names of times end in `_at` or `_time`. `id` names it
in addresses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminAction:
    """Something that is done to one record, once it was confirmed."""

    name: str
    """Of the action, for `AdminRecords.act`."""
    description: str
    """What the button says."""
    hint: str = ""
    """What the page that asks once more says of it."""
    danger: bool = False
    """Whether the button warns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminResult:
    """What was done."""

    text: str
    """A sentence for the person."""
    identifier: str | None = None
    """Of the record to go on with; None goes back to the list."""
    secret: str | None = field(default=None, repr=False)
    """A value that is shown this once, e.g. a token."""


class AdminRecords(ABC):
    """Records of one kind. What cannot be done as wanted raises `AdminRefused`, whose message the person reads."""

    slug: ClassVar[str]
    """Name in addresses, e.g. `users`."""
    title: ClassVar[str]
    title_plural: ClassVar[str]
    description: ClassVar[str] = ""
    """A sentence for the first page."""
    columns: ClassVar[Mapping[str, str]]
    """Facts that a list shows, each with its heading; the first leads to the record."""
    of_person: ClassVar[bool] = False
    """Whether each belongs to a person, whose subject is the fact `subject`: they are listed on the page of that
    person, and on further pages where there are more."""
    form: ClassVar[type[PageForm] | None] = None
    """Fields of the form in which one is made, and changed if `edits`."""
    edits: ClassVar[bool] = False

    @abstractmethod
    def page(self, *, limit: int, after: str | None = None, subject: str | None = None) -> Sequence[Facts]:
        """Return up to `limit` records behind the one with this identifier, those of a person if `of_person`."""

    @abstractmethod
    def find(self, identifier: str) -> Facts | None:
        """Return one record, None when there is none."""

    def actions(self, facts: Facts) -> Sequence[AdminAction]:
        """Return what can be done to a record as it stands."""
        return ()

    def act(self, name: str, facts: Facts) -> AdminResult:
        """Do one of `actions`."""
        raise NotImplementedError

    def form_data(self, facts: Facts | None) -> Mapping[str, Any]:
        """Return what the form is filled with at first, of a record or, where there is none, of a new one.

        A field that was emptied has no data when the form comes back: fields have no defaults of their own.
        """
        return facts or {}

    def save(self, facts: Facts | None, form: PageForm) -> AdminResult:
        """Change a record as a form says whose fields are valid, or make one where there is none."""
        raise NotImplementedError

    def subject(self, facts: Facts) -> str | None:
        """Return the subject of the person whom a record is about, None for anything else."""
        return None


class RecordsOfPerson(AdminRecords):
    """Records of one kind that each belong to a person."""

    of_person = True

    @override
    def page(self, *, limit: int, after: str | None = None, subject: str | None = None) -> Sequence[Facts]:
        return [] if subject is None else self.page_of(subject, limit=limit, after=after)

    @abstractmethod
    def page_of(self, subject: str, *, limit: int, after: str | None = None) -> Sequence[Facts]:
        """Return up to `limit` records of a person behind the one with this identifier."""


def page_after(
    records: Sequence[R], after: str | None, *, limit: int, key: Callable[[R], str | None]
) -> list[R]:
    """Return up to `limit` of records behind the one whose key is `after`, from the first on where none is."""
    numbered = enumerate(records, 1) if after is not None else ()
    start = next((number for number, each in numbered if key(each) == after), 0)
    return list(records[start : start + limit])
