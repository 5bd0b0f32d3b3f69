"""Quotas: a limited number of units, each taken once, by however many workers at the same moment.

A unit is an artifact whose primary key follows from its number, so that the store itself lets only one have it; one
whose time is over is taken anew.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from portula.flow.responses import RetryLater
from portula.model.errors import Conflict, DuplicateRecord
from portula.model.plans import Plan
from portula.model.records import Artifact

if TYPE_CHECKING:
    from portula.flow.authorization_server import AuthorizationServer

TRIES = 20

PROBES = 64
"""Units that are looked at: where there are more, a few are left when somebody is refused."""


@dataclass(frozen=True, slots=True)
class Quota:
    """So many units, under one name."""

    provider: AuthorizationServer
    kind: str
    """Of the artifacts that stand for units that are taken."""
    name: str
    """Whose units they are."""
    limit: int

    def take(self, plan: Plan, seconds: int) -> str | None:
        """Plan to take a unit for so long, and return its digest; None when none is left.

        The plan fails with Conflict or DuplicateRecord when somebody else takes the same unit.
        """
        now, digests = self.provider.now(), self._digests()
        known, until = self._find_taken(digests), now + seconds
        for digest in digests:
            taken = known.get(digest)
            if taken is None:
                plan.add(Artifact(digest=digest, kind=self.kind, payload={}, issued_at=now, expires_at=until))
            elif (taken.expires_at or 0) <= now:
                given = {"version": taken.version}
                plan.change(taken, given=given, version=taken.version + 1, issued_at=now, expires_at=until)
            else:
                continue
            return digest
        return None

    def wait(self) -> int:
        """Return the seconds until the first unit is free again."""
        ends = [taken.expires_at or 0 for taken in self._find_taken(self._digests()).values()]
        return max(min(ends, default=0) - self.provider.now(), 1)

    def _digests(self) -> list[str]:
        start = secrets.randbelow(self.limit)
        numbers = [(start + step) % self.limit for step in range(min(self.limit, PROBES))]
        return [self.provider.keys.digest(self.kind, f"{self.name}\0{number}") for number in numbers]

    def _find_taken(self, digests: list[str]) -> dict[str, Artifact]:
        found = self.provider.storage.select(Artifact, limit=len(digests), digest=tuple(digests))
        return {unit.digest: unit for unit in found}


def take_quotas(provider: AuthorizationServer, quotas: Sequence[Quota], seconds: int, full: str) -> list[str]:
    """Take a unit of each quota at once, for so many seconds, and return what stands for them.

    So an attempt is counted before it is judged, and uncounted where these artifacts are removed: any number of
    attempts at one moment, in any number of processes, cannot pass together.

    Raises:
        RetryLater: none is left of one; `full` says so.
    """
    for _ in range(TRIES):
        plan, taken = Plan(), []
        for quota in quotas:
            unit = quota.take(plan, seconds)
            if unit is None:
                raise RetryLater(full, quota.wait(), status=429)
            taken.append(unit)
        try:
            provider.storage.apply(plan)
        except (Conflict, DuplicateRecord):
            continue  # another attempt at this moment took the same unit
        return taken
    raise RetryLater(full, 1, status=429)
