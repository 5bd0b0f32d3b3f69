"""The hook of this room."""

from __future__ import annotations

from abc import ABC, abstractmethod

from portula import Provider
from portula.plugin import HookClass, HookDeclarations, slot


class Courier(ABC):
    """Who sees to it that what waits is delivered."""

    @abstractmethod
    def wake(self, waiting: int) -> None:
        """Hear that so many deliveries were written down and committed."""

    @abstractmethod
    def look(self) -> None:
        """Hear that a request was answered: the moment to look, now and then, for what was left undelivered."""


class LogoutHooks(HookDeclarations):
    """Hooks of this room."""

    @slot(HookClass.DECIDES)
    def portula_logout_courier(self, provider: Provider) -> Courier | None:
        """Answer the slot of the courier, who hears that logout tokens wait and delivers them, e.g. by a task queue.

        What it does in the end is `portula_logout.outbox.Outbox(provider).deliver()`, in whatever process.

        Example:
            class Room(Plugin, Courier):
                def portula_logout_courier(self, provider):
                    return self

                def wake(self, waiting):
                    tasks.send("deliver-logout-tokens")

                def look(self):
                    pass
        """
        return None
