"""Public documents of the last second: what many ask for at once is made once, and takes no thread (RFC 9111)."""

from __future__ import annotations

import re
import time
from collections import OrderedDict
from collections.abc import Hashable, Iterable, MutableMapping
from typing import Any

from portula.cli.replies import Reply

SECONDS = 1.0
"""How long an answer is given again: no client finds a document older by more than that."""

MOST = 64
"""Answers that are kept at once; one more takes the place of the oldest."""

MAX_HEAD_BYTES = 2048
MAX_BODY_BYTES = 64 * 1024
"""Longer requests and answers are not kept, so that strangers fill some 4 MiB at most."""

_MAX_AGE = re.compile(rb"max-age=([0-9]+)")


class PublicCache:
    """Answers to GET requests that were alike to the byte, and came from the same address.

    It asks nothing of what an answer depends on, so none is given to a request that any answer could tell from the
    first. Used by one thread.
    """

    def __init__(self) -> None:
        """Begin with none."""
        self._kept: OrderedDict[Hashable, tuple[float, Reply]] = OrderedDict()

    @staticmethod
    def key_of(scope: MutableMapping[str, Any]) -> Hashable | None:
        """Return what a request is known by; None for one whose answer is not kept."""
        headers: list[tuple[bytes, bytes]] = scope["headers"]
        place: tuple[bytes, bytes] = (scope["raw_path"], scope["query_string"])
        if scope["method"] != "GET" or _length(headers) + _length([place]) > MAX_HEAD_BYTES:
            return None
        address = scope["client"] and scope["client"][0]
        return (*place, scope["scheme"], address, scope["server"], tuple(headers))

    def find(self, key: Hashable) -> Reply | None:
        """Return the answer to such a request, if one was kept within the last second."""
        kept = self._kept.get(key)
        if kept is None or time.monotonic() - kept[0] > SECONDS:
            return None
        return kept[1]

    def keep(self, key: Hashable, reply: Reply) -> None:
        """Keep an answer if it says that all may have it, for so long at least (RFC 9111 §5.2.2)."""
        fields = dict(reply.headers)
        directives = fields.get(b"cache-control", b"").replace(b" ", b"").lower().split(b",")
        age = next(filter(None, map(_MAX_AGE.fullmatch, directives)), None)
        if b"public" not in directives or age is None or int(age[1]) < SECONDS:
            return
        if b"set-cookie" in fields or len(reply.body) > MAX_BODY_BYTES:
            return
        self._kept.pop(key, None)
        while len(self._kept) >= MOST:
            self._kept.popitem(last=False)
        self._kept[key] = (time.monotonic(), reply)


def _length(headers: Iterable[tuple[bytes, bytes]]) -> int:
    return sum(len(name) + len(value) for name, value in headers)
