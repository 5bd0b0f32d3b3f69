"""The parent of the workers: starts them, starts them anew when they end or hang, and stops them in time."""

from __future__ import annotations

import logging
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from types import FrameType

log = logging.getLogger("portula")

Handler = Callable[[int, FrameType | None], object] | int | None

STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
"""What ends a server. SIGHUP comes when a terminal closes; who ignores it, as nohup does, is not ended."""


@dataclass(frozen=True, slots=True)
class Times:
    """How long things may take, in seconds."""

    hang: float
    """Without a beat a worker is replaced after half of this; the other half is how long it beats while it hangs."""
    stop: float
    """From being told to stop to being killed."""
    boot: float = 60.0
    """From its start to a worker's first beat."""
    first_pause: float = 0.5
    """Before a worker that ended is started anew; twice as long each time."""
    longest_pause: float = 30.0
    """The most of it."""
    settled: float = 60.0
    """After so long a life the next pause is the first one again."""


@dataclass(slots=True)
class Worker:
    """A worker process and this end of its lifeline."""

    number: int
    process: subprocess.Popen[bytes]
    line: socket.socket
    born: float = field(default_factory=time.monotonic)
    beat: float | None = None
    kill_at: float | None = None
    """When it is killed, since it was told to stop; None while it serves, and when it was."""

    def __str__(self) -> str:
        """Name it as logs do."""
        return f"worker {self.number} (process {self.process.pid})"

    def hangs(self, times: Times) -> bool:
        """Say whether it should have beaten by now."""
        now = time.monotonic()
        if self.beat is None:
            return now - self.born > times.boot
        return now - self.beat > times.hang / 2

    def tell_to_stop(self, seconds: float) -> None:
        """Ask it to answer what was begun and to end within `seconds`."""
        self.kill_at = time.monotonic() + seconds
        with suppress(ProcessLookupError):
            self.process.terminate()


class Supervisor:
    """Keeps a number of workers alive on one listening socket."""

    def __init__(self, command: Sequence[str], listener: socket.socket, number: int, times: Times) -> None:
        """Take what is run for a worker: `command` and two descriptors, of the listener and of its lifeline."""
        self._command = command
        self._listener = listener
        self._times = times
        self._workers: list[Worker] = []
        self._leaving: list[Worker] = []
        self._due = dict.fromkeys(range(1, number + 1), 0.0)
        self._pauses: dict[int, float] = {}
        self._selector = selectors.DefaultSelector()
        self._received: list[int] = []

    def run(self) -> None:
        """Serve until a signal says stop; then end every worker and return."""
        with self._signals():
            try:
                while not self._received:
                    self._start_what_is_due()
                    self._wait(until=min(self._due.values(), default=None))
                    self._bury()
                    self._replace_what_hangs()
            finally:
                self._listener.close()
                self._stop()

    def _start_what_is_due(self) -> None:
        now = time.monotonic()
        for number in [number for number, due in self._due.items() if due <= now]:
            del self._due[number]
            self._start(number)

    def _start(self, number: int) -> None:
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        handles = (self._listener.fileno(), theirs.fileno())
        with theirs:
            process = subprocess.Popen(  # noqa: S603 - the command is ours
                [*self._command, *map(str, handles)], pass_fds=handles, stdin=subprocess.DEVNULL
            )
        worker = Worker(number, process, ours)
        self._workers.append(worker)
        self._selector.register(ours, selectors.EVENT_READ, worker)

    def _wait(self, until: float | None) -> None:
        """Take beats for a moment, at most until something is due."""
        seconds = 0.5 if until is None else min(0.5, max(0.0, until - time.monotonic()))
        for key, _ in self._selector.select(seconds):
            if isinstance(key.data, Worker):
                self._listen_to(key.data)
            else:
                key.data()

    def _listen_to(self, worker: Worker) -> None:
        try:
            received = worker.line.recv(64)
        except OSError:
            received = b""
        if received:
            worker.beat = time.monotonic()
        else:  # it ends; _bury finds it
            self._selector.unregister(worker.line)
            worker.line.close()

    def _bury(self) -> None:
        """Forget the workers that ended, and set the time at which those that should not have are started anew."""
        for worker in [worker for worker in self._workers if worker.process.poll() is not None]:
            self._workers.remove(worker)
            self._let_go(worker)
            pause = self._pause_after(worker)
            self._due[worker.number] = time.monotonic() + pause
            log.error(
                "%s ended: %s; the next one starts in %g s",
                worker,
                _described(worker.process.returncode),
                pause,
            )
        for worker in [worker for worker in self._leaving if worker.process.poll() is not None]:
            self._leaving.remove(worker)
            self._let_go(worker)
        for worker in self._leaving:
            if worker.kill_at is not None and worker.kill_at < time.monotonic():
                log.error("%s does not stop; it is killed", worker)
                worker.process.kill()
                worker.kill_at = None

    def _pause_after(self, worker: Worker) -> float:
        times = self._times
        pause = self._pauses.get(worker.number, times.first_pause)
        if time.monotonic() - worker.born > times.settled:
            pause = times.first_pause
        self._pauses[worker.number] = min(2 * pause, times.longest_pause)
        return pause

    def _replace_what_hangs(self) -> None:
        for worker in [worker for worker in self._workers if worker.hangs(self._times)]:
            log.error("%s hangs; another one takes its place", worker)
            self._workers.remove(worker)
            self._leaving.append(worker)
            worker.tell_to_stop(self._times.stop)
            self._due[worker.number] = 0.0

    def _let_go(self, worker: Worker) -> None:
        if worker.line.fileno() >= 0:
            self._selector.unregister(worker.line)
            worker.line.close()

    def _stop(self) -> None:
        """Tell every worker to stop; kill at the end of the time, or when told a second time."""
        self._leaving += self._workers
        self._workers.clear()
        self._due.clear()
        for worker in self._leaving:
            worker.tell_to_stop(self._times.stop)
        while self._leaving:
            self._bury()
            if len(self._received) > 1:
                for worker in self._leaving:
                    worker.process.kill()
            self._wait(until=time.monotonic() + 0.05)
        self._selector.close()

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """Note signals, and wake the selector when one comes."""
        awake, waker = socket.socketpair()
        for end in (awake, waker):
            end.setblocking(False)
        self._selector.register(awake, selectors.EVENT_READ, lambda: awake.recv(64))
        before: dict[signal.Signals, Handler] = {}
        former = signal.set_wakeup_fd(waker.fileno())
        for stopping in STOPPING:
            if signal.getsignal(stopping) is not signal.SIG_IGN:
                before[stopping] = signal.signal(stopping, lambda number, _: self._received.append(number))
        try:
            yield
        finally:
            signal.set_wakeup_fd(former)
            for restored, handler in before.items():
                signal.signal(restored, handler)
            awake.close()
            waker.close()


def worker_command() -> list[str]:
    """Return what is run for a worker: this Python, which looks for no module in the folder it is started in."""
    return [sys.executable, "-P", "-m", "portula.cli.worker"]


def _described(status: int) -> str:
    if status >= 0:
        return f"exit status {status}"
    with suppress(ValueError):
        return f"killed by {signal.Signals(-status).name}"
    return f"killed by signal {-status}"
