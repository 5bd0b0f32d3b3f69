"""A limited number of places, each taken once, by however many workers at the same moment.

A place is an artifact whose primary key follows from its number, so that the store itself lets only one have it. It is
taken inside the transaction that it belongs to, and is free again when that rolls back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from portula.errors import DuplicateRecord
from portula.plugin import Artifact, unkeyed_digest

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
    return _taken(provider, places) >= places.limit


def _taken(provider: Provider, places: Places) -> int:
    return len(provider.storage.select(Artifact, limit=places.limit, family=places.family))


def claim(provider: Provider, places: Places, client_id: str) -> bool:
    """Take a place for a client; False when there is none."""
    for number in range(_taken(provider, places), places.limit):
        place = Artifact(
            digest=unkeyed_digest(f"{places.kind}\0{places.family}\0{number}"),
            kind=places.kind,
            payload={},
            issued_at=provider.now(),
            client_id=client_id,
            family=places.family,
            expires_at=places.expires_at,
        )
        try:
            provider.storage.add(place)
        except DuplicateRecord:
            continue
        return True
    return False
