"""A limited number of places, each taken once, by however many workers at the same moment.

A place is an artifact whose primary key follows from its number, so that the store itself lets only one have it; one
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
"""Places that are looked at: where there are more, a few are left when somebody is refused."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where places are taken."""

    provider: AuthorizationServer
    kind: str
    """Of the artifacts that stand for those that are taken."""
    name: str
    """Whose places they are."""
    limit: int

    def take(self, plan: Plan, seconds: int) -> str | None:
        """Plan to take a place for so long, and return its digest; None when none is left.

        The plan fails with Conflict or DuplicateRecord when somebody else takes the same place.
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
        """Return the seconds until the first place is free again."""
        ends = [taken.expires_at or 0 for taken in self._find_taken(self._digests()).values()]
        return max(min(ends, default=0) - self.provider.now(), 1)

    def _digests(self) -> list[str]:
        start = secrets.randbelow(self.limit)
        numbers = [(start + step) % self.limit for step in range(min(self.limit, PROBES))]
        return [self.provider.keys.digest(self.kind, f"{self.name}\0{number}") for number in numbers]

    def _find_taken(self, digests: list[str]) -> dict[str, Artifact]:
        found = self.provider.storage.select(Artifact, limit=len(digests), digest=tuple(digests))
        return {place.digest: place for place in found}


def take_places(
    provider: AuthorizationServer, places: Sequence[Places], seconds: int, full: str
) -> list[str]:
    """Take a place of each at once, for so many seconds, and return what stands for them.

    So an attempt is counted before it is judged, and uncounted where these artifacts are removed: any number of
    attempts at one moment, in any number of processes, cannot pass together.

    Raises:
        RetryLater: none is left of one; `full` says so.
    """
    for _ in range(TRIES):
        plan, taken = Plan(), []
        for counter in places:
            place = counter.take(plan, seconds)
            if place is None:
                raise RetryLater(full, counter.wait(), status=429)
            taken.append(place)
        try:
            provider.storage.apply(plan)
        except (Conflict, DuplicateRecord):
            continue  # another attempt at this moment took the same place
        return taken
    raise RetryLater(full, 1, status=429)
