"""Machine endpoints: a handler is a plain function from an HTTP message to an HTTP message; no Flask here."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

NO_STORE: Mapping[str, str] = {"Cache-Control": "no-store", "Pragma": "no-cache"}
"""RFC 6749 §5.1: what carries tokens or other secrets is never cached."""


@dataclass(frozen=True, slots=True)
class Message:
    """One HTTP request, as little of it as a machine endpoint may look at."""

    method: str
    path: str
    """Path below `root_path`, decoded, with the mount point."""
    scheme: str = "https"
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Header values by lower-case name."""
    body: bytes = field(default=b"", repr=False)
    root_path: str = ""
    """Path at which the WSGI server or a dispatcher mounts the app (SCRIPT_NAME, PEP 3333)."""
    client_address: str = ""
    """Address of the peer, behind TRUSTED_PROXIES proxies."""
    client_certificate: bytes | None = field(default=None, repr=False)
    """DER of the certificate that the client showed in TLS, as the server says, or a trusted proxy by
    CLIENT_CERTIFICATE_HEADER. Nobody has checked who issued it, or its dates. None where it showed none."""

    @property
    def media_type(self) -> str:
        """The media type of the body, in lower case and without parameters; empty when none is named."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP response."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)

    def with_headers(self, headers: Mapping[str, str]) -> Answer:
        """Return the same answer with further headers."""
        return Answer(self.status, {**self.headers, **headers}, self.body) if headers else self


Handler = Callable[[Message], Answer]

Cors = Literal["none", "open", "client"]
"""`open`: any origin, no credentials. `client`: the handler names the origin after it knows the client."""


def json_answer(status: int, data: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Answer:
    """Return a JSON answer that is not cached unless `headers` say otherwise.

    Raises:
        TypeError, ValueError: `data` holds what JSON has not, such as NaN (RFC 8259 §6).
    """
    body = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
    return Answer(status, {"Content-Type": "application/json", **NO_STORE, **(headers or {})}, body)
