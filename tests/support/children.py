"""Processes below a process, and waiting for what becomes of them (Linux)."""

import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path


def children(pid: int) -> list[int]:
    """Return the processes that this process started and that are there."""
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(word) for word in listed.read_text().split()] if listed.is_file() else []


def alive(pid: int) -> bool:
    """Say whether a process runs; one that ended and was not waited for does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):  # the second: it ended between open and read
        return False
    return state != "Z"


def ended(pid: int) -> bool:
    """Say whether a process is no more."""
    return not alive(pid)


def wait_until(true: Callable[[], object], seconds: float = 20) -> None:
    """Wait until something is true; fail when it does not become so."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"not so within {seconds} seconds"
        time.sleep(0.05)


def signalled(pids: Iterable[int], number: int) -> None:
    """Send a signal to processes that a test started."""
    for pid in pids:
        os.kill(pid, number)
