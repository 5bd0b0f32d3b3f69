"""Counters of clients with a limit, however many workers count at the same moment.

What is counted is an artifact whose primary key follows from its number, so that the store itself lets only one client
have it. It is written by the plan that makes the client, or not at all.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from portula.plugin import Artifact, Plan, unkeyed_digest

if TYPE_CHECKING:
    from portula import Provider


@dataclass(frozen=True, slots=True)
class Counter:
    """What is counted together, and how far."""

    kind: str
    """Of the artifacts that stand for what is counted."""
    family: str
    """What they have in common: a digest."""
    limit: int
    expires_at: int | None = None
    """When it begins at nought again, Unix seconds."""


def is_full(provider: Provider, counter: Counter) -> bool:
    """Say whether the limit is reached at this moment."""
    return len(_taken_digests(provider, counter)) >= counter.limit


def count_client(provider: Provider, counter: Counter, client_id: str, plan: Plan) -> bool:
    """Plan to count a client; False when the limit is reached.

    The plan fails with DuplicateRecord when somebody else takes the same number. It is the first free one behind a
    random one, so that of many at one moment few meet.
    """
    taken, start = _taken_digests(provider, counter), secrets.randbelow(counter.limit)
    numbers = [*range(start, counter.limit), *range(start)] if len(taken) < counter.limit else []
    for digest in (_digest(counter, number) for number in numbers):
        if digest not in taken:
            plan.add(
                Artifact(
                    digest=digest,
                    kind=counter.kind,
                    payload={},
                    issued_at=provider.now(),
                    client_id=client_id,
                    family=counter.family,
                    expires_at=counter.expires_at,
                )
            )
            return True
    return False


def _taken_digests(provider: Provider, counter: Counter) -> set[str]:
    found = provider.storage.select(Artifact, limit=counter.limit, family=counter.family)
    return {artifact.digest for artifact in found}


def _digest(counter: Counter, number: int) -> str:
    return unkeyed_digest(f"{counter.kind}\0{counter.family}\0{number}")
