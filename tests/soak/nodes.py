"""Nodes of a provider: `portula serve` with two workers each, started again when the parent is killed."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

import httpx
from support.children import alive, children, ended
from support.server import PORTULA, free_port

from soak.servers import until

START_SECONDS = 120
ISSUER = "http://127.0.0.1:1/o"
USER, PASSWORD = "ann", "correct horse battery staple"
CALLBACK = "https://client.example/callback"

PLUGIN = '''
import time
from pathlib import Path
from portula import hookimpl

@hookimpl
def portula_clock(provider):
    """Go wrong by as many seconds as a file says."""
    file, known = Path({file!r}), [0.0, 0.0]

    def now():
        at = time.monotonic()
        if at > known[0]:
            known[:] = [at + 0.5, float(file.read_text() or 0)]
        return time.time() + known[1]

    return now
'''


def resident(pid):
    """Return the MiB of memory that a process has; None of one that has ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS")), None)


class Node:
    """One of the processes that serve one provider."""

    def __init__(self, number: int, folder: Path, settings: Mapping[str, object], like: "Node | None" = None):
        self.number = number
        self.folder = folder
        self.data = folder / "data"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.clock = folder / "clock"
        self.log = folder / "log"
        self.config = folder / "config.py"
        self.process: subprocess.Popen | None = None
        self.memory: dict[int, list[tuple[float, float]]] = {}
        (folder / "plugins").mkdir(parents=True)
        self.clock.write_text("0")
        (folder / "plugins" / "wrong_clock.py").write_text(PLUGIN.format(file=str(self.clock)))
        given = {
            "OIDC_ENABLED": True,
            "PASSWORD_HASH_PROFILE": "testing",
            "CLIENT_SECRET_HASH_PROFILE": "testing",
            "CLIENT_CACHE_SECONDS": 10,
            "PLUGINS_DIR": str(folder / "plugins"),
            **settings,
        }
        self.config.write_text(f"OAUTH2_PROVIDER = {given!r}\n")
        if like is None:
            self.run("init", issuer=False)
        else:
            shutil.copytree(like.data, self.data)

    @property
    def secret_key(self):
        return (self.data / "secret_key").read_bytes()

    def run(self, *words, text=None, issuer=True):
        """Run `portula …` on the folder of this node; return what it prints."""
        common = [PORTULA, "--data-dir", str(self.data), "--config", str(self.config)]
        options = ["--issuer", ISSUER] if issuer else []
        done = subprocess.run(
            [*common, *options, *words], capture_output=True, text=True, input=text, timeout=120, check=False
        )
        if done.returncode:
            raise RuntimeError(f"portula {' '.join(words)}: {done.stdout}{done.stderr}")
        return done.stdout

    def start(self):
        """Start it, and wait until it answers."""
        words = [
            "serve",
            "--data-dir",
            str(self.data),
            "--config",
            str(self.config),
            "--port",
            str(self.port),
        ]
        words += ["--issuer", ISSUER, "--workers", "2", "--allow-errors"]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [PORTULA, *words],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                env={**os.environ, "COLUMNS": "200"},
            )
        until(self.answers, START_SECONDS, f"an answer of node {self.number}")

    def answers(self):
        """Say whether it serves."""
        try:
            return httpx.get(f"{self.url}/o/.well-known/jwks.json", timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    @property
    def workers(self):
        return children(self.process.pid) if self.process else []

    def kill_worker(self):
        os.kill(self.workers[-1], signal.SIGKILL)

    def kill_parent(self):
        """Kill it, and wait until its workers have noticed."""
        workers = self.workers
        self.process.kill()
        self.process.wait()
        until(lambda: all(map(ended, workers)), 60, "the end of orphans")

    def stop(self):
        if self.process is not None and alive(self.process.pid):
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def weigh(self):
        """Note what each worker weighs now."""
        for pid in self.workers:
            weight = resident(pid)
            if weight is not None:
                self.memory.setdefault(pid, []).append((time.monotonic(), weight))

    def tracebacks(self):
        """Return the lines of the log that end a traceback."""
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return [line for number, line in enumerate(lines) if number and _ends_traceback(lines, number)]


def _ends_traceback(lines, number):
    before = lines[number - 1]
    return before.startswith("    ") and not lines[number].startswith(" ") and bool(lines[number].strip())
