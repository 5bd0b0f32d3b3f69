"""What processes cost: CPU time and memory, read from the kernel by their identifiers."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PROCESS_CLOCK = 2
"""Of the clocks of a process that Linux numbers the one of all its threads, the ended ones too, in nanoseconds."""

CORES = sorted(os.sched_getaffinity(0))
LOAD_CORE, SERVER_CORE = CORES[0], CORES[-1]
"""Where the client runs and where servers run; on a machine of one core, and only there, these are one."""

_SHARE = re.compile(r"^Pss:\s+(\d+) kB", re.MULTILINE)


class ProcessEnded(Exception):
    """A process that was measured is there no more."""


def cpu_seconds(pids: Iterable[int]) -> float:
    """Return the CPU seconds, user and system, that these processes have taken together.

    Raises:
        ProcessEnded: one of them ended.
    """
    try:
        return sum(time.clock_gettime(~pid << 3 | PROCESS_CLOCK) for pid in pids)
    except OSError as error:
        raise ProcessEnded("a process of the server ended") from error


def those_that_run(pids: Iterable[int]) -> Iterator[float]:
    """Yield the CPU seconds of each of these processes that is still there."""
    for pid in pids:
        with suppress(ProcessEnded):
            yield cpu_seconds([pid])


def tree(pid: int) -> list[int]:
    """Return a process and all that descend from it."""
    found = [pid]
    for each in found:
        with suppress(OSError):
            for children in Path(f"/proc/{each}/task").glob("*/children"):
                found += [int(child) for child in children.read_text().split()]
    return found


def memory_mib(pids: Iterable[int]) -> float:
    """Return the memory of some processes in MiB; a page that several share counts in shares (PSS)."""
    shares = (_SHARE.search(Path(f"/proc/{pid}/smaps_rollup").read_text()) for pid in pids)
    return sum(int(share[1]) for share in shares if share) / 1024


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """Run this thread, and the processes that it starts meanwhile, on one core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
