"""Sends requests to addresses that were looked at, and to no others; every step ends at the deadline of the fetch."""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Sequence
from typing import Any

import httpcore

from portula.errors import FetchFailed
from portula.plugin import FetchResponse
from portula_fetch.answers import judge_head, max_age_of, media_type_of
from portula_fetch.lookup import Deadline
from portula_fetch.request import Request, Unreachable
from portula_fetch.targets import Address

TLS_RECORD_BYTES = 16384
"""What is written is written in one piece up to this size (RFC 8446 §5.1), so that a slow reader cannot stretch it."""


def answer_of(
    request: Request, addresses: Sequence[Address], deadline: Deadline, tls: ssl.SSLContext
) -> FetchResponse:
    """Send a request to one of these addresses and return the answer.

    Raises:
        Unreachable: no connection was made.
        FetchFailed: there was no answer in time, or none that may be used.
    """
    backend = PinnedAddress(addresses, deadline)
    try:
        return _answer_of(request, backend, tls)
    except (httpcore.TimeoutException, TimeoutError):
        reason = f"there was no whole answer within {deadline.seconds:g} seconds"
    except (httpcore.NetworkError, httpcore.ProtocolError, ssl.SSLError) as error:
        reason = _reason(error)
    raise (FetchFailed if backend.connected else Unreachable)(reason)


def _answer_of(request: Request, backend: PinnedAddress, tls: ssl.SSLContext) -> FetchResponse:
    target = request.target
    origin = httpcore.Origin(b"https", target.host.encode(), target.port)
    url = httpcore.URL(scheme=b"https", host=origin.host, port=target.port, target=target.resource.encode())
    with (
        httpcore.HTTPConnection(origin, ssl_context=tls, network_backend=backend) as connection,
        connection.stream(request.method, url, headers=request.headers(), content=request.body) as answer,
    ):
        headers = [
            (name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in answer.headers
        ]
        judge_head(request.method, answer.status, headers, request.accept, request.max_bytes)
        body = bytearray()
        for chunk in answer.iter_stream():
            body += chunk
            if len(body) > request.max_bytes:
                raise FetchFailed(f"the answer has more than {request.max_bytes} bytes", answer.status)
        return FetchResponse(answer.status, media_type_of(headers), bytes(body), max_age_of(headers))


class PinnedAddress(httpcore.NetworkBackend):
    """Opens connections for one fetch. Whatever name is asked for, the addresses are those that were looked at.

    The name still is what TLS sends and what the certificate is checked against.
    """

    def __init__(self, addresses: Sequence[Address], deadline: Deadline) -> None:
        """Take the addresses, and when the fetch ends."""
        self._addresses = addresses
        self.deadline = deadline
        self._sockets = httpcore.SyncBackend()
        self.connected = False
        """Whether a server with the right certificate answered."""

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first address that answers; each gets its share of the time that is left."""
        reason: Exception = httpcore.ConnectError()
        for number, address in enumerate(self._addresses):
            share = self.deadline.seconds_left() / (len(self._addresses) - number)
            try:
                return _TimedStream(self._sockets.connect_tcp(str(address), port, share), self)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                reason = error
        raise reason


class _TimedStream(httpcore.NetworkStream):
    """A stream whose every operation takes at most the time that is left."""

    def __init__(self, stream: httpcore.NetworkStream, backend: PinnedAddress) -> None:
        self._stream = stream
        self._backend = backend

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._backend.deadline.seconds_left())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for start in range(0, len(buffer), TLS_RECORD_BYTES):
            self._stream.write(
                buffer[start : start + TLS_RECORD_BYTES], self._backend.deadline.seconds_left()
            )

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        stream = self._stream.start_tls(ssl_context, server_hostname, self._backend.deadline.seconds_left())
        self._backend.connected = True
        return _TimedStream(stream, self._backend)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _reason(error: Exception) -> str:
    """Say why there was no answer, in words that hold nothing of what the server sent."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate is not trusted: {cause.verify_message}"
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, httpcore.ProtocolError):
        return "it does not speak HTTP/1.1 as it should"
    return "the connection failed" if isinstance(error, httpcore.NetworkError) else "TLS failed"
