"""Remembers what failed, so that a server that is down is not asked at every request of somebody else (attack S54)."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

from portula.errors import FetchFailed

MAX_REMEMBERED = 1000
"""Places remembered; the one that failed longest ago goes first."""

MAX_BACKOFF_SECONDS = 600
"""Longer pauses would outlast the outage by too much."""


class NotSent(FetchFailed):
    """Nothing was sent, so that nothing new is known of the server."""


class Failures:
    """Places that failed, and when each may be asked again. Safe to share between threads."""

    def __init__(self, seconds: int, now: Callable[[], int]) -> None:
        """Take the first back-off, 0 for none, and the clock (Unix seconds)."""
        self._seconds = seconds
        self._now = now
        self._lock = threading.Lock()
        self._known: OrderedDict[str, tuple[int, int]] = OrderedDict()

    def refuse(self, place: str) -> None:
        """Raise NotSent while a place is not to be asked."""
        with self._lock:
            _, until = self._known.get(place, (0, 0))
        left = until - self._now()
        if left > 0:
            raise NotSent(f"it failed before; it is asked again in {left} seconds")

    def remember(self, place: str) -> None:
        """Count a failure: each doubles the time until the next request."""
        if not self._seconds:
            return
        with self._lock:
            count = self._known.pop(place, (0, 0))[0] + 1
            pause = min(self._seconds << min(count - 1, 12), MAX_BACKOFF_SECONDS)
            self._known[place] = (count, self._now() + pause)
            if len(self._known) > MAX_REMEMBERED:
                self._known.popitem(last=False)

    def forget(self, place: str) -> None:
        """Begin anew with a place that answered."""
        with self._lock:
            self._known.pop(place, None)
