"""What stands between the web server and the WSGI application: a thread is taken for whole requests only.

The body is read first, within a size and a deadline; what waits for a thread waits in a line with an end.
"""

from __future__ import annotations

import asyncio
import io
import logging
import sys
import time
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

from portula.cli.public_cache import PublicCache
from portula.cli.replies import (
    BAD_HOST,
    BUSY,
    CLOSE,
    CUT_SHORT,
    FAILED,
    HEALTHY,
    NOT_OPEN,
    STOPPING,
    TOO_SLOW,
    UNKNOWN_CODING,
    Pairs,
    Reply,
)
from portula.cli.threads import Threads, Work
from portula.host.logs import Line
from portula.web.certificates import TLS_VARIABLE
from portula.web.requests import REQUEST_KEY

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

    from portula.model.requests import CurrentRequest

log = logging.getLogger("portula")
access_log = logging.getLogger("portula.access")

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

CUT = "portula.cut"
"""Key in the state of a request whose body ended before its end (RFC 9112 §8)."""

WAITING_SECONDS = 10
"""Seconds a request waits for a thread; then it is answered 503."""

WAITING_MOST = 128
"""Requests that wait for a thread; one more is answered 503 at once."""


@dataclass(frozen=True, slots=True)
class ServedApplication:
    """What stands behind a gate."""

    application: WSGIApplication
    max_body: int
    """It is given one byte of a body more than these at most."""
    needs_no_storage: Callable[[str], bool] = lambda _path: False
    """Says of a path whether it is answered from memory or from a file."""


class RequestRefused(Exception):
    """A request gets this reply and no thread."""

    def __init__(self, reply: Reply) -> None:
        """Keep the reply."""
        self.reply = reply
        super().__init__(reply.status)


class ClientGone(Exception):
    """Nobody is there to be answered."""


class Gate:
    """An ASGI application that lets whole requests through to a WSGI application."""

    def __init__(
        self,
        threads: Threads,
        light_threads: Threads,
        *,
        body_seconds: float,
        multiprocess: bool,
        health_path: str | None = None,
        access_log: bool = False,
    ) -> None:
        """Take the threads that answer; until `open_to` all but `healthz` is answered 503.

        Args:
            threads: for all that may have to wait for the storage.
            light_threads: for what need not.
            body_seconds: how long a body may take.
            multiprocess: whether other processes answer too.
            health_path: HEALTH_PATH.
            access_log: whether each request has a line in the log.
        """
        self._threads = threads
        self._light_threads = light_threads
        self._body_seconds = body_seconds
        self._multiprocess = multiprocess
        self._healthz = None if health_path is None else f"{health_path}/healthz".encode()
        self._access_log = access_log
        self._public = PublicCache()
        self._served: ServedApplication | None = None
        self.stopping = False
        """Whether each answer ends its connection."""

    def open_to(self, served: ServedApplication) -> None:
        """Answer by this application from now on."""
        self._served, self._public = served, PublicCache()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        began, environ = time.monotonic(), dict[str, Any]()
        try:
            reply = await self._reply(scope, receive, environ)
        except RequestRefused as refused:
            reply = refused.reply
        except ClientGone:
            return
        headers = reply.headers
        if scope["method"] == "HEAD" or not any(name == b"content-length" for name, _ in headers):
            headers = _with_length(reply, scope["method"])
        if self.stopping and CLOSE not in headers:
            headers = [*headers, CLOSE]
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        await send({"type": "http.response.body", "body": reply.body})
        if self._access_log:
            _log_access(scope, environ.get(REQUEST_KEY), reply.status, time.monotonic() - began)

    async def _reply(self, scope: Scope, receive: Receive, environ: WSGIEnvironment) -> Reply:
        if scope["raw_path"] == self._healthz and scope["method"] in ("GET", "HEAD"):
            return HEALTHY
        served = self._served
        if served is None:
            return NOT_OPEN
        hosts = [name for name, _ in scope["headers"]].count(b"host")
        if hosts > 1 or (hosts == 0 and scope["http_version"] == "1.1"):
            return BAD_HOST  # RFC 9112 §3.2
        body, length = await self._body(scope, receive, served.max_body)
        environ |= environ_of(scope, body, length)
        environ["wsgi.multiprocess"] = self._multiprocess
        is_light = served.needs_no_storage(environ["PATH_INFO"])
        # A line in the log names the request and, behind a proxy, the client, which the application finds out.
        key = PublicCache.key_of(scope) if is_light and length is None and not self._access_log else None
        began = time.monotonic()
        kept = None if key is None else self._public.find(key)
        if kept is not None:
            return kept
        threads = self._light_threads if is_light else self._threads
        reply = await _in_a_thread(threads, lambda: reply_of(served.application, environ))
        if key is not None:
            self._public.keep(key, reply, began)
        return reply

    async def _body(self, scope: Scope, receive: Receive, max_body: int) -> tuple[bytes, int | None]:
        """Return the body and its length, which is as announced when it is too long to be read; None without one."""
        headers = dict(scope["headers"])
        announced = headers.get(b"content-length")
        if announced is None and b"transfer-encoding" not in headers:
            return b"", None
        if headers.get(b"transfer-encoding", b"chunked").lower() != b"chunked":
            raise RequestRefused(UNKNOWN_CODING)  # RFC 9112 §6.1
        if announced is not None and int(announced) > max_body:
            return b"", int(announced)
        try:
            async with asyncio.timeout(self._body_seconds):
                body = await _whole(scope, receive, max_body + 1)
        except TimeoutError:
            raise RequestRefused(TOO_SLOW) from None
        except asyncio.CancelledError:
            if self.stopping:
                raise RequestRefused(STOPPING) from None
            raise
        return body, len(body)


