"""Settings of introspection answers as JWTs."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class JwtIntrospectionSettings(BaseModel):
    """Who is answered by a JWT."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    JWT_INTROSPECTION_REQUIRED: bool = False
    """Whether every question about a token is answered by a JWT, whatever the request accepts. Otherwise a request
    asks for one, and a client is held to it that is registered with an algorithm for these answers (RFC 9701 §6)."""
