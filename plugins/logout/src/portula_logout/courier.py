"""Delivers logout tokens behind people's backs: threads of this process, which end when nothing is left to do."""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING

from portula.plugin import log_failure
from portula_logout.hooks import Courier, LogoutHooks
from portula_logout.outbox import Outbox, Tally
from portula_logout.settings import LogoutSettings

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import AuthorizationServer

LOOK_SECONDS = 60
"""How often a process that serves pages looks for what another one left."""

MIN_SLEEP_SECONDS = 1
MAX_SLEEP_SECONDS = 60
"""The longest that a thread sleeps: it then sees what other processes left in the meantime."""


class Threads(Courier):
    """Threads that start when there is something to do. Safe to take along through a fork."""

    def __init__(self, provider: Provider) -> None:
        """Take the provider; nothing is started yet."""
        self._provider = provider
        self._limit = provider.settings(LogoutSettings).OIDC_BACKCHANNEL_LOGOUT_THREADS
        self._outbox = Outbox(provider)
        self._begin()

    def _begin(self) -> None:
        """Begin with no threads: what another process had at a fork, locks among it, is not ours."""
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._woken = threading.Condition(self._lock)
        self._running = 0
        self._calls = 0
        self._look_at = 0.0

    def _here(self) -> None:
        if self._pid != os.getpid():
            self._begin()

    def wake(self, waiting: int) -> None:
        """Start as many threads as are needed and allowed, and wake the one that waits for a later attempt."""
        self._here()
        with self._lock:
            self._calls += 1
            self._woken.notify_all()
            for _ in range(min(waiting, self._limit) - self._running):
                self._running += 1
                threading.Thread(target=self._run, name="portula logout", daemon=True).start()

    def look(self) -> None:
        """Look for what a process left that was killed, and at the first request of a new one."""
        self._here()
        if not self._limit or time.monotonic() < self._look_at:
            return
        self._look_at = time.monotonic() + LOOK_SECONDS
        try:
            if self._outbox.due():
                self.wake(1)
        except Exception as failure:  # noqa: BLE001 - it is logged
            log_failure(failure, "looking for logout tokens failed")

    def _run(self) -> None:
        with self._provider.app.app_context():
            while self._pass():
                pass

    def _pass(self) -> bool:
        """Deliver what is due; False when this thread has nothing left to do. Of several, one waits for what is not."""
        with self._lock:
            calls = self._calls
        try:
            tally = self._outbox.deliver()
        except Exception as failure:  # noqa: BLE001 - it is logged
            log_failure(failure, "delivering logout tokens stopped; it goes on with a later request")
            tally = Tally()
        with self._lock:
            if calls != self._calls:
                return True
            if tally.next_at is None or self._running > 1:
                self._running -= 1
                return False
            pause = max(tally.next_at - self._provider.now(), MIN_SLEEP_SECONDS)
            self._woken.wait(min(pause, MAX_SLEEP_SECONDS))
        return True


def courier_of(provider: AuthorizationServer) -> Courier | None:
    """Return what answers the slot of this room; None when nobody delivers."""
    return provider.hooks.ruling(LogoutHooks.portula_logout_courier).answer
