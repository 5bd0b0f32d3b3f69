"""Starting a server, timing that, and ending it, whatever happens."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from servers.cpu import SERVER_CORE, cpu_seconds, memory_mib, on_core, tree
from servers.load import Client, Site, WrongAnswer
from servers.sides import BENCH, Place, Side

PREPARE_SECONDS = 120
START_SECONDS = 60
STOP_SECONDS = 15
PAUSE_SECONDS = 0.01
"""Between two attempts to get the first answer."""
LOG_LINES = 15


class ServerFailed(Exception):
    """A server could not be prepared or started."""


@dataclass
class Running:
    """A server that answers."""

    side: Side
    site: Site
    place: Place
    process: subprocess.Popen[bytes]
    pids: list[int]
    start_wall: float
    """Seconds from its start to its first answer."""
    start_cpu: float

    def cpu_seconds(self) -> float:
        """Return what all of its processes took so far."""
        return cpu_seconds(self.pids)

    def mib(self) -> float:
        """Return the memory of all of its processes."""
        return memory_mib(self.pids)


def free_port() -> int:
    """Return a loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment() -> dict[str, str]:
    """Return the environment of the programs."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("FLASK_", "PORTULA_"))}
    return {**kept, "PYTHONPATH": str(BENCH), "NODE_ENV": "production"}


def prepared(side: Side, place: Place) -> Site:
    """Make what a side keeps.

    Raises:
        ServerFailed: its program fails, or takes too long.
    """
    try:
        done = subprocess.run(
            side.prepare(place),
            env=environment(),
            capture_output=True,
            text=True,
            check=True,
            timeout=PREPARE_SECONDS,
        )
        given = json.loads(done.stdout.splitlines()[-1])
    except subprocess.CalledProcessError as error:
        raise ServerFailed(f"{side.name} cannot be prepared: {last_lines(error.stderr)}") from error
    except (OSError, subprocess.TimeoutExpired, ValueError, IndexError) as error:
        raise ServerFailed(f"{side.name} cannot be prepared: {error}") from error
    return Site(**{name: tuple(value) if isinstance(value, list) else value for name, value in given.items()})


@contextmanager
def running(side: Side, site: Site, place: Place) -> Iterator[Running]:
    """Start a server on its core; end it afterwards.

    Raises:
        ServerFailed: it does not answer in time.
    """
    log = place.folder / "log"
    with log.open("ab") as output, on_core(SERVER_CORE):
        begun = time.monotonic()
        process = subprocess.Popen(
            side.serve(place),
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,  # Ctrl-C is for the benchmark, which ends its servers
        )
    try:
        wait_for_answer(side, site, place, process)
        taken = time.monotonic() - begun
        pids = tree(process.pid)
        yield Running(side, site, place, process, pids, taken, cpu_seconds(pids))
    finally:
        end(process)


def wait_for_answer(side: Side, site: Site, place: Place, process: subprocess.Popen[bytes]) -> None:
    """Ask until there is an answer."""
    deadline, last = time.monotonic() + START_SECONDS, ""
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with Client(site, place.port) as client:
                client.get(site.discovery).expect()
        except WrongAnswer as error:
            last = str(error)
            time.sleep(PAUSE_SECONDS)
        else:
            return
    log = last_lines((place.folder / "log").read_text(errors="replace"))
    raise ServerFailed(f"{side.name} does not answer: {last}\n{log}")


def end(process: subprocess.Popen[bytes]) -> None:
    """Tell a server to stop; kill what is left of it when it does not."""
    pids = tree(process.pid) if process.poll() is None else []
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        kill(pids)
        process.wait(STOP_SECONDS)


def kill(pids: Sequence[int]) -> None:
    """End processes that do not stop."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def last_lines(text: str) -> str:
    """Return the end of a log."""
    return "\n".join(text.strip().splitlines()[-LOG_LINES:])


def fresh_folder(root: Path, side: Side) -> Path:
    """Return a folder of a side's own."""
    folder = root / side.name
    folder.mkdir(mode=0o700)
    return folder
