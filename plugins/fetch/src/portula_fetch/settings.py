"""Settings of requests to other servers."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

from portula_fetch.addresses import AllowedAddresses


class FetchSettings(BaseModel):
    """Which servers may be asked, whose certificates count, and what a request may cost."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    FETCH_ALLOWED_PRIVATE_HOSTS: tuple[str, ...] = ()
    """Host names, addresses and networks (`10.1.0.0/16`) that may be asked although they are not public. A name is
    safer than a network: under a network, any name that anybody registers may point there."""

    FETCH_ALLOWED_PORTS: tuple[Annotated[int, Field(ge=1, le=65535)], ...] = ()
    """Ports that may be asked. Empty: 443, and all from 1024 on."""

    FETCH_CA_BUNDLE: str | None = None
    """PEM file with certificates of authorities that are trusted beside those of the system."""

    FETCH_TIMEOUT_SECONDS: float = Field(default=5, gt=0, le=60)
    """Seconds a request may take from the lookup of the name to the last byte. It waits as long for its turn."""

    FETCH_MAX_CONCURRENT: int = Field(default=10, ge=1, le=1000)
    """Requests that a process has under way at once, half of them to one server; further ones wait for their turn."""

    FETCH_FAILURE_BACKOFF_SECONDS: int = Field(default=10, ge=0, le=600)
    """Seconds for which a server that could not be reached, or a document that could not be used, is not asked again.
    They double with each further failure, up to ten minutes. 0 asks each time."""

    @field_validator("FETCH_ALLOWED_PRIVATE_HOSTS")
    @classmethod
    def _hosts(cls, entries: tuple[str, ...]) -> tuple[str, ...]:
        AllowedAddresses.of(entries)
        return entries

    @field_validator("FETCH_CA_BUNDLE")
    @classmethod
    def _certificates(cls, path: str | None) -> str | None:
        if path is not None:
            try:
                ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(Path(path))
            except OSError as error:
                reason = "it holds no PEM certificates" if isinstance(error, ssl.SSLError) else error.strerror
                raise ValueError(f"cannot be read: {reason}") from None
        return path
