"""A limited number of places, each taken once, by however many workers at the same moment.

A place is an artifact whose primary key follows from its number, so that the store itself lets only one have it. It is
taken by the plan that makes the client, or not at all.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from portula.plugin import Artifact, Plan, unkeyed_digest

if TYPE_CHECKING:
    from portula import Provider


@dataclass(frozen=True, slots=True)
class Places:
    """Where places are taken."""

    kind: str
    """Of the artifacts that stand for those that are taken."""
    family: str
    """What they have in common: a digest."""
    limit: int
    expires_at: int | None = None
    """When all of them are free again, Unix seconds."""


def is_full(provider: Provider, places: Places) -> bool:
    """Say whether no place is left at this moment."""
    return len(_taken_digests(provider, places)) >= places.limit


def claim(provider: Provider, places: Places, client_id: str, plan: Plan) -> bool:
    """Plan to take a place for a client; False when none is left.

    The plan fails with DuplicateRecord when somebody else takes the same place. It is the first free one behind a
    random number, so that of many at one moment few meet.
    """
    taken, start = _taken_digests(provider, places), secrets.randbelow(places.limit)
    numbers = [*range(start, places.limit), *range(start)] if len(taken) < places.limit else []
    for digest in (_digest(places, number) for number in numbers):
        if digest not in taken:
            plan.add(
                Artifact(
                    digest=digest,
                    kind=places.kind,
                    payload={},
                    issued_at=provider.now(),
                    client_id=client_id,
                    family=places.family,
                    expires_at=places.expires_at,
                )
            )
            return True
    return False


def _taken_digests(provider: Provider, places: Places) -> set[str]:
    found = provider.storage.select(Artifact, limit=places.limit, family=places.family)
    return {place.digest for place in found}


def _digest(places: Places, number: int) -> str:
    return unkeyed_digest(f"{places.kind}\0{places.family}\0{number}")
