"""How long an honest client waits while others misuse `portula serve`.

    .venv/bin/python bench/edge.py

A server of its own is started in an empty folder, on a free port of this machine, and ended. An honest client asks for
tokens one after another, alone and then while strangers do what each phase says.
"""

from __future__ import annotations

import argparse
import json
import secrets
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import httpx
from rich.console import Console
from rich.table import Table

PORTULA = [str(Path(sys.executable).parent / "portula")]
START_SECONDS = 60
PAUSE_SECONDS = 0.02
"""Between two requests of the honest client."""
PATIENCE_SECONDS = 30
LEAST_REQUESTS = 5
SLOW_BODIES = 50
UPLOADS = 20
UPLOAD_BYTES = 60_000
WRONG_SECRETS = 100
GRANT = {"grant_type": "client_credentials"}


@dataclass(frozen=True)
class Server:
    """A running server with two clients."""

    port: int
    honest: tuple[str, str]
    """Identifier and secret of a client whose secret was generated."""
    chosen: str
    """Identifier of a client whose secret a person chose."""

    @property
    def token_endpoint(self) -> str:
        """Its URL."""
        return f"http://127.0.0.1:{self.port}/o/token/"

    def connect(self, *lines: str) -> socket.socket:
        """Open a connection and send the head of a token request with these lines, and the first of its body."""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_SECONDS)
        given = ("POST /o/token/ HTTP/1.1", f"Host: 127.0.0.1:{self.port}", *lines, "", "grant_type=")
        connection.sendall("\r\n".join(given).encode())
        return connection


@dataclass
class Phase:
    """What the honest client and the strangers met."""

    name: str
    seconds: list[float] = field(default_factory=list)
    """Of each answer to the honest client."""
    honest: Counter[int] = field(default_factory=Counter)
    """Statuses of these."""
    strangers: Counter[str] = field(default_factory=Counter)
    """What became of the strangers' requests."""


@contextmanager
def running(folder: Path) -> Iterator[Server]:
    """Start a server with its clients, and end it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    given = ["--data-dir", str(folder / "data")]
    subprocess.run([*PORTULA, *given, "init"], check=True, capture_output=True)
    honest = created(given)
    chosen = created([*given], "--client-secret", secrets.token_urlsafe(32))
    command = [*PORTULA, "serve", *given, "--port", str(port), "--allow-errors"]
    with (folder / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            server = Server(port, (honest["client_id"], honest["client_secret"]), chosen["client_id"])
            wait_until_up(server, process)
            meet(server, chosen["client_id"], "wrong")
            yield server
        finally:
            process.terminate()


def created(given: list[str], *options: str) -> Any:
    """Make a client on the command line; return what that prints."""
    words = ["createapplication", "confidential", "client-credentials", *options, "--json"]
    return json.loads(subprocess.run([*PORTULA, *given, *words], check=True, capture_output=True).stdout)


def wait_until_up(server: Server, process: subprocess.Popen[bytes]) -> None:
    """Wait until the honest client gets a token."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(httpx.TransportError):
            if meet(server, *server.honest) == 200:
                return
        time.sleep(0.1)
    raise SystemExit("the server does not answer")


def meet(server: Server, client_id: str, secret: str) -> int:
    """Ask for a token; return the status of the answer."""
    answer = httpx.post(server.token_endpoint, data=GRANT, auth=(client_id, secret), timeout=PATIENCE_SECONDS)
    return answer.status_code


def ask(server: Server, phase: Phase, over: threading.Event) -> None:
    """Ask for tokens as an honest client does, one after another on one connection."""
    with httpx.Client(timeout=PATIENCE_SECONDS, auth=server.honest) as client:
        while not over.is_set() or len(phase.seconds) < LEAST_REQUESTS:
            began = time.perf_counter()
            phase.honest[client.post(server.token_endpoint, data=GRANT).status_code] += 1
            phase.seconds.append(time.perf_counter() - began)
            time.sleep(PAUSE_SECONDS)


# --- What strangers do; each returns what became of its requests ---


def nothing(server: Server) -> Counter[str]:
    """Do nothing for a moment."""
    time.sleep(PAUSE_SECONDS)
    return Counter()


