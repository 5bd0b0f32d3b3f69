"""The class behind a list and the pages of its records, shaped as Django's ModelAdmin; subclass it to change them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from portula_admin.cells import Cell, cell_of
from portula_admin.names import Names
from portula_admin.walks import Walk

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import AuthenticatedUser, RecordType

F = TypeVar("F", bound=Callable[..., Any])

Fieldsets = Sequence[tuple[str | None, Mapping[str, Any]]]
"""As in Django: pairs of a title and `{"fields": (…), "description": "…"}`."""

MAX_PER_PAGE = 50
"""Rows of a list; each has a field in the form of the actions, and a form has at most 64."""


def action(description: str, permission: str, *, danger: bool = False, hint: str = "") -> Callable[[F], F]:
    """Mark a method of an admin class as an action on selected records; it returns what to say when it is done.

    Args:
        description: what the button says.
        permission: `has_<permission>_permission` is asked for each record.
        danger: whether the button warns.
        hint: what the page that asks once more says of it.
    """

    def mark(method: F) -> F:
        vars(method).update(
            is_action=True, description=description, permission=permission, danger=danger, hint=hint
        )
        return method

    return mark


def column(title: str) -> Callable[[F], F]:
    """Name the column that a method of an admin class fills."""

    def mark(method: F) -> F:
        vars(method)["short_description"] = title
        return method

    return mark


class RecordAdmin:
    """Shows the records of one type. One is made a provider, at start; nothing of a request is kept on it."""

    title: ClassVar[str] = "Record"
    title_plural: ClassVar[str] = "Records"
    description: ClassVar[str] = ""
    """A sentence for the first page."""
    list_display: Sequence[str] = ()
    """Columns: fields of the record, or methods here that take the record and return text or one of `cells`."""
    search_fields: Sequence[str] = ()
    """Fields that the search box looks into, one after the other: `=name` for the whole value, `^name` for its
    beginning. Each needs a key or an order of the record type; other than in Django nothing is searched for inside."""
    list_filter: Sequence[str] = ()
    """Filters: `status`, a bool, a field with `choices`, or a field that an order begins with."""
    choices: ClassVar[Mapping[str, Sequence[str]]] = {}
    """Values of a field that can be chosen in a filter."""
    ordering: Sequence[str] = ()
    """The field that orders the list, with `-` for the newest first; an order of the record type."""
    list_per_page: int = 25
    actions: Sequence[str] = ()
    """Methods marked with `action`."""
    fieldsets: Fieldsets = ()
    """Groups of fields on the page of one record and in its form. What is named nowhere here can never be posted."""
    readonly_fields: Sequence[str] = ()
    """Fields of `fieldsets` that are shown but cannot be edited."""
    labels: ClassVar[Mapping[str, str]] = {}
    """Titles of columns and facts whose names do not say enough."""
    statuses: ClassVar[Mapping[str, str]] = {}
    """What `status_of` may return, each with the tone of its badge."""
    identifier_length: ClassVar[int | None] = None
    """Characters of the primary key that name a record in addresses and lists; None for all of it."""

    def __init__(self, provider: Provider, record_type: RecordType) -> None:
        """Take the provider and what is shown."""
        self.provider = provider
        self.record_type = record_type
        self.slug = record_type.name.replace("_", "-")
        self.key = record_type.keys[0]

    # --- Who may do what; `record` is None where the question is about the kind ---

    def has_view_permission(self, person: AuthenticatedUser, record: Any = None) -> bool:
        """Say whether an administrator may look."""
        return True

    def has_add_permission(self, person: AuthenticatedUser) -> bool:
        """Say whether an administrator may make a new one."""
        return False

    def has_change_permission(self, person: AuthenticatedUser, record: Any = None) -> bool:
        """Say whether an administrator may edit."""
        return False

    def has_revoke_permission(self, person: AuthenticatedUser, record: Any = None) -> bool:
        """Say whether an administrator may revoke."""
        return False

    def allows(self, permission: str, person: AuthenticatedUser, record: Any = None) -> bool:
        """Ask for a permission by its word; making a new one is about no record."""
        about = (person,) if permission == "add" else (person, record)
        return getattr(self, f"has_{permission}_permission")(*about) is True

    def offers(self, name: str, record: Any) -> bool:
        """Say whether the page of a record shows the button of an action: not where it would change nothing."""
        return True

    # --- Names and values ---

    @property
    def names(self) -> Names:
        """Names of clients and people, read once a request."""
        return Names.of_request(self.provider)

    def identify(self, record: Any) -> str:
        """Return what names a record in addresses: its primary key, or the beginning of it."""
        return str(getattr(record, self.key))[: self.identifier_length]

    def find(self, identifier: str) -> Any:
        """Return the record of this name; None when there is none, or more than one begins so."""
        storage, cls = self.provider.storage, self.record_type.cls
        if self.identifier_length is None:
            return storage.find(cls, **{self.key: identifier})
        if len(identifier) != self.identifier_length:
            return None
        found = storage.walk(cls, self.key, prefix=identifier, limit=2)
        return found[0] if len(found) == 1 else None

    def heading(self, record: Any) -> str:
        """Return what stands at the top of the page of one record."""
        return self.identify(record)

    def label(self, name: str) -> str:
        """Return the title of a column or a fact."""
        said: str | None = getattr(getattr(type(self), name, None), "short_description", None)
        return self.labels.get(name) or said or name.replace("_", " ").capitalize().removesuffix(" at")

    def value(self, record: Any, name: str) -> Cell:
        """Return what a column or a fact shows."""
        own = getattr(self, name, None)
        return cell_of(name, own(record) if callable(own) else getattr(record, name))

    def status_of(self, record: Any) -> str:
        """Return one of `statuses`."""
        return ""

    # --- What a list walks along ---

    @property
    def by(self) -> str:
        """The field that orders the list."""
        return self.ordering[0].removeprefix("-") if self.ordering else self.key

    @property
    def newest_first(self) -> bool:
        """Whether the order descends."""
        return bool(self.ordering) and self.ordering[0].startswith("-")

    @property
    def search_hint(self) -> str:
        """What may be typed into the search box."""
        words = {"^": "{} (its beginning)", "=": "{}"}
        return "Finds: " + ", ".join(
            words[name[0]].format(self.label(name[1:])) for name in self.search_fields
        )

    def search_values(self, field: str, text: str) -> Sequence[str]:
        """Return the values that a search for this text means in a field searched as a whole."""
        return (text,)

    def status_walk(self, status: str) -> Walk | None:
        """Return the walk on which only, or nearly only, records of this status lie; None when there is none such."""
        return None

    def prepare(self, records: Sequence[Any]) -> None:
        """Read at once what the columns of a page need to know besides."""
