"""`portula serve` as processes: ends, hangs, stops, orphans, and a storage that is down."""

import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest
from support.children import alive, children, ended, signalled, wait_until
from support.raw import Wire, answers, head
from support.server import CONFIGURATION, PORTULA, Server, start, stop
from support.under_load import Load

from portula.cli.edge import LINGER_SECONDS

pytestmark = pytest.mark.thorough

PLUGIN = """
import os, threading
from pathlib import Path
from portula import hookimpl
from portula.errors import StorageDown
from portula.plugin import Endpoint, json_answer
from portula_testing.memory import MemoryStore

HERE = Path(os.environ["SERVE_TEST_FOLDER"])

class Store(MemoryStore):
    def ready(self):
        if (HERE / "down").exists():
            raise StorageDown("DATABASE_URL: nobody answers there")

@hookimpl
def portula_stores(provider):
    return {"here": Store}

def slow(message):
    (HERE / "begun").touch()
    threading.Event().wait(float(message.query))
    return json_answer(200, {"answered": True})

@hookimpl
def portula_endpoints(provider):
    return [Endpoint("slow", "slow", ("GET",), slow)]
"""


class Running:
    """A server of the test's own, whose storage and slow endpoint are the plugin above."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder = folder
        data, plugins, config = folder / "data", folder / "plugins", folder / "config.py"
        plugins.mkdir()
        (plugins / "here.py").write_text(PLUGIN)
        settings = f'{{\n    "STORAGE": "here", "PLUGINS_DIR": {str(plugins)!r},'
        config.write_text(CONFIGURATION.replace("{", settings, 1))
        self.server = Server("", data, config)
        self.options = options
        self.process: subprocess.Popen[str] | None = None

    def begin(self) -> None:
        """Start it, and read what it prints until it serves."""
        common = ["--data-dir", str(self.server.data_dir), "--config", str(self.server.config)]
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("SERVE_TEST_FOLDER", str(self.folder))
            self.process = start(["serve", *common, "--port", "0", "--allow-errors", *self.options])
        self.told = self.read_until("Stop with Ctrl-C")
        url = next(line.split()[1] for line in self.told if line.startswith("Server"))
        self.server = Server(url, self.server.data_dir, self.server.config)

    def read_until(self, words: str) -> list[str]:
        """Return the lines it prints up to one with these words."""
        assert self.process is not None
        assert self.process.stdout is not None
        lines = []
        for line in self.process.stdout:
            lines.append(line)
            if words in line:
                return lines
        raise AssertionError("".join(lines))

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    @property
    def workers(self) -> list[int]:
        return children(self.pid)

    def slow(self, seconds: float) -> Callable[[], httpx.Response | None]:
        """Begin a request that takes so long; return what gives its answer."""
        got: list[httpx.Response] = []

        def ask() -> None:
            try:
                got.append(httpx.get(f"{self.server.issuer}/slow?{seconds}", timeout=20))
            except httpx.TransportError:
                return

        thread = threading.Thread(target=ask)
        (self.folder / "begun").unlink(missing_ok=True)
        thread.start()
        wait_until((self.folder / "begun").exists)

        def answer() -> httpx.Response | None:
            thread.join(25)
            return got[0] if got else None

        return answer

    def terminate(self) -> float:
        """Tell it to stop; return the seconds until it has."""
        assert self.process is not None
        began = time.monotonic()
        self.process.terminate()
        assert self.process.wait(timeout=30) == 0
        return time.monotonic() - began


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    made: list[Running] = []

    def serve(*options: str, down: bool = False) -> Running:
        running = Running(tmp_path, *options)
        made.append(running)
        if down:
            (tmp_path / "down").touch()
        running.begin()
        return running

    yield serve
    for running in made:
        if running.process is not None:
            stop(running.process)


@contextmanager
def refused() -> Iterator[None]:
    with pytest.raises(httpx.ConnectError):
        yield


def test_workers_that_are_killed_twice_are_replaced(serving: Callable[..., Running]) -> None:
    """One that ends within some seconds of its start was the end of the whole server once."""
    running = serving("--workers", "2")
    for _ in range(2):
        wait_until(lambda: len(running.workers) == 2)
        before = running.workers
        signalled(before, signal.SIGKILL)
        wait_until(lambda before=before: len(set(running.workers) - set(before)) == 2)  # type: ignore[misc]
        assert answers(running.server) < 10


def test_orphans_end_and_let_go_of_the_port(serving: Callable[..., Running]) -> None:
    running = serving("--workers", "2")
    answers(running.server)
    wait_until(lambda: len(running.workers) == 2)
    workers = running.workers
    signalled([running.pid], signal.SIGKILL)
    for worker in workers:
        wait_until(lambda worker=worker: ended(worker))  # type: ignore[misc]
    with refused():
        httpx.get(running.server.url)


def test_a_stop_answers_what_was_begun_and_refuses_what_is_new(serving: Callable[..., Running]) -> None:
    running = serving("--workers", "2")
    answer = running.slow(2)
    waiting = Wire(running.server)  # a connection that is open, and sends its request a moment too late
    assert running.process is not None
    began = time.monotonic()
    running.process.terminate()
    wait_until(lambda: not _connects(running.server))
    waiting.send(head(method="GET", path="/o/.well-known/jwks.json"))
    in_time = (
        time.monotonic() - began < LINGER_SECONDS
    )  # its worker waits so long, from a moment that comes later
    assert waiting.statuses() == [200] or not in_time
    told = answer()
    assert told is not None
    assert told.json() == {"answered": True}
    assert running.process.wait(timeout=10) == 0


def _connects(server: Server) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2])), timeout=1):
            return True
    except OSError:
        return False


def test_a_stop_waits_for_no_body_longer_than_it_said(serving: Callable[..., Running]) -> None:
    running = serving("--stop-timeout", "4")
    answers(running.server)
    slow = Wire(running.server).send(head("Content-Length: 1000"), b"grant_type=")
    time.sleep(0.2)
    assert running.terminate() < 8  # a body has 10 seconds
    assert slow.statuses() in ([503], [])


def test_a_stop_waits_for_no_request_longer_than_it_said(serving: Callable[..., Running]) -> None:
    running = serving("--stop-timeout", "3")
    answer = running.slow(60)
    workers = running.workers
    assert running.terminate() < 8
    assert not any(map(alive, workers))
    told = answer()
    assert told is None or told.status_code == 500


def test_a_stop_under_load_loses_no_answer(serving: Callable[..., Running]) -> None:
    running = serving("--workers", "2")
    answers(running.server)
    load = Load(f"{running.server.issuer}/.well-known/jwks.json")
    time.sleep(1)
    load.stops.set()
    assert running.terminate() < 10
    load.join()
    assert load.lost == []
    assert load.answers > 0


@pytest.mark.parametrize("number", [signal.SIGSTOP, None], ids=["stopped", "busy"])
def test_a_worker_that_answers_nothing_is_replaced(
    serving: Callable[..., Running], number: int | None
) -> None:
    running = serving("--hang-timeout", "6", "--stop-timeout", "3")
    answers(running.server)
    (worker,) = running.workers
    answer = None
    if number is None:
        answer = running.slow(600)
    else:
        signalled([worker], number)
    running.read_until("hangs; another one takes its place")
    wait_until(lambda: ended(worker))
    assert answers(running.server) < 10
    if answer is not None:
        answer()


def test_a_server_whose_storage_is_down_answers_503_and_comes_back(serving: Callable[..., Running]) -> None:
    running = serving("--workers", "2", down=True)
    told = httpx.get(f"{running.server.issuer}/.well-known/jwks.json", timeout=15)
    assert (told.status_code, told.headers["retry-after"]) == (503, "2")
    assert told.json()["error"] == "temporarily_unavailable"
    wait_until(lambda: len(running.workers) == 2)
    before = running.workers
    (running.folder / "down").unlink()
    wait_until(lambda: httpx.get(f"{running.server.issuer}/.well-known/jwks.json").status_code == 200)
    assert running.workers == before


def test_a_worker_that_ends_while_the_storage_is_down_is_replaced(serving: Callable[..., Running]) -> None:
    running = serving()
    answers(running.server)
    (running.folder / "down").touch()
    before = running.workers
    signalled(before, signal.SIGKILL)
    wait_until(lambda: set(running.workers) - set(before))
    told = httpx.get(f"{running.server.issuer}/.well-known/jwks.json", timeout=15)
    assert told.status_code == 503
    (running.folder / "down").unlink()
    wait_until(lambda: httpx.get(f"{running.server.issuer}/.well-known/jwks.json").status_code == 200)


def test_the_operator_is_told_that_the_storage_is_down(tmp_path: Path) -> None:
    """A PostgreSQL that is not there."""
    common = ["--data-dir", str(tmp_path / "data"), "--port", "0"]
    process = start(["serve", *common, "--database-url", "postgresql://portula:secret@127.0.0.1:1/portula"])
    try:
        assert process.stdout is not None
        told = "".join(iter(process.stdout.readline, "Stop with Ctrl-C.\n"))
        assert "does not answer" in told
        assert "Requests are answered 503 until it does" in told
        assert "secret" not in told
        url = next(line.split()[1] for line in told.splitlines() if line.startswith("Server"))
        assert httpx.get(url, timeout=15).status_code == 503
    finally:
        stop(process)


def test_a_demo_without_storage_is_refused(tmp_path: Path) -> None:
    command = [PORTULA, "--data-dir", str(tmp_path / "data"), "serve", "--demo", "--port", "0"]
    url = "postgresql://portula:secret@127.0.0.1:1/portula"
    done = subprocess.run(
        [*command, "--database-url", url], capture_output=True, check=False, text=True, timeout=60
    )
    assert done.returncode == 1
    assert "does not answer" in done.stderr


@contextmanager
def bare(folder: Path, settings: str, *shell: str) -> Iterator[tuple[int, str]]:
    """Serve with these settings, by a shell if there is one; give the process and its address."""
    config = folder / "config.py"
    config.write_text(CONFIGURATION.replace("{", f"{{\n    {settings}", 1))
    options = [
        "serve",
        "--data-dir",
        str(folder / "data"),
        "--config",
        str(config),
        "--port",
        "0",
        "--allow-errors",
    ]
    program, *arguments = [*shell, PORTULA, *options]
    process = start(arguments, program=program)
    try:
        assert process.stdout is not None
        (line,) = [line for line in iter(process.stdout.readline, "Stop with Ctrl-C.\n") if "Server" in line]
        yield process.pid, line.split()[1]
    finally:
        stop(process)


def test_a_log_that_takes_nothing_keeps_no_worker_from_starting(tmp_path: Path) -> None:
    """The thread of the parent that writes lines is in the middle of one when the next worker is forked."""
    pipe = tmp_path / "log"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    writer = os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
    with suppress(BlockingIOError):
        while True:
            os.write(writer, b"." * 4096)
    try:
        with bare(tmp_path, f'"LOG_DESTINATION": {str(pipe)!r},') as (parent, url):
            wait_until(lambda: answers_at(url))
            first = children(parent)
            signalled(first, signal.SIGKILL)
            wait_until(lambda: children(parent) and children(parent) != first)
            wait_until(lambda: answers_at(url))
    finally:
        os.close(reader)
        os.close(writer)


def test_it_serves_without_a_standard_input(tmp_path: Path) -> None:
    with bare(tmp_path, "", "/bin/sh", "-c", 'exec "$0" "$@" <&-') as (_, url):
        wait_until(lambda: answers_at(url))


ENDING = """
import atexit, os
from pathlib import Path
from portula import hookimpl

@hookimpl
def portula_demo(provider):
    return {}

atexit.register(lambda: (Path(os.environ["ENDED"]) / str(os.getpid())).touch())
"""


def test_what_a_plugin_registers_for_the_end_runs_in_each_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told, plugins = tmp_path / "ended", tmp_path / "plugins"
    told.mkdir()
    plugins.mkdir()
    (plugins / "ending.py").write_text(ENDING)
    monkeypatch.setenv("ENDED", str(told))
    with bare(tmp_path, f'"PLUGINS_DIR": {str(plugins)!r},') as (parent, url):
        wait_until(lambda: answers_at(url))
        processes = [parent, *children(parent)]
    assert sorted(path.name for path in told.iterdir()) == sorted(map(str, processes))


def answers_at(url: str) -> bool:
    """Say whether a server lives."""
    try:
        return httpx.get(f"{url}/healthz", timeout=2).status_code == 200
    except httpx.TransportError:
        return False
