"""The base class of what answers the slot `fetcher`: requests of this provider to other servers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class FetchResponse:
    """What another server answered."""

    status: int
    media_type: str
    """Lower case, without parameters; empty when none was sent."""
    body: bytes = field(repr=False)
    max_age: int | None = None
    """Seconds for which it may be kept (RFC 9111 §5.2.2.1); None when that is not said, 0 for `no-store`."""


class Fetcher(ABC):
    """Makes every request of this provider to other servers: https, public addresses, no redirects (attack S54)."""

    @abstractmethod
    def get(self, url: str, *, accept: Collection[str], max_bytes: int = 65536) -> FetchResponse:
        """Return the answer to a GET, of status 200 and one of the media types of `accept` (empty: any).

        Raises:
            FetchFailed: for any other outcome; the message says why, and holds nothing of the body.
        """

    @abstractmethod
    def post(
        self,
        url: str,
        body: Mapping[str, str] | bytes,
        *,
        headers: Mapping[str, str] = MappingProxyType({}),
        max_bytes: int = 65536,
    ) -> FetchResponse:
        """Return the answer to a POST, whatever its status below 300 is.

        Args:
            url: where to.
            body: a mapping is sent as a form, bytes as they are.
            headers: further ones, such as Content-Type of bytes; those of the connection (Host, Content-Length) are the
                fetcher's own.
            max_bytes: how long the answer may be.

        Raises:
            FetchFailed: for any other outcome.
        """
