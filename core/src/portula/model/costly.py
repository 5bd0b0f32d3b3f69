"""Limits work that costs much time and memory, such as argon2id, to a few calls at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

_thread = threading.local()


def set_stand_in(stand_in: Callable[[], AbstractContextManager[None]]) -> None:
    """Let costly work of this thread be done within what `stand_in` returns."""
    _thread.stand_in = stand_in


@contextmanager
def costly_work(places: AbstractContextManager[object] | None = None) -> Iterator[None]:
    """Wait for one of the places, e.g. a semaphore, and hold it.

    Under `portula serve` another thread takes requests meanwhile, in place of the one that waits or works.
    """
    with getattr(_thread, "stand_in", nullcontext)(), places or nullcontext():
        yield
