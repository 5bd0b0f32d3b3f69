"""Bounds what is stored for people who have not signed in, since anybody can cause it."""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING

from oauthlib.oauth2.rfc6749 import errors

from portula.flow.responses import RetryLater
from portula.model.addresses import network_of
from portula.model.records import Artifact

if TYPE_CHECKING:
    from portula.flow.authorization_server import AuthorizationServer

WINDOW_SECONDS = 600
"""Seconds after which the counts begin anew."""

MAX_REQUEST_BYTES = 32 * 1024
"""Parameters of one request."""
MAX_BYTES_PER_ADDRESS = 1024 * 1024
"""Of all requests from one address, of IPv6 from one /64."""
MAX_BYTES = 64 * 1024 * 1024
"""Of all requests together."""

ROW_BYTES = 512
"""Bytes of a row beside the parameters."""
BYTES_PER_PURGE = 64 * 1024
ROWS_PER_PURGE = 2 * BYTES_PER_PURGE // ROW_BYTES
"""More than were kept since the last purge, so that what has expired goes."""


class StrangersQuota:
    """Counts what one process stores for people who have not signed in."""

    def __init__(self, provider: AuthorizationServer) -> None:
        """Take the provider."""
        self._provider = provider
        self._lock = threading.Lock()
        self._window = 0
        self._kept: Counter[str] = Counter()
        self._total = 0

    def admit(self, client_address: str, size: int) -> None:
        """Count a request of `size` bytes that is about to be stored, and remove some of what has expired.

        Raises:
            InvalidRequestError: it has more than MAX_REQUEST_BYTES.
            RetryLater: a quota is used up.
        """
        if size > MAX_REQUEST_BYTES:
            raise errors.InvalidRequestError(
                description=f"The request is too long: {MAX_REQUEST_BYTES} bytes can wait for somebody to sign in."
            )
        now, network, size = self._provider.now(), network_of(client_address), size + ROW_BYTES
        with self._lock:
            if now // WINDOW_SECONDS != self._window:
                self._window, self._total = now // WINDOW_SECONDS, 0
                self._kept.clear()
            before = self._total
            if self._kept[network] + size > MAX_BYTES_PER_ADDRESS or before + size > MAX_BYTES:
                raise RetryLater(
                    "Too many requests wait for somebody to sign in. Please try again in some minutes.",
                    WINDOW_SECONDS - now % WINDOW_SECONDS,
                )
            self._kept[network] += size
            self._total += size
        if before // BYTES_PER_PURGE != (before + size) // BYTES_PER_PURGE:
            self._provider.storage.purge(Artifact, now=now, limit=ROWS_PER_PURGE)