async def _in_a_thread(threads: Threads, call: Callable[[], Reply]) -> Reply:
    if threads.waiting >= WAITING_MOST:
        return BUSY
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[Reply] = loop.create_future()

    def settle(reply: Reply) -> None:
        if not answer.done():
            answer.set_result(reply)

    def make() -> None:
        reply = call()
        with suppress(RuntimeError):  # the server ended meanwhile, and its event loop with it
            loop.call_soon_threadsafe(settle, reply)

    work = Work(make)

    def give_up() -> None:
        if work.take() is not None:
            settle(BUSY)

    timer = loop.call_later(WAITING_SECONDS, give_up)
    threads.put(work)
    try:
        return await answer
    finally:
        timer.cancel()


async def _whole(scope: Scope, receive: Receive, limit: int) -> bytes:
    """Return the body, cut at `limit` bytes.

    Raises:
        RequestRefused: it ended before its end.
        ClientGone: the connection did.
    """
    parts: list[bytes] = []
    length = 0
    while length < limit:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        part: bytes = message.get("body", b"")
        parts.append(part)
        length += len(part)
        if not message.get("more_body"):
            break
    if CUT in scope["state"]:
        raise RequestRefused(CUT_SHORT)
    return b"".join(parts)[:limit]


def environ_of(scope: Scope, body: bytes, length: int | None) -> WSGIEnvironment:
    """Return the WSGI environment (PEP 3333) of an ASGI scope and a body of `length` bytes.

    The client's certificate is that of the ASGI extension `tls`.

    A header with an underscore is left out: as a variable it could not be told from one with a hyphen.
    """
    server, client = scope["server"] or ("", 0), scope["client"] or ("", 0)
    environ: WSGIEnvironment = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(scope["raw_path"]).decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1]),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "REMOTE_ADDR": client[0],
        "REMOTE_PORT": str(client[1]),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.input": io.BytesIO(body),
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for raw_name, raw_value in scope["headers"]:
        if b"_" in raw_name or raw_name in (b"content-length", b"transfer-encoding"):
            continue
        name = raw_name.decode("latin-1").upper().replace("-", "_")
        name = name if name == "CONTENT_TYPE" else f"HTTP_{name}"
        value = raw_value.decode("latin-1")
        if name in environ:  # RFC 9110 §5.3; RFC 9113 §8.2.3 for cookies
            value = f"{environ[name]}{'; ' if name == 'HTTP_COOKIE' else ','}{value}"
        environ[name] = value
    if length is not None:
        environ["CONTENT_LENGTH"] = str(length)
    shown = scope.get("extensions", {}).get("tls", {}).get("client_cert_chain")
    if shown:
        environ[TLS_VARIABLE] = shown[0]
    return environ


def reply_of(application: WSGIApplication, environ: WSGIEnvironment) -> Reply:
    """Return what a WSGI application answers, whole; 500 when it raises."""
    begun: list[tuple[str, list[tuple[str, str]]]] = []
    parts: list[bytes] = []

    def start_response(
        status: str, headers: list[tuple[str, str]], _error: object = None, /
    ) -> Callable[[bytes], object]:
        begun.append((status, headers))
        return parts.append

    answer: Iterable[bytes] = ()
    try:
        try:
            answer = application(environ, start_response)
            parts.extend(answer)
        finally:
            close = getattr(answer, "close", None)
            if close is not None:
                close()
        status, headers = begun[-1]
        pairs = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        return Reply(int(status[:3]), pairs, b"".join(parts))
    except BaseException:  # whatever a plugin raises: the thread has others to answer
        log.exception("%s %s failed", environ["REQUEST_METHOD"], environ["PATH_INFO"])
        return FAILED


def _with_length(reply: Reply, method: str) -> Pairs:
    """Return the headers with a Content-Length: RFC 9110 §8.6 forbids one at 204 and leaves it free at HEAD and 304."""
    if method == "HEAD" or reply.status in (204, 304):
        return reply.headers
    return [*reply.headers, (b"content-length", str(len(reply.body)).encode())]


def _log_access(scope: Scope, request: CurrentRequest | None, status: int, seconds: float) -> None:
    """Log a request: without its query and its body, which may hold what nobody else is to see."""
    peer = scope["client"] or ("", 0)
    facts = {
        "method": scope["method"],
        "path": scope["path"],
        "status": status,
        "milliseconds": round(seconds * 1000, 1),
        "address": request.address if request else peer[0],
    }
    access_log.info(Line("request", {**facts, **({"request_id": request.id} if request else {})}))
