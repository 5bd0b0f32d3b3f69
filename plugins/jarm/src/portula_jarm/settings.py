"""Settings of authorization responses as JWTs."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class JarmSettings(BaseModel):
    """How long a response counts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    JARM_LIFETIME_SECONDS: int = Field(default=120, ge=10, le=600)
    """How long a signed authorization response counts, its `exp`; JARM §2.1 recommends ten minutes at most."""
