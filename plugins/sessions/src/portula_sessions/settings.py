"""Settings of login sessions."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class SessionSettings(BaseModel):
    """How long a person stays signed in."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    SESSION_LIFETIME_SECONDS: int = Field(default=12 * 3600, ge=60, le=400 * 24 * 3600)
    """Seconds after signing in when a session ends, whatever happens."""

    SESSION_IDLE_SECONDS: int = Field(default=2 * 3600, ge=60, le=400 * 24 * 3600)
    """Seconds without a visit after which a session ends; it is noted once a minute that it is in use."""

    SESSION_COOKIE_PERSISTENT: bool = False
    """Whether the cookie outlives the browser's own session, up to SESSION_LIFETIME_SECONDS."""
