"""Deleting batch by batch: the loop without its command line.

Every batch stands for itself, so a run may be killed at any moment, and several may go on at once: what one of them
deleted is simply no more there for the other.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from portula_cleanup.settings import CleanupSettings

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import RecordType


@dataclass(frozen=True, slots=True)
class Batch:
    """What one step of a sweep did."""

    kind: str
    """Name of the record type."""
    deleted: int


class Sweep:
    """One run over all records of a provider that had expired when it began."""

    def __init__(self, provider: Provider, *, time_limit: float | None = None) -> None:
        """Note the time.

        Args:
            provider: whose records.
            time_limit: seconds after which no further batch is begun; None for no limit.
        """
        settings = provider.settings(CleanupSettings)
        self.kinds = kinds_of(provider)
        self.complete = False
        """Whether nothing is left that had expired when the run began."""
        self._storage = provider.storage
        self._now = provider.now()
        self._size = settings.CLEAR_EXPIRED_TOKENS_BATCH_SIZE
        self._rest = settings.CLEAR_EXPIRED_TOKENS_BATCH_INTERVAL
        self._deadline = None if time_limit is None else time.monotonic() + time_limit

    def run(self) -> Iterator[Batch]:
        """Delete, and tell of each batch; the last of a kind may be empty."""
        tired = False
        for kind in self.kinds:
            deleted = self._size
            while deleted == self._size:
                more = tired and self._rest and self._storage.count_expired(kind.cls, now=self._now, limit=1)
                rest = self._rest if more else 0
                if self._deadline is not None and time.monotonic() + rest >= self._deadline:
                    return
                if rest:
                    time.sleep(rest)
                deleted = self._storage.purge(kind.cls, now=self._now, limit=self._size)
                tired = deleted > 0 or (tired and not rest)
                yield Batch(kind.name, deleted)
        self.complete = True

    def look(self) -> Iterator[Batch]:
        """Tell of each kind how much a run would delete, counting to the size of one batch and no further."""
        for kind in self.kinds:
            yield Batch(kind.name, self._storage.count_expired(kind.cls, now=self._now, limit=self._size))
        self.complete = True

    @property
    def batch_size(self) -> int:
        """CLEAR_EXPIRED_TOKENS_BATCH_SIZE."""
        return self._size


def kinds_of(provider: Provider) -> list[RecordType]:
    """Return the record types of core and of every plugin that expire and are kept here."""
    return [record for record in provider.records if record.expires and provider.storage.keeps(record.cls)]
