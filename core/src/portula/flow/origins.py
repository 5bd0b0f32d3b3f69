"""Servers that deliveries go to, as one process knows them: who is busy with which, and which are left alone."""

from __future__ import annotations

import os
import threading
from collections import Counter, OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

MAX_REMEMBERED = 1000
"""Servers that failed; the one that failed longest ago is forgotten first."""

MAX_PAUSE_SECONDS = 3600


def pause_after(first: int, count: int) -> int:
    """Return the pause after so many failures: `first` seconds after one, twice as long each time, up to an hour."""
    return min(first << min(count - 1, 12), MAX_PAUSE_SECONDS)


@dataclass(frozen=True, slots=True)
class Turn:
    """Whether a server may be asked now."""

    free: bool
    free_at: int | None = None
    """When it may, Unix seconds, as far as that is known."""


class Origins:
    """Gives turns to ask servers. Safe to share between threads, and to take along through a fork."""

    def __init__(self, share: int) -> None:
        """Take how many may ask one server at once; 0 for any number."""
        self._share = share
        self._begin()

    def _begin(self) -> None:
        """Begin anew: what another process knew at a fork, locks among it, is not ours."""
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._busy: Counter[str] = Counter()
        self._failed: OrderedDict[str, tuple[int, int]] = OrderedDict()

    @contextmanager
    def turn(self, origin: str, now: int) -> Iterator[Turn]:
        """Give a turn, if there is one; nobody is kept waiting for it."""
        if self._pid != os.getpid():
            self._begin()
        with self._lock:
            _, until = self._failed.get(origin, (0, 0))
            free = until <= now and not (self._share and self._busy[origin] >= self._share)
            self._busy[origin] += free
        try:
            yield Turn(free, until if until > now else None)
        finally:
            with self._lock:
                self._busy[origin] -= free
                self._busy += Counter()  # leaves out what is at nought

    def note_failure(self, origin: str, now: int, first_pause: int) -> None:
        """Leave a server alone for a while, twice as long each time; attempts of one moment count once."""
        with self._lock:
            count, until = self._failed.pop(origin, (0, 0))
            if until <= now:
                count, until = count + 1, now + pause_after(first_pause, count + 1)
            self._failed[origin] = (count, until)
            if len(self._failed) > MAX_REMEMBERED:
                self._failed.popitem(last=False)

    def note_answer(self, origin: str) -> None:
        """Begin anew with a server that answered."""
        with self._lock:
            self._failed.pop(origin, None)
