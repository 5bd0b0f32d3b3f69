"""Comparisons that cost time and memory: few at once, each run once, few wrong ones an address."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import AbstractContextManager
from math import ceil
from time import monotonic

from portula.errors import RetryLater
from portula.plugin import costly_work

AT_WORK = 2
"""Comparisons of one process at one moment: with 64 MiB each they take 128 MiB."""

FAILURES = 15
"""Wrong secrets that one address may try on one client within the window, or on one that does not exist."""
FAILURES_PER_ADDRESS = 60
"""The same on all of them together."""
WINDOW_SECONDS = 60
REMEMBERED = 4096
"""Successes and addresses that a process remembers, so that each success costs its 200 ms once."""


class Comparisons:
    """Runs comparisons for all threads of a process; what is compared is known by a mark, a digest of it."""

    def __init__(self) -> None:
        """Start with nothing remembered."""
        self._lock = threading.Lock()
        self._places = threading.Semaphore(AT_WORK)
        self._running: dict[bytes, Future[bool]] = {}
        self._succeeded: OrderedDict[bytes, None] = OrderedDict()
        self._failed: OrderedDict[str, list[float]] = OrderedDict()

    def has_succeeded(self, mark: bytes) -> bool:
        """Say whether a comparison succeeded before."""
        with self._lock:
            if mark in self._succeeded:
                self._succeeded.move_to_end(mark)
                return True
            return False

    def place(self) -> AbstractContextManager[None]:
        """Return a place among those that work at one moment, for the time that it is held."""
        return costly_work(self._places)

    def ask(self, mark: bytes, compare: Callable[[], bool], limits: Mapping[str, int] | None = None) -> bool:
        """Return what `compare` does, or has done before if that was a success; who asks meanwhile waits for the one.

        Failures are never remembered. `limits` are how many there may be lately, each by its key.

        Raises:
            RetryLater: a limit is reached; nothing is compared.
        """
        limits = limits or {}
        with self._lock:
            if mark in self._succeeded:
                self._succeeded.move_to_end(mark)
                return True
            running = self._running.get(mark)
            if running is None:
                self._begin(limits)
                mine = self._running[mark] = Future[bool]()
        if running is not None:
            with costly_work():
                return running.result()
        right = False
        try:
            with self.place():
                right = compare()
        except BaseException as error:
            mine.set_exception(error)
            raise
        else:
            mine.set_result(right)
        finally:
            with self._lock:
                del self._running[mark]
                if right:  # at once, or who asks in between has it done again
                    self._remember(mark, limits)
        return right

    def _begin(self, limits: Mapping[str, int]) -> None:
        """Note an attempt as failed until it succeeds, so that many at one moment are no more than the limits."""
        now = monotonic()
        lately = {
            key: [time for time in self._failed.get(key, ()) if time > now - WINDOW_SECONDS] for key in limits
        }
        waits = [
            ceil(times[-limits[key]] + WINDOW_SECONDS - now)
            for key, times in lately.items()
            if len(times) >= limits[key]
        ]
        if waits:
            raise RetryLater("Too many wrong client secrets.", max(1, *waits), status=429)
        for key, times in lately.items():
            self._failed[key] = [*times, now]
            self._failed.move_to_end(key)
        while len(self._failed) > REMEMBERED:
            self._failed.popitem(last=False)

    def _remember(self, mark: bytes, limits: Mapping[str, int]) -> None:
        """Keep a success and take its attempt back; called under the lock."""
        self._succeeded[mark] = None
        if len(self._succeeded) > REMEMBERED:
            self._succeeded.popitem(last=False)
        for key in limits:
            if self._failed.get(key):
                self._failed[key].pop()
