"""Answers as the web server sends them, and those that need no application."""

from __future__ import annotations

import json
from dataclasses import dataclass

from portula.web.health import ALIVE

Pairs = list[tuple[bytes, bytes]]

CLOSE = (b"connection", b"close")

RETRY_SECONDS = 2


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as the web server sends it."""

    status: int
    headers: Pairs
    body: bytes


def refusal(status: int, error: str, description: str, *, close: bool = True) -> Reply:
    """Return an error in the form of RFC 6749 §5.2; with `close` it ends the connection, whose state is unclear."""
    body = json.dumps({"error": error, "error_description": description}).encode()
    headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
    if status == 503:
        headers.append((b"retry-after", str(RETRY_SECONDS).encode()))
    if close:
        headers.append(CLOSE)
    return Reply(status, headers, body)


BAD_HOST = refusal(400, "invalid_request", "A request names its host once.")
BUSY = refusal(503, "temporarily_unavailable", "The server has too much to do; try again.", close=False)
CUT_SHORT = refusal(400, "invalid_request", "The request ended before its end.")
FAILED = refusal(500, "server_error", "The server failed; it is logged.")
NOT_OPEN = refusal(
    503, "temporarily_unavailable", "The server is starting or its storage does not answer.", close=False
)
STOPPING = refusal(503, "temporarily_unavailable", "The server is stopping; try again.")
HEALTHY = Reply(
    200,
    [(b"content-type", b"application/json"), (b"cache-control", b"no-store"), (b"pragma", b"no-cache")],
    json.dumps(ALIVE, separators=(",", ":")).encode(),
)
TOO_SLOW = refusal(408, "invalid_request", "The request was not sent in time.")
UNKNOWN_CODING = refusal(501, "invalid_request", "A body is sent as it is, or in chunks.")
