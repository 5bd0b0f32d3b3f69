"""The limits on wrong hints and codes: an attempt is written down before it is judged."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from portula.plugin import Artifact, Plan, take_quotas

if TYPE_CHECKING:
    from portula.plugin import AuthorizationServer, Quota

ATTEMPT = "backchannel authentication attempt"
WINDOW_SECONDS = 600
"""For which a wrong attempt counts."""
JUDGED_WITHIN_SECONDS = 30
"""For which one counts that is being judged, if whoever judges it dies."""


@dataclass
class Attempt:
    """What came of it."""

    wrong: bool = False


@contextmanager
def attempt(provider: AuthorizationServer, quota: Quota, full: str) -> Iterator[Attempt]:
    """Count an attempt while it is judged, and afterwards if it was wrong; one that could not be judged does not count.

    Raises:
        RetryLater: too many were wrong, or are being judged; `full` says so.
    """
    taken, judged = take_quotas(provider, [quota], JUDGED_WITHIN_SECONDS, full), Attempt()
    try:
        yield judged
    finally:
        plan = Plan()
        if judged.wrong:
            plan.change_all(Artifact, {"digest": taken[0]}, expires_at=provider.now() + WINDOW_SECONDS)
        else:
            plan.remove(Artifact, digest=tuple(taken))
        provider.storage.apply(plan)
