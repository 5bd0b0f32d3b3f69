"""`portula serve` in a process of its own, on a loopback port."""

import itertools
import json
import os
import secrets
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import IO, Any, cast

import httpx

from support.commands import run_command

START_SECONDS = 30
PORTULA = str(Path(sys.executable).parent / "portula")
CONFIGURATION = """
OAUTH2_PROVIDER = {
    "PASSWORD_HASH_PROFILE": "testing",
    "CLIENT_SECRET_HASH_PROFILE": "testing",
}
"""


_PORTS = itertools.count(
    10_000 + 4_000 * int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) % 16_000 + secrets.randbelow(3_000)
)


def free_port() -> int:
    """Return a loopback port that nobody listens on, of those that the system gives to nobody by itself."""
    for port in _PORTS:
        with suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError


@dataclass(frozen=True)
class Server:
    """A running server and the data folder it shares with the command line."""

    url: str
    data_dir: Path
    config: Path

    @property
    def issuer(self) -> str:
        """The issuer it was started with."""
        return f"{self.url}/o"

    def run(self, *arguments: str, text: str | None = None) -> Any:
        """Run `portula …` on its data folder and return the JSON it prints."""
        common = ("--data-dir", str(self.data_dir), "--config", str(self.config))
        return json.loads(run_command(*common, *arguments, "--json", text=text))

    def create_user(self, name: str, password: str) -> Any:
        """Make an account."""
        return self.run("createuser", name, "--password-stdin", text=password)

    def create_client(self, client_type: str, *grant_types: str, **options: str) -> Any:
        """Make a client; return what the command line says of it, secret included."""
        flags = [part for name, value in options.items() for part in (f"--{name.replace('_', '-')}", value)]
        return self.run("createapplication", client_type, *grant_types, *flags)


class Output:
    """What a process prints, taken from it at once: it logs, and must not wait until somebody reads."""

    def __init__(self, pipe: IO[str]) -> None:
        """Begin to read."""
        self._lines: SimpleQueue[str] = SimpleQueue()
        threading.Thread(target=self._take, args=[pipe], daemon=True).start()

    def _take(self, pipe: IO[str]) -> None:
        with pipe:
            for line in pipe:
                self._lines.put(line)
        self._lines.put("")

    def readline(self) -> str:
        """Return the next line, once it is there; an empty one at the end."""
        line = self._lines.get()
        if not line:
            self._lines.put("")
        return line

    def __iter__(self) -> Iterator[str]:
        """Yield what comes."""
        return iter(self.readline, "")

    def read(self) -> str:
        """Return all that comes until the process ends."""
        return "".join(self)

    def close(self) -> None:
        """Nothing is to be closed: the thread ends with the process."""


@contextmanager
def running(data_dir: Path, *options: str, configuration: str = CONFIGURATION) -> Iterator[Server]:
    """Start a server, wait until it answers, and end it afterwards."""
    port = free_port()
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    config = data_dir / "config.py"
    config.write_text(configuration)
    server = Server(f"http://127.0.0.1:{port}", data_dir, config)
    process = start(
        [
            "serve",
            "--data-dir",
            str(data_dir),
            "--config",
            str(config),
            "--port",
            str(port),
            "--allow-errors",
            *options,
        ]
    )
    try:
        wait_until_up(process, server.url)
        yield server
    finally:
        stop(process)


def stop(process: subprocess.Popen[str]) -> None:
    """End a server, by SIGTERM since who runs the tests may ignore SIGINT, and let go of what it printed."""
    process.terminate()
    try:
        process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout:
        process.stdout.close()


def start(arguments: Sequence[str], *, program: str = PORTULA, **keywords: Any) -> subprocess.Popen[str]:
    """Start `portula` with what it prints kept apart."""
    environment = {**keywords.pop("env", os.environ), "COLUMNS": "200"}
    process = subprocess.Popen(
        [program, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
        **keywords,
    )
    process.stdout = cast("IO[str]", Output(cast("IO[str]", process.stdout)))
    return process


def wait_until_up(process: subprocess.Popen[str], url: str, **client: Any) -> None:
    """Wait until a server answers; show what it printed when it ends instead."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise AssertionError(f"the server ended: {process.stdout.read() if process.stdout else ''}")
        try:
            httpx.get(url, timeout=5, **client)
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    process.kill()
    raise AssertionError(f"no answer from {url} within {START_SECONDS} seconds")
