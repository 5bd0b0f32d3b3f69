"""Lets so many fetches be under way at once, and no server have them all: a slow one would keep everybody waiting."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from portula_fetch.failures import NotSent


class Turns:
    """Turns to fetch, of one process. Safe to share between threads."""

    def __init__(self, most: int) -> None:
        """Take how many there are; one server has half of them at the most, rounded up."""
        self._most = most
        self._share = (most + 1) // 2
        self._taken: Counter[str] = Counter()
        self._given_back = threading.Condition()

    @contextmanager
    def take(self, origin: str, seconds: float) -> Iterator[None]:
        """Wait for a turn to ask a server, for so many seconds.

        Raises:
            NotSent: there was none.
        """
        with self._given_back:
            if not self._given_back.wait_for(lambda: self._free_for(origin), seconds):
                raise NotSent("too many requests to other servers are under way")
            self._taken[origin] += 1
        try:
            yield
        finally:
            with self._given_back:
                self._taken[origin] -= 1
                self._taken += Counter()  # leaves out what is at nought
                self._given_back.notify_all()

    def _free_for(self, origin: str) -> bool:
        return self._taken.total() < self._most and self._taken[origin] < self._share
