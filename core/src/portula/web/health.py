"""The endpoints `healthz` and `readyz`, for supervisors and load balancers."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from portula.flow.endpoints import Endpoint
from portula.host.declarations import HostHooks
from portula.model.failures import RETRY_AFTER_SECONDS, log_failure
from portula.model.http import Answer, Message, json_answer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from portula.web.provider import Provider

HELD_SECONDS = 1.0
"""Seconds for which an outcome is answered again, so that frequent requests do not all ask the storage."""

ALIVE = {"status": "ok"}


class Readiness:
    """Answers `readyz`."""

    def __init__(self, checks: Mapping[str, Callable[[], object]]) -> None:
        """Take the checks: each raises when it fails."""
        self._checks = checks
        self._checking = threading.Lock()
        self._held: tuple[float, dict[str, str]] | None = None

    def answer(self, message: Message) -> Answer:
        """Return 200 when all is well, else 503; the answer says what failed, and the log why."""
        outcomes = self._outcomes()
        failed = "failed" in outcomes.values()
        described = {"status": "unavailable" if failed else "ok", "checks": outcomes}
        return json_answer(503 if failed else 200, described, _later() if failed else {})

    def _outcomes(self) -> dict[str, str]:
        held = self._held
        if not self._checking.acquire(blocking=held is None) and held is not None:
            return held[1]  # another thread asks already, and may have to wait
        try:
            held = self._held
            if held is None or time.monotonic() - held[0] > HELD_SECONDS:
                before = held[1] if held is not None else {}
                found = {
                    name: _outcome(name, check, before.get(name)) for name, check in self._checks.items()
                }
                held = self._held = (time.monotonic(), found)
            return held[1]
        finally:
            self._checking.release()


def _outcome(name: str, check: Callable[[], object], before: str | None) -> str:
    try:
        check()
    except Exception as failure:  # noqa: BLE001 - whatever it is, it is not ready
        if before != "failed":
            log_failure(failure, "not ready: %s", name)
        return "failed"
    return "ok"


def _later() -> dict[str, str]:
    return {"Retry-After": str(RETRY_AFTER_SECONDS)}


def health_endpoints(provider: Provider) -> list[Endpoint]:
    """Return `healthz` and `readyz` below HEALTH_PATH; nothing when it is None."""
    path = provider.core_settings.HEALTH_PATH
    if path is None:
        return []
    readiness = Readiness(provider.hooks.collect(HostHooks.portula_readiness))
    return [
        Endpoint("healthz", f"{path}/healthz", ("GET",), lambda _: json_answer(200, ALIVE), in_memory=True),
        Endpoint("readyz", f"{path}/readyz", ("GET",), readiness.answer),
    ]
