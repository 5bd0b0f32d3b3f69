"""Bounds what is stored for people who have not signed in, and for clients that registered themselves."""

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
    from portula.model.records import Application

WINDOW_SECONDS = 600
"""Seconds after which the counts begin anew."""

MAX_REQUEST_BYTES = 32 * 1024
"""Parameters of one request."""
MAX_BYTES_PER_ADDRESS = 1024 * 1024
"""Of all requests from one address, of IPv6 from one /64."""
MAX_BYTES = 64 * 1024 * 1024
"""Of all requests together; of those of clients that registered themselves as many again."""
MAX_BYTES_PER_CLIENT = 8 * 1024 * 1024
"""Of all requests of one client that registered itself and authenticates: anybody may have made it."""

ROW_BYTES = 512
"""Bytes of a row beside the parameters."""
BYTES_PER_PURGE = 64 * 1024
ROWS_PER_PURGE = 2 * BYTES_PER_PURGE // ROW_BYTES
"""More than were kept since the last purge, so that what has expired goes."""


class _Usage:
    """Bytes that were stored in one window of the clock."""

    def __init__(self) -> None:
        self.by: Counter[str] = Counter()
        self.total = 0


class StrangersQuota:
    """Counts what one process stores for people who have not signed in."""

    def __init__(self, provider: AuthorizationServer) -> None:
        """Take the provider."""
        self._provider = provider
        self._lock = threading.Lock()
        self._window = 0
        self._begin()

    def _begin(self) -> None:
        self._of_addresses, self._of_clients = _Usage(), _Usage()

    def admit(self, client_address: str, size: int) -> None:
        """Count a request of `size` bytes that is about to be stored, and remove some of what has expired.

        Raises:
            InvalidRequestError: it has more than MAX_REQUEST_BYTES.
            RetryLater: a quota is used up.
        """
        self._admit(network_of(client_address), size)

    def admit_of(self, client: Application, client_address: str, size: int) -> None:
        """Count a request of a client, unless an operator knows who that is; see `admit`.

        One that proves nothing is counted by address; one that registered itself, and authenticates, by itself.
        """
        if client.client_type != "confidential":
            self.admit(client_address, size)
        elif client.is_self_registered:
            self._admit(client.client_id, size, of_client=True)

    def _admit(self, whose: str, size: int, *, of_client: bool = False) -> None:
        if size > MAX_REQUEST_BYTES:
            raise errors.InvalidRequestError(
                description=f"The request is too long: {MAX_REQUEST_BYTES} bytes can wait for somebody to sign in."
            )
        now, size = self._provider.now(), size + ROW_BYTES
        most = MAX_BYTES_PER_CLIENT if of_client else MAX_BYTES_PER_ADDRESS
        with self._lock:
            if now // WINDOW_SECONDS != self._window:
                self._window = now // WINDOW_SECONDS
                self._begin()
            usage = self._of_clients if of_client else self._of_addresses
            before = usage.total
            if usage.by[whose] + size > most or before + size > MAX_BYTES:
                raise RetryLater(
                    "Too many requests wait for somebody to sign in. Please try again in some minutes.",
                    WINDOW_SECONDS - now % WINDOW_SECONDS,
                )
            usage.by[whose] += size
            usage.total += size
        if before // BYTES_PER_PURGE != (before + size) // BYTES_PER_PURGE:
            self._provider.storage.purge(Artifact, now=now, limit=ROWS_PER_PURGE)
