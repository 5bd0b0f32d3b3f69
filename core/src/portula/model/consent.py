"""The slot that asks people whether an app may have what it asks for."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from portula.model.people import AuthenticatedUser
from portula.model.plans import Plan
from portula.model.records import Application


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentItem:
    """Something besides scopes that a person is asked to allow, e.g. a payment (RFC 9396 §2)."""

    title: str
    """What they allow, as a line of its own."""
    details: tuple[tuple[str, str], ...] = ()
    """What belongs to it: label and text."""
    memory: str | None = None
    """Text by which it is remembered, and shown among connected apps; None: it is asked about each time."""

    @property
    def line(self) -> str:
        """All of it in one line, for lists and commands."""
        facts = "; ".join(f"{label} {text}" for label, text in self.details)
        return f"{self.title}: {facts}" if facts else self.title


@dataclass(frozen=True, slots=True)
class ConsentQuestion:
    """What a person is asked to allow. Held on the server between the page and the answer."""

    interaction: str
    """Identifier of the stored authorization request."""
    client: Application
    user: AuthenticatedUser
    scopes: tuple[str, ...]
    redirect_uri: str
    """Where the person goes with what they allow; empty where they go nowhere, as with a device."""
    action: str
    """URL the form posts to."""
    csrf_context: str
    """What the CSRF token of the form is bound to besides the browser."""
    items: tuple[ConsentItem, ...] = ()
    """What else the person is asked about."""
    self_registered: bool = False
    """Whether nobody here has looked at the client: the person should know that (RFC 7591 §5)."""
    offline: bool = False
    """Whether the client keeps what it is allowed while the person is away: it gets a refresh token."""
    ui_locales: str = ""
    """Language tags apart by spaces, best first, as the request names them (OpenID Connect Core §3.1.2.1)."""

    @property
    def memory(self) -> tuple[str, ...]:
        """What is remembered when they allow it: scopes, and items that may be."""
        return (*self.scopes, *(item.memory for item in self.items if item.memory is not None))

    @property
    def may_be_remembered(self) -> bool:
        """Whether nothing in it is asked about each time."""
        return all(item.memory is not None for item in self.items)


class Consent(ABC):
    """Asks people, and remembers what they allowed."""

    shows_items = False
    """Whether `page` shows the items of a question; a request that has some is refused where it does not."""

    @abstractmethod
    def recall(self, client: Application, subject: str) -> frozenset[str]:
        """Return what this person allowed this client before: scopes, and the memory of items."""

    @abstractmethod
    def remember(self, client: Application, subject: str, scopes: Sequence[str], plan: Plan) -> None:
        """Plan to keep that this person allowed this (`ConsentQuestion.memory`), joined with former answers."""

    def forget(self, subject: str, plan: Plan) -> None:
        """Plan to forget all that this person allowed, whose account is removed; nothing, where nothing is kept."""
        return

    @abstractmethod
    def page(self, question: ConsentQuestion) -> Any:
        """Return the consent page as a Flask response."""

    @abstractmethod
    def answer(self, question: ConsentQuestion) -> bool | None:
        """Read the posted form: True for yes, False for no, None when the form is not ours (CSRF)."""
