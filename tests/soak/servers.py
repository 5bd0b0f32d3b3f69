"""Database servers that the soak starts for itself, since it kills them."""

import contextlib
import os
import shutil
import signal
import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from support.children import children, ended

SCRIPT = Path(__file__).parents[2] / "tools" / "services.sh"
OPTIONS = {
    "synchronous_commit=off": "synchronous_commit=on",
    "fsync=off": "fsync=on",
    "full_page_writes=off": "full_page_writes=on",
    "--innodb-flush-log-at-trx-commit=0": "--innodb-flush-log-at-trx-commit=1",
    "--innodb-doublewrite=0": "--innodb-doublewrite=1",
    "max_connections=200": "max_connections=40",
    "--max-connections=200": "--max-connections=40",
}
"""The services of the tests are forgetful and generous; here a commit that was acknowledged is on the disk."""


def until(true, seconds, what):
    """Wait until something is true."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {seconds} s")
        time.sleep(0.1)


@dataclass
class Process:
    """A server's process, which can be ended and started again as it was."""

    pid_file: Path
    argv: list[str] = field(default_factory=list)
    user: int = 0
    group: int = 0
    cwd: str = "/"

    def __post_init__(self):
        folder = Path(f"/proc/{self.pid}")
        given = [word.decode() for word in (folder / "cmdline").read_bytes().split(b"\0") if word]
        self.argv = [OPTIONS.get(word, word) for word in given if not word.startswith("--wsrep-new-cluster")]
        self.argv = [word for word in self.argv if not word.startswith("--init-file")]
        status = (folder / "status").read_text().splitlines()
        ids = {line.split(":")[0]: int(line.split()[1]) for line in status if line.startswith(("Uid", "Gid"))}
        self.user, self.group = ids["Uid"], ids["Gid"]
        self.cwd = str((folder / "cwd").readlink())

    @property
    def pid(self):
        return int(self.pid_file.read_text().split()[0])

    def lives(self):
        try:
            return not ended(self.pid)
        except OSError:
            return False

    def send(self, number):
        os.kill(self.pid, number)

    def send_all(self, number):
        """Send a signal to it and to the processes that it started."""
        for pid in (self.pid, *children(self.pid)):
            os.kill(pid, number)

    def end(self, number=signal.SIGKILL):
        pid = self.pid
        os.kill(pid, number)
        until(lambda: ended(pid), 40, f"the end of process {pid}")

    def start(self):
        owner = {} if os.getuid() else {"user": self.user, "group": self.group, "extra_groups": []}
        nothing = subprocess.DEVNULL
        process = subprocess.Popen(
            self.argv,
            cwd=self.cwd,
            stdin=nothing,
            stdout=nothing,
            stderr=nothing,
            start_new_session=True,
            **owner,
        )
        threading.Thread(target=process.wait, daemon=True).start()  # so that it is gone when it has ended


class Services:
    """The servers of one engine, in a folder of their own."""

    def __init__(self, folder: Path, *engines: str):
        self.folder = folder
        self.engines = engines
        self.environment = {**os.environ, "SERVICES_HOME": str(folder)}

    def __enter__(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        self._run("start", *self.engines)
        lines = (self.folder / "env").read_text().splitlines()
        self.urls = {line.split("=", 1)[0]: line.split("=", 1)[1].strip("'") for line in lines}
        return self

    def __exit__(self, *_):
        self._run("stop")
        with contextlib.suppress(OSError):
            shutil.rmtree(self.folder)

    def _run(self, *words):
        done = subprocess.run(
            [SCRIPT, *words], env=self.environment, capture_output=True, text=True, timeout=300, check=False
        )
        if done.returncode:
            raise RuntimeError(f"services.sh {' '.join(words)}: {done.stderr}")

    def place(self, name):
        """Return the folder of a server that may be outside of ours."""
        return Path((self.folder / f"{name}.at").read_text().strip())
