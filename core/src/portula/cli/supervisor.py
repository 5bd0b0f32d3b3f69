"""The parent of the workers: starts them, starts them anew when they end or hang, and stops them in time."""

from __future__ import annotations

import logging
import os
import selectors
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from types import FrameType

log = logging.getLogger("portula")

Handler = Callable[[int, FrameType | None], object] | int | None

Serve = Callable[[socket.socket, socket.socket], object]
"""Serves in a process of its own until it is told to stop: is given the listener and its end of the lifeline."""

STANDARD_INPUT = 0

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


class Process:
    """A child of this process."""

    def __init__(self, pid: int) -> None:
        """Take its number."""
        self.pid = pid
        self._status: int | None = None

    def poll(self) -> int | None:
        """Return its exit status, negative the signal that killed it; None while it lives."""
        if self._status is None:
            try:
                pid, status = os.waitpid(self.pid, os.WNOHANG)
            except ChildProcessError:  # whoever started this process ignores SIGCHLD
                pid, status = self.pid, 0
            self._status = os.waitstatus_to_exitcode(status) if pid else None
        return self._status

    def send(self, number: signal.Signals) -> None:
        """Send it a signal, if it lives."""
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)


@dataclass(slots=True)
class Worker:
    """A worker process and this end of its lifeline."""

    number: int
    process: Process
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
        self.process.send(signal.SIGTERM)


class Supervisor:
    """Keeps a number of workers alive on one listening socket.

    They are forks of this process, so that what was imported and made before is there once, and at once. Of its threads
    there may be that of the log alone: no other would be in a fork, and what it holds would be held there for good.
    """

    def __init__(self, serve: Serve, listener: socket.socket, number: int, times: Times) -> None:
        """Take what a worker does."""
        self._serve = serve
        self._listener = listener
        self._times = times
        self._workers: list[Worker] = []
        self._leaving: list[Worker] = []
        self._due = dict.fromkeys(range(1, number + 1), 0.0)
        self._pauses: dict[int, float] = {}
        self._selector = selectors.DefaultSelector()
        self._received: list[int] = []
        self._pid = os.getpid()
        """0 in a worker."""
        self._handlers: dict[signal.Signals, Handler] = {}
        """Of the signals that this process takes, as they were."""

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
                if self._pid:  # a worker ends here too
                    self._listener.close()
                    self._stop()

    def _start_what_is_due(self) -> None:
        now = time.monotonic()
        for number in [number for number, due in self._due.items() if due <= now]:
            del self._due[number]
            self._start(number)

    def _start(self, number: int) -> None:
        """Fork; the fork serves, and ends as a program does. Where there can be none, try again after a while."""
        try:
            pid, line = self._fork()
        except OSError as error:
            if not self._pid:
                raise
            pause = self._pauses.get(number, self._times.first_pause)
            self._pauses[number] = min(2 * pause, self._times.longest_pause)
            self._due[number] = time.monotonic() + pause
            log.warning("worker %d cannot be started: %s; tried again in %g s", number, error.strerror, pause)
            return
        if not pid:
            nothing = os.open(os.devnull, os.O_RDONLY)
            os.dup2(nothing, STANDARD_INPUT)
            os.close(nothing)
            self._serve(self._listener, line)
            sys.exit()
        worker = Worker(number, Process(pid), line)
        self._workers.append(worker)
        self._selector.register(line, selectors.EVENT_READ, worker)

    def _fork(self) -> tuple[int, socket.socket]:
        """Return the process of the fork, 0 in there, and the end of the lifeline that is this process's."""
        ours, theirs = socket.socketpair()
        for stream in (sys.stdout, sys.stderr):
            stream.flush()  # else both would write what waits
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)  # none is lost between fork and handlers
        try:
            pid = os.fork()
            if not pid:
                self._pid = 0
                for other in (*self._workers, *self._leaving):
                    other.line.close()
                signal.set_wakeup_fd(-1)
                for stopping, handler in self._handlers.items():
                    signal.signal(stopping, handler)
                # A terminal sends this one to all; the parent takes it.
                signal.signal(signal.SIGINT, signal.SIG_IGN)
        except BaseException:
            ours.close()
            theirs.close()
            raise
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        line, other_end = (ours, theirs) if pid else (theirs, ours)
        other_end.close()
        line.setblocking(not pid)
        return pid, line

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
                _describe_exit(worker.process.poll() or 0),
                pause,
            )
        for worker in [worker for worker in self._leaving if worker.process.poll() is not None]:
            self._leaving.remove(worker)
            self._let_go(worker)
        for worker in self._leaving:
            if worker.kill_at is not None and worker.kill_at < time.monotonic():
                log.error("%s does not stop; it is killed", worker)
                worker.process.send(signal.SIGKILL)
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
                    worker.process.send(signal.SIGKILL)
            self._wait(until=time.monotonic() + 0.05)
        self._selector.close()

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """Note signals, and wake the selector when one comes."""
        awake, waker = socket.socketpair()
        for end in (awake, waker):
            end.setblocking(False)
        self._selector.register(awake, selectors.EVENT_READ, lambda: awake.recv(64))
        former = signal.set_wakeup_fd(waker.fileno())
        for stopping in STOPPING:
            if signal.getsignal(stopping) is not signal.SIG_IGN:
                self._handlers[stopping] = signal.signal(
                    stopping, lambda number, _: self._received.append(number)
                )
        try:
            yield
        finally:
            signal.set_wakeup_fd(former)
            for restored, handler in self._handlers.items():
                signal.signal(restored, handler)
            awake.close()
            waker.close()


def _describe_exit(status: int) -> str:
    if status >= 0:
        return f"exit status {status}"
    with suppress(ValueError):
        return f"killed by {signal.Signals(-status).name}"
    return f"killed by signal {-status}"
