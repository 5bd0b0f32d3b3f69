"""The web server of one worker: uvicorn on HTTP/1, with an end to everything that a stranger may begin.

uvicorn parses and writes; connections are counted and timed here, and a stop answers what was begun.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import ssl
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from typing import Any, cast

import uvicorn
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from portula.cli.gate import CUT, Gate
from portula.cli.parsing import PlainParser

log = logging.getLogger("portula")

CONNECTIONS_MOST = 512
"""Connections a worker holds at once; further ones wait until one is free."""

HEAD_BYTES_MOST = 64 * 1024
"""Bytes of request line and headers together, and of the framing between two parts of a body."""

HANDSHAKE_SECONDS = 10
"""Seconds for the handshake of TLS."""

PARSED_BYTES = 1024
"""Bytes that are parsed at once: requests that wait for the answer to another on their connection begin in so many."""

IDLE_SECONDS = 15
"""Seconds from the connection, or from the last answer on it, to the end of the next request's headers."""

SENDING_SECONDS = 60
"""Seconds in which an answer has to be taken."""

OPENING_SECONDS = 10
"""Seconds in which connections wait for the application to be made; then they are accepted to be answered 503."""

LINGER_SECONDS = 1.0
"""Seconds in which a server that stops still takes requests on connections that are open."""

_TOO_MANY_FILES_SECONDS = 1.0

_HEAD_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
)


class HeadTooLarge(Exception):
    """Ends the parsing of a request whose headers have more than HEAD_BYTES_MOST bytes."""


_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class _WholeAnswers:
    """The transport of a connection, which sends the head of an answer together with its body; uvicorn writes it first.

    Two small packets cost twice, and the second waits for the first to be acknowledged where TCP gathers (RFC 896).
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        """Take the transport, all of whose other methods are ours."""
        self._transport = transport
        self._head = b""
        self.is_closing = transport.is_closing
        self.get_extra_info = transport.get_extra_info

    def __getattr__(self, name: str) -> Any:
        """Hand everything else on."""
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Write; the head of an answer with what comes next."""
        if self._head:
            self._head, data = b"", self._head + data
        elif data.startswith(b"HTTP/") and data != _CONTINUE:
            self._head = data
            return
        self._transport.write(data)

    def flush(self) -> None:
        """Write what is held: nothing follows."""
        if self._head:
            self.write(b"")

    def close(self) -> None:
        """Close when all is written."""
        self.flush()
        self._transport.close()


class _BufferedFlow(FlowControl):
    """The flow control of a connection, which reads nothing more while the buffer is not empty."""

    full = False
    """Whether there is something to be parsed."""

    def resume_reading(self) -> None:
        """Go on reading, unless the buffer is not empty."""
        if not self.full:
            super().resume_reading()


class Connection(HttpToolsProtocol):
    """One connection of a client."""

    transport: _WholeAnswers  # type: ignore[assignment]
    parser: PlainParser  # type: ignore[assignment]
    _flow: _BufferedFlow

    def __init__(self, config: uvicorn.Config, state: ServerState, let_go: Callable[[], None]) -> None:
        """Prepare a connection; `let_go` is called when it is lost."""
        super().__init__(config, state, {})
        self.parser = PlainParser(self)
        self._let_go = let_go
        self._began = time.monotonic()
        self._unparsed = 0
        self._buffer = bytearray()

    @property
    def busy(self) -> bool:
        """Whether a request is being read or answered."""
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None and not cycle.response_complete

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to read."""
        super().connection_made(cast("asyncio.Transport", _WholeAnswers(transport)))
        self.flow = self._flow = _BufferedFlow(cast("asyncio.Transport", self.transport))

    def connection_lost(self, exc: Exception | None) -> None:
        """Make room for another one."""
        super().connection_lost(exc)
        self._buffer.clear()
        self._let_go()

    def data_received(self, data: bytes) -> None:
        """Buffer what came, and parse it as far as no request waits for the answer to another.

        A request takes some thirty times the memory of its bytes, and each that is answered lets more be read.
        """
        self._buffer += data
        self._parse()

    def _parse(self) -> None:
        """Parse the buffer, and end a connection that sends what never becomes a request."""
        while self._buffer and not self.pipeline and not self.transport.is_closing():
            data = bytes(self._buffer[:PARSED_BYTES])
            del self._buffer[:PARSED_BYTES]
            self._unparsed += len(data)
            super().data_received(data)
            if self._unparsed > HEAD_BYTES_MOST and not self.transport.is_closing():
                self._refuse_head()
        was_full, self._flow.full = self._flow.full, bool(self._buffer)
        if self._buffer:
            self._flow.pause_reading()
        elif was_full and not self.pipeline:
            self._flow.resume_reading()

    def eof_received(self) -> bool | None:  # type: ignore[override]
        """Hear that nothing more comes: what came whole is answered, what did not is an error (RFC 9112 §8)."""
        if not self.busy or self.scheme == "https":
            return None
        self.cycle.keep_alive = False  # of the requests that came the last: its answer ends the connection
        if self.cycle.more_body:
            self.cycle.scope.setdefault("state", {})[CUT] = True
            self.cycle.more_body = False
            self.cycle.message_event.set()
        return True

    def on_headers_complete(self) -> None:
        """Begin a request, unless its head is too large."""
        self._unparsed = 0
        if self.parser.should_upgrade():
            return  # it comes again, as a request like any other
        size = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        if size > HEAD_BYTES_MOST:
            self._refuse_head()
            raise HeadTooLarge
        if not self.busy:
            self._began = time.monotonic()
        self.scope["extensions"] = self._extensions()
        super().on_headers_complete()

    def _extensions(self) -> dict[str, Any]:
        """Return the ASGI extension `tls`, with the client's certificate, where it showed one."""
        connection = self.transport.get_extra_info("ssl_object")
        shown = connection.getpeercert(binary_form=True) if connection else None
        return {"tls": {"client_cert_chain": [ssl.DER_cert_to_PEM_cert(shown)]}} if shown else {}

    def on_body(self, body: bytes) -> None:
        """Keep a part of the body."""
        self._unparsed = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Hear that a body is whole."""
        if not self.parser.should_upgrade():
            super().on_message_complete()

    def on_response_complete(self) -> None:
        """Begin to wait for the next request."""
        self.transport.flush()
        self._began = time.monotonic()
        super().on_response_complete()
        self._parse()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is not HTTP, unless it was answered already."""
        if not self.transport.is_closing():
            super().send_400_response(msg)

    def abort_if_late(self, busy_seconds: float) -> None:
        """End the connection at once when its time is over."""
        age = time.monotonic() - self._began
        if self.busy:
            late = age > busy_seconds
        elif self.transport.get_write_buffer_size():
            late = age > SENDING_SECONDS
        else:
            late = age > IDLE_SECONDS
        if late:
            self.transport.abort()

    def _refuse_head(self) -> None:
        if not self.busy:
            self.transport.write(_HEAD_TOO_LARGE)
        self.transport.close()


