"""Settings of pushed authorization requests."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class ParSettings(BaseModel):
    """Whether requests can be pushed, whether they have to be, and how long they serve."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    PAR_ENABLED: bool = True
    """Whether authorization requests can be pushed (RFC 9126)."""

    PAR_REQUEST_URI_LIFETIME_SECONDS: int = Field(default=60, ge=5, le=600)
    """How long the browser may take to bring the `request_uri` (RFC 9126 §2.2). A person who then takes longer to sign
    in or to decide loses nothing."""

    REQUIRE_PUSHED_AUTHORIZATION_REQUESTS: bool = False
    """Whether all requests have to be pushed (RFC 9126 §5). A single client is held to that by its metadata
    `require_pushed_authorization_requests`."""

    PAR_REDIRECT_URI_REQUIRED: bool = False
    """Whether a pushed request has to say its redirect URI, also where the client has only one (FAPI 2.0 Security
    Profile §5.3.2.2)."""

    PAR_ALLOW_UNREGISTERED_REDIRECT_URIS: bool = False
    """Whether a confidential client may push a redirect URI that it is not registered with (RFC 9126 §2.4); all other
    rules on redirect URIs hold."""

    @model_validator(mode="after")
    def _can_be_required(self) -> Self:
        if self.REQUIRE_PUSHED_AUTHORIZATION_REQUESTS and not self.PAR_ENABLED:
            raise ValueError("REQUIRE_PUSHED_AUTHORIZATION_REQUESTS needs PAR_ENABLED")
        return self
