"""Deleting beside requests: one kind of record a turn, and few of it."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from portula_cleanup.settings import CleanupSettings
from portula_cleanup.sweep import Batch, kinds_of

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import RecordType


class Turns:
    """Goes round the kinds of records. Those of which more is left than a turn may delete get every second turn.

    Turns of several processes at once are several batches of `portula cleartokens`: what one deleted is gone for the
    other.
    """

    def __init__(self, provider: Provider) -> None:
        """Begin with the first kind."""
        self._provider = provider
        self._size = provider.settings(CleanupSettings).CLEAR_EXPIRED_TOKENS_AFTER_WRITES_SIZE
        self._all = deque(kinds_of(provider))
        self._behind: deque[RecordType] = deque()
        self._is_catching_up = False

    def take(self) -> Batch | None:
        """Delete up to CLEAR_EXPIRED_TOKENS_AFTER_WRITES_SIZE expired records of one kind; None without kinds."""
        self._is_catching_up = bool(self._behind) and not self._is_catching_up
        line = self._behind if self._is_catching_up else self._all
        if not line:
            return None
        kind = line[0]
        line.rotate(-1)  # before anything fails: a kind that cannot be deleted holds up no other
        deleted = self._provider.storage.purge(kind.cls, now=self._provider.now(), limit=self._size)
        if deleted < self._size and kind in self._behind:
            self._behind.remove(kind)
        elif deleted == self._size and kind not in self._behind:
            self._behind.append(kind)
        return Batch(kind.name, deleted)