class EdgeServer(uvicorn.Server):
    """uvicorn's server on a listening socket that other workers share."""

    def __init__(
        self,
        config: uvicorn.Config,
        gate: Gate,
        listener: socket.socket,
        *,
        tls: ssl.SSLContext | None,
        busy_seconds: float,
        begin: Callable[[Callable[[], object]], None],
        beat: Callable[[], None],
    ) -> None:
        """Take the configuration and what it lacks.

        Args:
            config: of uvicorn; its application is `gate`.
            gate: what answers.
            listener: a socket that listens and does not block.
            tls: None for plain HTTP.
            busy_seconds: how long a request may take from its headers to its answer.
            begin: called when the event loop runs, with what it shall call, in any thread, when `gate` can answer.
            beat: called each second while the event loop runs.
        """
        super().__init__(config)
        self.servers: list[asyncio.base_events.Server] = []
        self._gate = gate
        self._listener = listener
        self._tls = tls
        self._busy_seconds = busy_seconds
        self._begin = begin
        self._beat = beat
        self._room = asyncio.Semaphore(CONNECTIONS_MOST)
        self._opening: set[asyncio.Task[None]] = set()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to accept connections once there is somebody to answer them."""
        ready, loop = asyncio.Event(), asyncio.get_running_loop()
        self._begin(lambda: loop.call_soon_threadsafe(ready.set))
        self._accepting = asyncio.create_task(self._accept(ready))
        self.started = True

    async def on_tick(self, counter: int) -> bool:
        """Each second, say that all is well and end what takes too long."""
        if counter % 10 == 0:
            self._beat()
            for connection in list(self.server_state.connections):
                if isinstance(connection, Connection):
                    connection.abort_if_late(self._busy_seconds)
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept nothing new; answer what was begun, and what open connections still send in LINGER_SECONDS."""
        self._gate.stopping = True
        self._accepting.cancel()
        await asyncio.wait([self._accepting])  # it lets go of the listener before that is closed
        with suppress(OSError):  # BlockingIOError: all that had come were taken
            while not self._room.locked():
                await self._room.acquire()
                self._take(self._listener.accept()[0])
        self._listener.close()
        if self._opening or self.server_state.connections:
            await asyncio.sleep(LINGER_SECONDS)
        await super().shutdown()

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Stop at SIGTERM; leave SIGINT, which a terminal sends to all processes, to the parent."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, lambda *_: self.stop())
        yield

    def stop(self) -> None:
        """End `serve` soon; any thread may ask."""
        self.should_exit = True

    async def _accept(self, ready: asyncio.Event) -> None:
        loop = asyncio.get_running_loop()
        with suppress(TimeoutError):
            await asyncio.wait_for(ready.wait(), OPENING_SECONDS)
        while True:
            await self._room.acquire()
            try:
                client, _ = self._listener.accept()
            except BlockingIOError:
                self._room.release()
                await self._readable(loop)
            except OSError as error:
                self._room.release()
                log.warning("no connection can be accepted: %s", error.strerror)
                await asyncio.sleep(_TOO_MANY_FILES_SECONDS)
            else:
                self._take(client)

    async def _readable(self, loop: asyncio.AbstractEventLoop) -> None:
        """Wait for a connection, and leave it to be accepted: `loop.sock_accept` loses one when it is cancelled."""
        ready = asyncio.Event()
        loop.add_reader(self._listener, ready.set)
        try:
            await ready.wait()
        finally:
            loop.remove_reader(self._listener)

    def _take(self, client: socket.socket) -> None:
        client.setblocking(False)
        if client.family in (socket.AF_INET, socket.AF_INET6):  # asyncio does so for its own listeners alone
            with suppress(OSError):  # it is gone already
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        task = asyncio.create_task(self._open(client))
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)

    async def _open(self, client: socket.socket) -> None:
        """Make a connection of an accepted socket; its room is free again when it is lost or never was."""
        arguments: dict[str, Any] = {}
        if self._tls is not None:
            arguments = {"ssl": self._tls, "ssl_handshake_timeout": HANDSHAKE_SECONDS}
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: Connection(self.config, self.server_state, self._room.release), client, **arguments
            )
        except (OSError, asyncio.CancelledError):  # ssl.SSLError and TimeoutError are OSErrors
            client.close()
            self._room.release()
