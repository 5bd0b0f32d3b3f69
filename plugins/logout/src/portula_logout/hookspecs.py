"""The hook of this room."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portula import hookspec
from portula.plugin import HookClass, Kind, describes

if TYPE_CHECKING:
    from portula import Provider
    from portula_logout.courier import Courier


@hookspec
@describes(Kind.SLOT, HookClass.DECIDES)
def portula_logout_courier(provider: Provider) -> Courier | None:
    """Answer the slot of the courier, who hears that logout tokens wait and delivers them, e.g. by a task queue.

    What it does in the end is `portula_logout.outbox.Outbox(provider).deliver()`, in whatever process.

    Example:
        class Room:
            @hookimpl
            def portula_logout_courier(self, provider):
                return self

            def wake(self, waiting):
                tasks.send("deliver-logout-tokens")

            def look(self):
                pass
    """
