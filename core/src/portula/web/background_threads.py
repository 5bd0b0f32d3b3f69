"""Threads of a serving process beside its requests: deliveries, and tasks after every so many plans."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

from flask import has_request_context

from portula.model.failures import log_failure
from portula.model.requests import current_request
from portula.web.delivery_threads import deliver_in_background
from portula.web.hooks import WebHooks

if TYPE_CHECKING:
    from portula.model.plans import Plan
    from portula.web.background import BackgroundTask
    from portula.web.provider import Provider


class _Runner:
    """Counts plans for one task. Safe to take along through a fork."""

    def __init__(self, provider: Provider, task: BackgroundTask) -> None:
        """Take the task; nothing is started yet."""
        self._provider = provider
        self._task = task
        self._begin()

    def _begin(self) -> None:
        """Begin to count: the thread that another process had at a fork is not ours."""
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._plans = 0
        self._is_running = False

    def count(self) -> None:
        """Count a plan, and start a thread when it is time and none runs."""
        if self._pid != os.getpid():
            self._begin()
        with self._lock:
            self._plans += 1
            if self._is_running or self._plans < self._task.every:
                return
            self._plans, self._is_running = 0, True
        try:
            threading.Thread(target=self._run, name="portula background", daemon=True).start()
        except RuntimeError as failure:  # the system has no more threads, and the plan is applied
            self._is_running = False
            log_failure(failure, "%s failed", self._task.what)

    def _run(self) -> None:
        try:
            with self._provider.app.app_context():
                self._task.run()
        except Exception as failure:  # noqa: BLE001 - it is logged, and nobody waits for it
            log_failure(failure, "%s failed", self._task.what)
        finally:
            self._is_running = False


def work_in_background(provider: Provider) -> None:
    """Let deliveries and tasks hear of the plans that requests apply; a command ends before a thread of its would."""
    deliver_in_background(provider)
    tasks = provider.hooks.collect(WebHooks.portula_background_tasks)
    runners = [_Runner(provider, task) for task in tasks if task.every > 0]

    def after_plan(_: Plan) -> None:
        if has_request_context() or current_request() is not None:
            for runner in runners:
                runner.count()

    if runners:
        provider.storage.on_applied.append(after_plan)
