"""Work that goes on beside requests, as rooms contribute it; see `portula.web.background_threads`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class BackgroundTask:
    """Work that a serving process does in a thread after every so many plans, such as deleting what has expired."""

    what: str
    """What is done, for the log when it fails, e.g. `deleting what has expired`."""
    every: int
    """Plans that a process applies in its requests before it runs; 0 for never."""
    run: Callable[[], object]
    """Does it, in a thread of its own within the app's context; never twice at once in a process."""
