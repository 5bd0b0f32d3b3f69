"""A fixed number of threads, and a line of work that waits for them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from queue import SimpleQueue


class Work:
    """A call that is made once, by a thread, unless it was given up before."""

    __slots__ = ("_call", "_lock")

    def __init__(self, call: Callable[[], None]) -> None:
        """Keep the call; it must not raise."""
        self._call: Callable[[], None] | None = call
        self._lock = threading.Lock()

    def take(self) -> Callable[[], None] | None:
        """Return the call to the one who makes it or gives it up; None when somebody else did."""
        with self._lock:
            call, self._call = self._call, None
        return call


class Threads:
    """Daemon threads that take work in the order in which it came."""

    def __init__(self, number: int) -> None:
        """Start `number` threads."""
        self.number = number
        self._line: SimpleQueue[Work] = SimpleQueue()
        self._begun: list[float | None] = [None] * number
        for place in range(number):
            threading.Thread(target=self._run, args=(place,), name=f"request-{place}", daemon=True).start()

    @property
    def waiting(self) -> int:
        """How many pieces of work no thread has taken yet."""
        return self._line.qsize()

    def put(self, work: Work) -> None:
        """Let the next free thread do it."""
        self._line.put(work)

    def longest(self) -> float:
        """Return for how many seconds the longest call of now has been under way; 0 when all threads are free."""
        begun = [moment for moment in self._begun if moment is not None]
        return time.monotonic() - min(begun) if begun else 0.0

    def _run(self, place: int) -> None:
        while True:
            call = self._line.get().take()
            if call is not None:
                self._begun[place] = time.monotonic()
                call()
                self._begun[place] = None
