"""Settings of token introspection."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class IntrospectionSettings(BaseModel):
    """Who may see which token."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    INTROSPECTION_SAME_CLIENT_ONLY: bool = False
    """Whether a token without an audience is shown only to the client it was issued to (RFC 7662 §4). A token with
    an audience is shown to that audience alone in either case, a refresh token to its client alone. A client that
    registered itself sees no other tokens than its own, unless an operator gave it the scope `introspection`."""
