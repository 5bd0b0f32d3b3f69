"""Public documents of the last second: what was answered a moment ago takes no thread (RFC 9111)."""

from __future__ import annotations

import re
import time
from collections import OrderedDict
from collections.abc import Hashable, Iterable, MutableMapping
from typing import Any

from portula.cli.replies import Pairs, Reply

SECONDS = 1.0
"""How long an answer is given again: no client finds a document older by more than that."""

MOST = 64
"""Answers that are kept at once; one more takes the place of the oldest."""

MAX_HEADERS, MAX_HEAD_BYTES = 40, 2048
MAX_BODY_BYTES = 64 * 1024
"""Answers to requests that are longer, and longer answers, are not kept: strangers fill some 5 MiB at most."""

_MAX_AGE = re.compile(rb"max-age=([0-9]{1,9})")
_NEVER = frozenset((b"no-store", b"no-cache", b"private"))


class PublicCache:
    """Answers to GET requests that were alike to the byte, and came from the same address.

    It knows nothing of what an answer depends on: a request that differs in any header, in its path, query, scheme,
    version, address or server gets an answer of its own, and so does one that shows a certificate. Used by one thread.
    """

    def __init__(self) -> None:
        """Begin with none."""
        self._kept: OrderedDict[Hashable, tuple[float, Reply]] = OrderedDict()

    @staticmethod
    def key_of(scope: MutableMapping[str, Any]) -> Hashable | None:
        """Return what a request is known by; None for one whose answer is not kept."""
        headers: list[tuple[bytes, bytes]] = scope["headers"]
        place: tuple[bytes, bytes] = (scope["raw_path"], scope["query_string"])
        if scope["method"] != "GET" or scope.get("extensions", {}).get("tls", {}).get("client_cert_chain"):
            return None
        if len(headers) > MAX_HEADERS or _length(headers) + _length([place]) > MAX_HEAD_BYTES:
            return None
        address = scope["client"] and scope["client"][0]
        return (*place, scope["scheme"], scope["http_version"], address, scope["server"], tuple(headers))

    def find(self, key: Hashable) -> Reply | None:
        """Return the answer to such a request, if one was kept within the last second."""
        kept = self._kept.get(key)
        if kept is None or time.monotonic() - kept[0] > SECONDS:
            return None
        return kept[1]

    def keep(self, key: Hashable, reply: Reply, asked_at: float) -> None:
        """Keep an answer if it says that all may have it, for so long at least (RFC 9111 §5.2.2).

        Args:
            key: see `key_of`.
            reply: the answer.
            asked_at: when the request for it came, by `time.monotonic`.
        """
        if (
            reply.status not in (200, 304)
            or len(reply.body) > MAX_BODY_BYTES
            or not _is_public(reply.headers)
        ):
            return
        self._kept.pop(key, None)
        while len(self._kept) >= MOST:
            self._kept.popitem(last=False)
        self._kept[key] = (asked_at, reply)


def _is_public(headers: Pairs) -> bool:
    fields: dict[bytes, list[bytes]] = {}
    for name, value in headers:
        fields.setdefault(name, []).append(value)
    if fields.keys() & {b"set-cookie", b"age"} or b"*" in fields.get(b"vary", ()):
        return False
    directives = b",".join(fields.get(b"cache-control", ())).replace(b" ", b"").lower().split(b",")
    ages = [int(age[1]) for age in map(_MAX_AGE.fullmatch, directives) if age]
    return b"public" in directives and _NEVER.isdisjoint(directives) and min(ages, default=0) >= SECONDS


def _length(headers: Iterable[tuple[bytes, bytes]]) -> int:
    return sum(len(name) + len(value) for name, value in headers)
