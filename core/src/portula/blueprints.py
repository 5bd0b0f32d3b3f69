"""How a room's Flask blueprint is mounted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from flask import Blueprint


@dataclass(frozen=True, slots=True)
class Mount:
    """A blueprint and where it stands."""

    blueprint: Blueprint
    at: Literal["mount", "root"] = "mount"
    """`mount`: below MOUNT_PATH. `root`: below the root of the host."""
