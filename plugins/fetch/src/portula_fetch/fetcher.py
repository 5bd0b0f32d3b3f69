"""The fetcher: one request, one connection, one answer that may be used, or FetchFailed."""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from urllib.parse import urlencode

import httpcore

from portula.errors import FetchFailed
from portula.plugin import Fetched, Fetcher
from portula_fetch.addresses import AllowedAddresses
from portula_fetch.answers import judge_head, max_age_of, media_type_of
from portula_fetch.connection import PinnedAddress
from portula_fetch.failures import Failures, NotSent
from portula_fetch.lookup import Deadline, Lookup
from portula_fetch.settings import FetchSettings
from portula_fetch.targets import Target, target_of
from portula_fetch.turns import Turns

USER_AGENT = "portula"

OWN_HEADERS = frozenset(
    {"host", "accept-encoding", "connection", "content-length", "transfer-encoding", "expect"}
)
"""What who asks has no say in: where the request goes, and where it ends (RFC 9112 §6)."""

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class Unreachable(FetchFailed):
    """No connection was made: whatever else is asked of that server will fail too."""


@dataclass(frozen=True, slots=True)
class Asking:
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


class SafeFetcher(Fetcher):
    """Answers the slot `fetcher`. Safe to share between threads and to take along through a fork.

    Each fetch looks the host up once, looks at all its addresses, and makes a connection of its own to one of these.
    Nothing stays open behind it: who fetches keeps what it got, so that a connection would seldom serve twice.
    """

    def __init__(self, settings: FetchSettings, now: Callable[[], int]) -> None:
        """Take the settings and the clock (Unix seconds)."""
        self._settings = settings
        self._now = now
        self._allowed = AllowedAddresses.of(settings.FETCH_ALLOWED_PRIVATE_HOSTS)
        self._process = _Process(settings, self._allowed, now)

    def get(self, url: str, *, accept: Collection[str], max_bytes: int = 65536) -> Fetched:
        """See `portula.plugin.Fetcher`."""
        asking = Asking("GET", self._target(url), accept, max_bytes)
        process = self._here()
        with _naming(asking.target), self._turn(asking.target, process):
            process.failures.refuse(url)
            try:
                fetched = self._fetch(asking, process)
            except (NotSent, Unreachable):
                raise
            except FetchFailed:
                process.failures.remember(url)
                raise
            process.failures.forget(url)
            return fetched

    def post(
        self,
        url: str,
        body: Mapping[str, str] | bytes,
        *,
        headers: Mapping[str, str] = MappingProxyType({}),
        max_bytes: int = 65536,
    ) -> Fetched:
        """See `portula.plugin.Fetcher`. An answer that may not be used says nothing of the next body to that URL."""
        raw, given = (
            (body, headers) if isinstance(body, bytes) else (urlencode(body).encode(), {**FORM, **headers})
        )
        asking = Asking("POST", self._target(url), (), max_bytes, raw, given)
        process = self._here()
        with _naming(asking.target), self._turn(asking.target, process):
            return self._fetch(asking, process)

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        """Who is trusted; made at the first fetch, since reading the system's authorities takes a while."""
        context = ssl.create_default_context()
        if self._settings.FETCH_CA_BUNDLE is not None:
            context.load_verify_locations(self._settings.FETCH_CA_BUNDLE)
        return context

    def _target(self, url: str) -> Target:
        return target_of(url, self._settings.FETCH_ALLOWED_PORTS)

    def _turn(self, target: Target, process: _Process) -> AbstractContextManager[None]:
        return process.turns.take(target.origin, self._settings.FETCH_TIMEOUT_SECONDS)

    def _here(self) -> _Process:
        """Return the state of this process: what another one had at a fork, locks among it, is not ours."""
        if self._process.pid != os.getpid():
            self._process = _Process(self._settings, self._allowed, self._now)
        return self._process

    def _fetch(self, asking: Asking, process: _Process) -> Fetched:
        """Ask, unless the server is known to be down, and remember how that went."""
        origin = asking.target.origin
        process.failures.refuse(origin)
        try:
            fetched = self._exchange(asking, process.lookup)
        except Unreachable:
            process.failures.remember(origin)
            raise
        except FetchFailed:
            process.failures.forget(origin)
            raise
        process.failures.forget(origin)
        return fetched

    def _exchange(self, asking: Asking, lookup: Lookup) -> Fetched:
        """Connect and ask, within the time of one fetch."""
        target, deadline = asking.target, Deadline(self._settings.FETCH_TIMEOUT_SECONDS)
        try:
            backend = PinnedAddress(lookup.addresses(target, deadline), deadline)
        except FetchFailed as error:
            raise Unreachable(str(error)) from None
        except TimeoutError:
            raise Unreachable("the name of the host was not resolved in time") from None
        try:
            return self._ask(asking, backend)
        except (httpcore.TimeoutException, TimeoutError):
            reason = f"there was no whole answer within {self._settings.FETCH_TIMEOUT_SECONDS:g} seconds"
        except (httpcore.NetworkError, httpcore.ProtocolError, ssl.SSLError) as error:
            reason = _reason(error)
        raise (FetchFailed if backend.connected else Unreachable)(reason)

    def _ask(self, asking: Asking, backend: PinnedAddress) -> Fetched:
        target = asking.target
        origin = httpcore.Origin(b"https", target.host.encode(), target.port)
        url = httpcore.URL(
            scheme=b"https", host=origin.host, port=target.port, target=target.resource.encode()
        )
        with (
            httpcore.HTTPConnection(origin, ssl_context=self._tls, network_backend=backend) as connection,
            connection.stream(asking.method, url, headers=asking.headers(), content=asking.body) as answer,
        ):
            headers = [
                (name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in answer.headers
            ]
            judge_head(asking.method, answer.status, headers, asking.accept, asking.max_bytes)
            body = bytearray()
            for chunk in answer.iter_stream():
                body += chunk
                if len(body) > asking.max_bytes:
                    raise FetchFailed(f"the answer has more than {asking.max_bytes} bytes", answer.status)
            return Fetched(answer.status, media_type_of(headers), bytes(body), max_age_of(headers))


class _Process:
    """What one process keeps: who is at work, and what failed."""

    def __init__(self, settings: FetchSettings, allowed: AllowedAddresses, now: Callable[[], int]) -> None:
        self.pid = os.getpid()
        self.failures = Failures(settings.FETCH_FAILURE_BACKOFF_SECONDS, now)
        self.lookup = Lookup(allowed, settings.FETCH_MAX_CONCURRENT)
        self.turns = Turns(settings.FETCH_MAX_CONCURRENT)


@contextmanager
def _naming(target: Target) -> Iterator[None]:
    """Let every failure name the server, and nothing else of the URL."""
    try:
        yield
    except FetchFailed as error:
        raise FetchFailed(f"{target.origin}: {error}", error.status) from None


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