def slow_bodies(server: Server) -> Counter[str]:
    """Announce bodies, send their beginnings, and wait for the answers."""
    connections = [server.connect("Content-Length: 1000") for _ in range(SLOW_BODIES)]
    outcome: Counter[str] = Counter()
    for connection in connections:
        with connection, suppress(OSError):
            outcome[connection.recv(64).partition(b" ")[2][:3].decode() or "closed"] += 1
    return outcome


def uploads_given_up(server: Server) -> Counter[str]:
    """Begin uploads and close the connections: half of them with a reset."""
    for number in range(UPLOADS):
        connection = server.connect(f"Content-Length: {UPLOAD_BYTES}")
        connection.sendall(b"a" * (UPLOAD_BYTES // 3))
        if number % 2:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
    time.sleep(PAUSE_SECONDS)
    return Counter({"given up": UPLOADS})


def wrong_secrets(server: Server) -> Counter[str]:
    """Try secrets of a client whose secret a person chose, all at once."""
    return at_once(server, [server.chosen] * WRONG_SECRETS)


def unknown_clients(server: Server) -> Counter[str]:
    """The same with clients that do not exist."""
    return at_once(server, [f"nobody-{number}" for number in range(WRONG_SECRETS)])


def at_once(server: Server, client_ids: list[str]) -> Counter[str]:
    """Try a secret of each client, in parallel."""
    with ThreadPoolExecutor(len(client_ids)) as pool:
        tried = pool.map(lambda client_id: meet(server, client_id, secrets.token_urlsafe(16)), client_ids)
        return Counter(map(str, tried))


PHASES = {
    "alone": nothing,
    f"{SLOW_BODIES} slow bodies": slow_bodies,
    f"{UPLOADS} uploads given up": uploads_given_up,
    f"{WRONG_SECRETS} wrong secrets of one client": wrong_secrets,
    f"{WRONG_SECRETS} clients that do not exist": unknown_clients,
    "alone again": nothing,
}
ONCE = (wrong_secrets, unknown_clients)
"""What is done once: what comes after it is refused for a minute."""


def measure(server: Server, name: str, seconds: float) -> Phase:
    """Let strangers do one thing while the honest client asks: again and again for this time, unless it is in ONCE."""
    phase, over = Phase(name), threading.Event()
    honest = threading.Thread(target=ask, args=[server, phase, over])
    began = time.monotonic()
    honest.start()
    while True:
        phase.strangers += PHASES[name](server)
        if PHASES[name] in ONCE or time.monotonic() - began > seconds:
            break
    over.set()
    honest.join()
    return phase


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5, help="how long a phase is")
    parser.add_argument("--json", action="store_true", help="print JSON in place of a table")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as server:
        phases = [measure(server, name, options.seconds) for name in PHASES]
    if options.json:
        print(json.dumps([facts(phase) for phase in phases], indent=2))
    else:
        Console().print(as_table(phases))


def facts(phase: Phase) -> dict[str, Any]:
    """Return the figures of a phase, in milliseconds."""
    taken = [1000 * seconds for seconds in phase.seconds]
    return {
        "phase": phase.name,
        "requests": len(taken),
        "median": median(taken),
        "p95": quantiles(taken, n=20)[-1] if len(taken) > 1 else taken[0],
        "longest": max(taken),
        "statuses": dict(phase.honest),
        "strangers": dict(phase.strangers),
    }


def as_table(phases: list[Phase]) -> Table:
    """Return the figures as people read them."""
    table = Table(title="An honest client's token answers, ms")
    for column in ("others do", "requests", "median", "p95", "longest", "statuses", "strangers got"):
        table.add_column(column, justify="left" if column in {"others do", "strangers got"} else "right")
    for found in map(facts, phases):
        times = [f"{found[name]:.1f}" for name in ("median", "p95", "longest")]
        statuses, strangers = (
            ", ".join(f"{count} times {what}" for what, count in found[name].items())
            for name in ("statuses", "strangers")
        )
        table.add_row(found["phase"], str(found["requests"]), *times, statuses, strangers)
    return table


if __name__ == "__main__":
    main()
