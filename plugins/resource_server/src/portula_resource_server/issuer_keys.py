"""Where an issuer publishes its keys: as the settings say, or its metadata (RFC 8414 §3)."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from portula.errors import FetchFailed
from portula.plugin import read_object
from portula_resource_server.tokens import VerifierUnavailable

if TYPE_CHECKING:
    from portula.plugin import Fetcher
    from portula_resource_server.settings import ResourceServerSettings

log = logging.getLogger("portula")

METADATA_SECONDS = 3600
"""How long the metadata is believed."""
RETRY_SECONDS = 10
"""Seconds between two attempts to read it, however many tokens come."""


class IssuerKeys:
    """Knows the address of the keys. Safe to share between threads."""

    def __init__(self, settings: ResourceServerSettings, fetcher: Fetcher, now: Callable[[], int]) -> None:
        """Take the settings, what asks other servers, and the clock (Unix seconds)."""
        self._issuer, self._url = settings.RESOURCE_SERVER_ISSUER or "", settings.RESOURCE_SERVER_JWKS_URL
        self._discovered = self._url is None
        self._fetcher, self._now = fetcher, now
        self._lock = threading.Lock()
        self._asks_at = 0

    def url(self) -> str:
        """Return the address. One that was found goes on while the metadata cannot be read again.

        Raises:
            VerifierUnavailable: it is not known, and the issuer does not tell it now.
        """
        with self._lock:
            if self._discovered and self._now() >= self._asks_at:
                found = self._found()
                self._asks_at = self._now() + (RETRY_SECONDS if found is None else METADATA_SECONDS)
                self._url = found or self._url
            if self._url is None:
                wait = max(self._asks_at - self._now(), 1)
                raise VerifierUnavailable(f"the metadata of {self._issuer} cannot be read now", wait)
            return self._url

    def _found(self) -> str | None:
        """Return what the metadata says; None where it cannot be read, or is another issuer's (RFC 8414 §3.3)."""
        try:
            answer = self._fetcher.get(metadata_url(self._issuer), accept=("application/json",))
            metadata = read_object(answer.body)
        except (FetchFailed, ValueError) as error:
            log.warning("the metadata of %s cannot be read: %s", self._issuer, error)
            return None
        found = metadata.get("jwks_uri")
        if metadata.get("issuer") != self._issuer or not isinstance(found, str):
            log.warning("the metadata of %s is another issuer's, or names no keys", self._issuer)
            return None
        return found


def metadata_url(issuer: str) -> str:
    """Return where an issuer publishes its metadata, a well-known name in front of its path (RFC 8414 §3.1)."""
    parts = urlsplit(issuer)
    return f"{parts.scheme}://{parts.netloc}/.well-known/oauth-authorization-server{parts.path.rstrip('/')}"
