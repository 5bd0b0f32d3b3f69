"""A fixed number of threads, and a line of work that waits for them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import SimpleQueue

from portula.model.costly import set_stand_in

MAX_STAND_INS = 128
"""Threads that may wait for costly work, or do it, beside those that take requests."""


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
    """Daemon threads that take work in the order in which it came; costly work takes none of them away from others."""

    def __init__(self, number: int) -> None:
        """Start `number` threads."""
        self.number = number
        self._line: SimpleQueue[Work | None] = SimpleQueue()
        self._begun: dict[int, float] = {}
        self._lock = threading.Lock()
        self._stand_ins = 0
        for _ in range(number):
            self._start()

    @property
    def waiting(self) -> int:
        """How many pieces of work no thread has taken yet."""
        return self._line.qsize()

    def put(self, work: Work) -> None:
        """Let the next free thread do it."""
        self._line.put(work)

    def longest(self) -> float:
        """Return for how many seconds the longest call of now has been under way, costly work left out; 0 for none."""
        begun = list(self._begun.values())
        return time.monotonic() - min(begun) if begun else 0.0

    @contextmanager
    def stand_in(self) -> Iterator[None]:
        """Have one thread more while the calling one does costly work, as long as these are not too many."""
        may = self._add_stand_in()
        own = threading.get_ident()
        self._begun.pop(own, None)
        try:
            yield
        finally:
            self._begun[own] = time.monotonic()
            if may:
                with self._lock:
                    self._stand_ins -= 1
                self._line.put(None)

    def _add_stand_in(self) -> bool:
        """Start one more thread; say whether there is one: they may be too many, or the system may have no more."""
        with self._lock:
            if self._stand_ins >= MAX_STAND_INS:
                return False
            try:
                self._start()
            except RuntimeError:
                return False
            self._stand_ins += 1
            return True

    def _start(self) -> None:
        threading.Thread(target=self._run, name="request", daemon=True).start()

    def _run(self) -> None:
        """Do work until there is one thread too many."""
        set_stand_in(self.stand_in)
        own = threading.get_ident()
        while (work := self._line.get()) is not None:
            call = work.take()
            if call is not None:
                self._begun[own] = time.monotonic()
                call()
                del self._begun[own]
