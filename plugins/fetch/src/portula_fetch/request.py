"""One request that is to be sent."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from portula.errors import FetchFailed
from portula_fetch.targets import Target

USER_AGENT = "portula"

OWN_HEADERS = frozenset(
    {"host", "accept-encoding", "connection", "content-length", "transfer-encoding", "expect"}
)
"""What who asks has no say in: where the request goes, and where it ends (RFC 9112 §6)."""


class Unreachable(FetchFailed):
    """No connection was made: whatever else is asked of that server will fail too."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request and what its answer may be."""

    method: str
    target: Target
    accept: Collection[str]
    """Media types; empty for any."""
    max_bytes: int
    body: bytes | None = field(default=None, repr=False)
    given: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Headers of who asks."""

    def headers(self) -> list[tuple[bytes, bytes]]:
        """Return the headers; an encoded body is not asked for, since it could grow when it is decoded."""
        named = {
            "accept": ", ".join(self.accept) or "*/*",
            "user-agent": USER_AGENT,
            **{name.lower(): value for name, value in self.given.items() if name.lower() not in OWN_HEADERS},
            "host": self.target.authority,
            "accept-encoding": "identity",
            "connection": "close",
        }
        return [(name.encode(), value.encode()) for name, value in named.items()]
