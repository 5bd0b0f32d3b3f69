"""Comparisons that cost time and memory (argon2id): few at once, each asked once, few wrong ones an address."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from time import monotonic

AT_WORK = 2
"""Comparisons of one process at one moment: with 64 MiB each they take 128 MiB."""

FAILURES = 15
"""Wrong secrets that one address may try on one client within the window."""
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

    def ask(self, mark: bytes, compare: Callable[[], bool], caller: str | None = None) -> bool:
        """Return what `compare` does, or has done before if that was a success; who asks meanwhile waits for the one.

        Failures are never remembered. A `caller` who had too many of them lately gets False for whatever else it asks.
        """
        with self._lock:
            if mark in self._succeeded:
                self._succeeded.move_to_end(mark)
                return True
            running = self._running.get(mark)
            if running is None:
                if caller is not None and not self._begin(caller):
                    return False
                mine = self._running[mark] = Future[bool]()
        if running is not None:
            return running.result()
        try:
            with self._places:
                right = compare()
        except BaseException as error:
            mine.set_exception(error)
            raise
        else:
            mine.set_result(right)
        finally:
            with self._lock:
                del self._running[mark]
        if right:
            self._remember(mark, caller)
        return right

    def _begin(self, caller: str) -> bool:
        """Note an attempt as failed until it succeeds, so that many at one moment are no more than the limit."""
        now = monotonic()
        times = [time for time in self._failed.pop(caller, ()) if time > now - WINDOW_SECONDS]
        self._failed[caller] = times
        if len(self._failed) > REMEMBERED:
            self._failed.popitem(last=False)
        if len(times) >= FAILURES:
            return False
        times.append(now)
        return True

    def _remember(self, mark: bytes, caller: str | None) -> None:
        with self._lock:
            self._succeeded[mark] = None
            if len(self._succeeded) > REMEMBERED:
                self._succeeded.popitem(last=False)
            if caller is not None and self._failed.get(caller):
                self._failed[caller].pop()
