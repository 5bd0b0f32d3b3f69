"""How a room's Flask blueprint is mounted, and how people find its pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from flask import Blueprint

if TYPE_CHECKING:
    from portula.flow.steps import Steps


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
