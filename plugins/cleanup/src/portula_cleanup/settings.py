"""Settings of the cleaning."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class CleanupSettings(BaseModel):
    """How much is deleted at a time: by `portula cleartokens`, which rests in between, and beside requests."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    CLEAR_EXPIRED_TOKENS_BATCH_SIZE: int = Field(default=10_000, ge=1, le=10_000_000)
    """Records of one kind to delete before resting. A store may divide a batch further, so that it locks few rows at a
    time; unlike in django-oauth-toolkit no COUNT goes before a batch."""

    CLEAR_EXPIRED_TOKENS_BATCH_INTERVAL: float = Field(default=0, ge=0, le=3600)
    """Seconds to rest between two batches, for the sake of other work on the database. None follows the last one."""

    CLEAR_EXPIRED_TOKENS_AFTER_WRITES: int = Field(default=50, ge=0, le=1_000_000)
    """A process that serves deletes some of what has expired each time that requests have written so often.

    It does so beside them, in a thread of its own. 0 for never: then run `portula cleartokens`.
    """

    CLEAR_EXPIRED_TOKENS_AFTER_WRITES_SIZE: int = Field(default=200, ge=1, le=10_000)
    """Records of one kind to delete then, at most.

    Several times CLEAR_EXPIRED_TOKENS_AFTER_WRITES suit: a request writes more than one record, and kinds take turns.
    """
