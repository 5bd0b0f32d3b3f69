"""The source of a plugin, and its tier."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Tier(IntEnum):
    """Where a plugin came from, weakest first: a deployment always beats what an installation brought."""

    DEFAULT = 1
    INSTALLED = 2
    DIRECTORY = 3
    DEPLOYMENT = 4
    SETTING = 5


@dataclass(frozen=True, slots=True)
class PluginSource:
    """A plugin and where it came from."""

    name: str
    tier: Tier
    distribution: str | None = None
    version: str | None = None

    def __str__(self) -> str:
        """Name the plugin and its distribution, for error messages."""
        if self.distribution:
            return f"plugin {self.name!r} of distribution {self.distribution} {self.version}"
        return f"plugin {self.name!r}"
