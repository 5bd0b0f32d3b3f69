"""Flask blueprints as rooms contribute them, links to their pages, and what a view refuses before all else."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from flask import Blueprint, request
from werkzeug.exceptions import MethodNotAllowed

if TYPE_CHECKING:
    from portula.flow.steps import Steps
    from portula.model.people import AuthenticatedUser


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
    shown_to: Callable[[AuthenticatedUser], bool] | None = None
    """Says who sees the link; None shows it to everybody. The page it leads to decides for itself who may enter."""


def refuse_head() -> None:
    """Refuse HEAD, for a view whose GET changes something: it is GET to Flask, and safe to whoever sends it.

    Raises:
        MethodNotAllowed: the request is one (RFC 9110 §9.2.1, §9.3.2).
    """
    if request.method == "HEAD" and request.url_rule is not None:
        raise MethodNotAllowed(sorted((request.url_rule.methods or set()) - {"HEAD"}))


def visible_links(links: Iterable[AccountLink], person: AuthenticatedUser) -> list[AccountLink]:
    """Return those of several links that a person sees."""
    return [link for link in links if link.shown_to is None or link.shown_to(person)]
