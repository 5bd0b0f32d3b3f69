"""Settings of the cleaning."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class CleanupSettings(BaseModel):
    """How much `portula cleartokens` deletes at a time, and how long it rests in between."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    CLEAR_EXPIRED_TOKENS_BATCH_SIZE: int = Field(default=10_000, ge=1, le=10_000_000)
    """Records of one kind to delete before resting. A store may divide a batch further, so that it locks few rows at a
    time; unlike in django-oauth-toolkit no COUNT goes before a batch."""

    CLEAR_EXPIRED_TOKENS_BATCH_INTERVAL: float = Field(default=0, ge=0, le=3600)
    """Seconds to rest between two batches, for the sake of other work on the database. None follows the last one."""
