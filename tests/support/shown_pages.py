"""A page that a person can see: which view answers it, of which template it is made, and how one comes there."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from support.pages_site import PASSWORD, Site


@dataclass(frozen=True)
class Shown:
    """A page, and how one comes there; a browser with `open` in it is signed in as `who`."""

    view: str | None
    template: str
    open: Callable[[Site, Any], None]
    who: str
    status: int

    @property
    def name(self) -> str:
        """What a test is called by it."""
        return self.open.__name__.strip("_")


SHOWN: list[Shown] = []


def shown(
    view: str | None, template: str, who: str = "nobody", status: int = 200
) -> Callable[[Callable[[Site, Any], None]], Callable[[Site, Any], None]]:
    """Put a page into the list."""

    def note(opening: Callable[[Site, Any], None]) -> Callable[[Site, Any], None]:
        SHOWN.append(Shown(view, f"{template}.html", opening, who, status))
        return opening

    return note


def sign_in(page: Any, who: str) -> None:
    """Fill in the login page that is open."""
    page.fill("input[name=username]", who)
    page.fill("input[name=password]", PASSWORD)
    page.click("#login-submit")
