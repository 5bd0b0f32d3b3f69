"""The error of a request that may succeed later."""

from __future__ import annotations

from portula.errors import PortulaError


class TryLater(PortulaError):
    """A request could succeed at another time: `retry_after` says in how many seconds."""

    def __init__(self, description: str, retry_after: int, *, status: int) -> None:
        """Keep the seconds and the HTTP status: 429 for who asked too often, 503 for who had bad luck."""
        self.retry_after = retry_after
        self.status = status
        super().__init__(description)
