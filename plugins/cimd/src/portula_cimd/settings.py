"""Settings of clients that are known by a document."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ImportString, StringConstraints, model_validator

from portula.plugin import FetchResponse

HostName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9.-]+$|^\[[0-9a-f:.]+\]$")]


class CimdSettings(BaseModel):
    """Whether a URL may be a client_id, of which hosts, and for how long its document counts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    CIMD_ENABLED: bool = False
    """Whether a client_id may be the URL of a document that describes the client."""

    CIMD_ALLOWED_HOSTS: tuple[HostName, ...] = ()
    """Hosts whose documents count, lower case, without port. Empty: all. django-oauth-toolkit reads it in one of its
    permission classes alone."""

    CIMD_REGISTRATION_PERMISSION_CLASSES: tuple[ImportString[Callable[[], Any]], ...] = ()
    """Classes, or their dotted names, whose `has_permission(client_id, document)` has to answer True of a document."""

    CIMD_METADATA_FETCHER: ImportString[Callable[[str], FetchResponse]] | None = None
    """Callable that fetches a URL in place of the slot `fetcher`, or its dotted name; it raises FetchFailed."""

    CIMD_MAX_DOCUMENT_SIZE: int = Field(default=16384, ge=1024, le=65536)
    """Bytes a document may have."""

    CIMD_METADATA_MIN_AGE_SECONDS: int = Field(default=300, ge=1)
    """Seconds for which a document is not fetched again, whatever its `Cache-Control` says."""

    CIMD_METADATA_MAX_AGE_SECONDS: int = Field(default=86400, ge=1, le=604800)
    """Seconds after which it is, at the latest; while it cannot be fetched, the last good one counts that long."""

    CIMD_FAILURE_BACKOFF_SECONDS: int = Field(default=60, ge=1, le=3600)
    """Seconds for which a URL is not fetched again after that failed, or gave no document that counts."""

    CIMD_MAX_CONCURRENT_FETCHES: int = Field(default=10, ge=1, le=100)
    """Documents that a process fetches at once; a client that would be one more is unknown at that moment."""

    CIMD_ALLOW_LOOPBACK: bool = False
    """Whether an http URL on loopback may be a client_id, for development; FETCH_ALLOWED_PRIVATE_HOSTS has to allow it
    too, and a fetcher that speaks http."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.CIMD_METADATA_MIN_AGE_SECONDS > self.CIMD_METADATA_MAX_AGE_SECONDS:
            raise ValueError("CIMD_METADATA_MIN_AGE_SECONDS is more than CIMD_METADATA_MAX_AGE_SECONDS")
        return self
