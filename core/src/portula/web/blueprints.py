"""Flask blueprints as rooms contribute them, and links to their pages."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from flask import Blueprint

if TYPE_CHECKING:
    from portula.flow.steps import Steps
    from portula.model.people import Authenticated


@dataclass(frozen=True, slots=True)
class Mount:
    """A blueprint and where it stands."""

    blueprint: Blueprint
    at: Literal["mount", "root"] = "mount"
    """`mount`: below MOUNT_PATH. `root`: below the root of the host."""
    steps: tuple[Steps[Any], ...] = ()
    """The lists of steps that its views run."""


@dataclass(frozen=True, slots=True)
class AccountLink:
    """A link on the page of a person's account."""

    text: str
    """What it is called there, e.g. `Connected apps`."""
    view: str
    """Where it leads, a page of one's own as `Provider.url_for` takes it, e.g. `tea.orders`."""
    shown_to: Callable[[Authenticated], bool] | None = None
    """Says who sees the link; None shows it to everybody. The page it leads to decides for itself who may enter."""


def links_for(links: Iterable[AccountLink], person: Authenticated) -> list[AccountLink]:
    """Return those of several links that a person sees."""
    return [link for link in links if link.shown_to is None or link.shown_to(person)]
