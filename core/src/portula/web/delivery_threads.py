"""Delivers in threads of this process, which end when nothing is left to do."""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING

from flask import has_request_context, request
from typing_extensions import override

from portula.flow.deliveries import DeliveryWorker, Tally
from portula.flow.delivery_hooks import DeliveryHooks
from portula.flow.service_hooks import ServiceHooks
from portula.model.failures import log_failure
from portula.model.requests import current_request

if TYPE_CHECKING:
    from portula.model.plans import Plan
    from portula.web.provider import Provider

LOOK_SECONDS = 60
"""How often a process that serves looks for what another one left."""

MIN_SLEEP_SECONDS = 1
MAX_SLEEP_SECONDS = 60
"""The longest that a thread sleeps: it then sees what other processes left in the meantime."""


class DeliveryThreads(DeliveryWorker):
    """Threads that start when there is something to do. Safe to take along through a fork."""

    def __init__(self, provider: Provider) -> None:
        """Take the provider; nothing is started yet."""
        self._provider = provider
        self._limit = provider.core_settings.DELIVERY_THREADS
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

    @override
    def wake(self, added: int) -> None:
        """Start as many threads as are needed and allowed, and wake the one that waits for a later attempt.

        Those that run may all wait for an answer, so they do not count as free.
        """
        self._here()
        with self._lock:
            self._calls += 1
            self._woken.notify_all()
            for _ in range(min(added, self._limit - self._running)):
                thread = threading.Thread(target=self._run, name="portula deliveries", daemon=True)
                thread.start()  # may fail: the system has no more threads
                self._running += 1

    @override
    def look(self) -> None:
        """Look for what a process left that was killed, and at the first request of a new one."""
        self._here()
        if not self._limit or time.monotonic() < self._look_at:
            return
        self._look_at = time.monotonic() + LOOK_SECONDS
        try:
            if self._provider.deliveries.due():
                self.wake(1)
        except Exception as failure:  # noqa: BLE001 - it is logged, and the request has been answered
            log_failure(failure, "looking for deliveries failed")

    def _run(self) -> None:
        with self._provider.app.app_context():
            while self._pass():
                pass

    def _pass(self) -> bool:
        """Deliver what is due; False when this thread has nothing left to do. Of several, one waits for what is not."""
        with self._lock:
            calls = self._calls
        try:
            tally = self._provider.deliveries.deliver()
        except BaseException as failure:  # noqa: BLE001 - it is logged, and the thread is counted no longer
            log_failure(failure, "delivering stopped; it goes on with a later request")
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


def deliver_in_background(provider: Provider) -> None:
    """Let the worker hear of each plan that writes deliveries down, and look for what is left, after requests.

    Raises:
        EmptySlot: there is something to deliver, and nobody who asks other servers.
    """
    deliveries = provider.deliveries
    if not deliveries.kinds:
        return
    _ = provider.hooks.ask(ServiceHooks.portula_fetcher)
    worker = provider.hooks.ruling(DeliveryHooks.portula_delivery_worker).answer or DeliveryThreads(provider)

    def after_plan(plan: Plan) -> None:
        # Outside of a request this is a command, which ends before its threads would: a process that serves does it.
        if not has_request_context() and current_request() is None:
            return
        try:
            added = deliveries.in_plan(plan)
            if added:
                worker.wake(added)
        except Exception as failure:  # noqa: BLE001 - it is logged, and what was asked for is done
            log_failure(failure, "waking the delivery worker failed")

    def look(_: BaseException | None = None) -> None:
        if has_request_context() and (request.endpoint or "").endswith(".static"):
            return  # a file is answered although the storage hangs
        try:
            worker.look()
        except Exception as failure:  # noqa: BLE001 - it is logged, and the request has been answered
            log_failure(failure, "looking for deliveries failed")

    provider.delivery_worker = worker
    provider.storage.on_applied.append(after_plan)
    provider.app.teardown_request(look)
    provider.machine_endpoints.on_answered = look
