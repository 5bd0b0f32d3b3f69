"""The parser of HTTP/1, to which a request that offers another protocol is the request that it is without that.

A server may pass over `Upgrade` (RFC 9110 §7.8), and this one knows no other protocol. llhttp takes what follows the
head of such a request for the other protocol: its body would be read as the next request.
"""

from __future__ import annotations

from typing import Any, Protocol

import httptools


class ParsedHead(Protocol):
    """What a protocol of uvicorn knows of a request whose head is parsed."""

    url: bytes
    headers: list[tuple[bytes, bytes]]


class PlainParser:
    """An httptools parser that goes on behind an upgrade that nobody takes up."""

    def __init__(self, protocol: ParsedHead) -> None:
        """Take the protocol, whose callbacks are called; while `should_upgrade` is true they do nothing."""
        self._protocol = protocol
        self._parser = _parser_of(protocol)

    def __getattr__(self, name: str) -> Any:
        """Hand everything else on."""
        return getattr(self._parser, name)

    def feed_data(self, data: bytes) -> None:
        """Parse what came.

        Raises:
            httptools.HttpParserError: it is not HTTP, or asks for a tunnel, which there is none through a server.
        """
        left = memoryview(data)
        while True:
            try:
                self._parser.feed_data(left)
            except httptools.HttpParserUpgrade as upgrade:
                if self._parser.get_method() == b"CONNECT":
                    raise httptools.HttpParserError("a server is no proxy") from None
                head, left = self._head(), left[upgrade.args[0] :]
                self._parser = _parser_of(self._protocol)
                self._parser.feed_data(head)
            else:
                return

    def _head(self) -> bytes:
        """Return the head that was parsed last, without what belongs to the upgrade (RFC 9110 §7.6.1)."""
        version = self._parser.get_http_version().encode()
        lines = [b" ".join((self._parser.get_method(), self._protocol.url, b"HTTP/" + version))]
        for name, value in self._protocol.headers:
            kept = _without_upgrade(value) if name == b"connection" else value
            if name != b"upgrade" and (kept or not value):
                lines.append(name + b": " + kept)
        return b"\r\n".join([*lines, b"", b""])


def _parser_of(protocol: ParsedHead) -> Any:
    parser = httptools.HttpRequestParser(protocol)
    parser.set_dangerous_leniencies(
        lenient_data_after_close=True
    )  # as uvicorn's own: what came before is answered
    return parser


def _without_upgrade(options: bytes) -> bytes:
    return b", ".join(
        option for option in map(bytes.strip, options.split(b",")) if option.lower() != b"upgrade"
    )
