"""People and their login sessions, as the slots `login` and `sessions` tell of them.

What stands here comes from plugins and goes into tokens and tables, so that a value of another type is refused where it
is made, by an error that names slot, class and field.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from typing import Any, TypeVar, cast

from portula.model.errors import with_article
from portula.model.strict_json import json_problem

P = TypeVar("P")

MAX_SUBJECT_LENGTH = 255
"""Characters of a subject (OpenID Connect Core §2, `sub`)."""


@dataclass(frozen=True, slots=True)
class AuthenticatedUser:
    """The person signed in at a browser. Numbers become text where text is needed; any other type is a TypeError."""

    subject: str
    """Stable identifier of the person within the provider, at most 255 characters; never an e-mail address."""
    username: str
    auth_time: int
    """When the person authenticated, Unix seconds."""
    amr: tuple[str, ...] = ()
    """How (RFC 8176)."""
    sid: str | None = None
    """Identifier of the login session, if the login keeps sessions."""
    authentication: str = ""
    """Identifier of this act of signing in, another each time, if the login keeps one."""

    def __post_init__(self) -> None:
        """Check the types."""
        _check(self, "login")


@dataclass(frozen=True, slots=True)
class User:
    """A person as the provider sees them. Types are checked as in `AuthenticatedUser`."""

    subject: str
    username: str
    active: bool = True
    is_admin: bool = False
    """Whether the login says that this person administers the provider. No token and no page shows it."""
    claims: Mapping[str, Any] = field(default_factory=dict)
    """Claims by name, of what JSON has: text, finite numbers, booleans, None, lists and dictionaries of these."""

    def __post_init__(self) -> None:
        """Check the types."""
        _check(self, "login")
        problem = json_problem(dict(self.claims))
        if problem:
            raise TypeError(f"slot login: User.claims cannot be written as JSON: {problem}")


@dataclass(frozen=True, slots=True)
class StoredPeople:
    """Where a login keeps people in the provider's storage, so that one is read together with a token of theirs."""

    cls: type[Any]
    """The record class."""
    key: str
    """Its field that is the subject, one of its keys."""
    seen: Callable[[Any], User]
    """Returns the person of a record, as `Login.find` does."""


@dataclass(frozen=True, slots=True)
class LoginSession:
    """A login session on the server. Types are checked as in `AuthenticatedUser`."""

    sid: str
    """Public identifier; not the cookie."""
    subject: str
    username: str
    auth_time: int
    amr: tuple[str, ...]
    expires_at: int
    authentication: str = ""
    """Identifier of the act of signing in that `auth_time` is about."""

    def __post_init__(self) -> None:
        """Check the types."""
        _check(self, "sessions")


def person_of_login(answer: object, expected: type[P], question: str) -> P | None:
    """Return the answer of a login to one of its questions.

    Raises:
        TypeError: it is of another class, such as the application's own; the message names question and class.
    """
    if answer is None or isinstance(answer, expected):
        return answer
    raise TypeError(
        f"slot login: {question} answers {with_article(type(answer).__qualname__)}; "
        f"an instance of {expected.__name__} or None is needed"
    )


def _check(person: Any, slot: str) -> None:
    """Check the fields of a value, and write numbers as text where text is needed.

    Raises:
        TypeError: a field is of another type; the message names slot, class, field and type, and no value.
    """
    cls: Any = type(person)
    for name, expected, fits in _expectations(cls):
        given = getattr(person, name)
        if fits(given):
            continue
        if expected.startswith("str") and type(given) is int:
            object.__setattr__(person, name, str(given))
            continue
        raise TypeError(
            f"slot {slot}: {type(person).__name__}.{name} is {with_article(type(given).__qualname__)}; "
            f"{expected} is needed"
        )
    if not 1 <= len(person.subject) <= MAX_SUBJECT_LENGTH:
        raise TypeError(
            f"slot {slot}: {type(person).__name__}.subject has {len(person.subject)} characters; "
            f"1 to {MAX_SUBJECT_LENGTH} are needed"
        )


def _is_texts(value: object) -> bool:
    return isinstance(value, tuple) and all(isinstance(item, str) for item in value)


_FITS: dict[str, Callable[[object], bool]] = {
    "str": lambda value: isinstance(value, str),
    "str | None": lambda value: value is None or isinstance(value, str),
    "int": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "bool": lambda value: isinstance(value, bool),
    "tuple[str, ...]": _is_texts,
    "Mapping[str, Any]": lambda value: isinstance(value, Mapping),
}


@cache
def _expectations(cls: Hashable) -> tuple[tuple[str, str, Callable[[object], bool]], ...]:
    """Return name, annotation and test of each field; a field of a subclass may be of any other type."""
    named = [(entry.name, str(entry.type)) for entry in fields(cast("Any", cls))]
    return tuple((name, expected, _FITS[expected]) for name, expected in named if expected in _FITS)
