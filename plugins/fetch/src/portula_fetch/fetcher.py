"""The fetcher: one request, one connection, one answer that may be used, or FetchFailed."""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import cached_property
from types import MappingProxyType
from urllib.parse import urlencode

from portula.errors import FetchFailed
from portula.plugin import Fetcher, FetchResponse, costly_work
from portula_fetch.addresses import AllowedAddresses
from portula_fetch.failures import Failures, NotSent
from portula_fetch.lookup import LOOKUPS_PER_TURN, Deadline, Lookup
from portula_fetch.request import Request, Unreachable
from portula_fetch.settings import FetchSettings
from portula_fetch.targets import Target, target_of
from portula_fetch.turns import Turns

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class SafeFetcher(Fetcher):
    """Answers the slot `fetcher`. Safe to share between threads and to take along through a fork.

    Each fetch looks the host up once, looks at all its addresses, and makes a connection of its own to one of these.
    Nothing stays open behind it: who fetches keeps what it got, so that a connection would seldom serve twice. Whoever
    waits for a server, or for a turn to ask one, holds no other request up.
    """

    def __init__(self, settings: FetchSettings, now: Callable[[], int]) -> None:
        """Take the settings and the clock (Unix seconds)."""
        self._settings = settings
        self._now = now
        self._allowed = AllowedAddresses.of(settings.FETCH_ALLOWED_PRIVATE_HOSTS)
        self._process = _Process(settings, self._allowed, now)

    def get(self, url: str, *, accept: Collection[str], max_bytes: int = 65536) -> FetchResponse:
        """See `portula.plugin.Fetcher`."""
        request = Request("GET", self._target(url), accept, max_bytes)
        process = self._here()
        with costly_work(), _naming(request.target), self._turn(request.target, process):
            process.failures.refuse(url)
            try:
                fetched = self._fetch(request, process)
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
    ) -> FetchResponse:
        """See `portula.plugin.Fetcher`. An answer that may not be used says nothing of the next body to that URL."""
        raw, given = (
            (body, headers) if isinstance(body, bytes) else (urlencode(body).encode(), {**FORM, **headers})
        )
        request = Request("POST", self._target(url), (), max_bytes, raw, given)
        process = self._here()
        with costly_work(), _naming(request.target), self._turn(request.target, process):
            return self._fetch(request, process)

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

    def _fetch(self, request: Request, process: _Process) -> FetchResponse:
        """Ask, unless the server is known to be down, and remember how that went."""
        origin = request.target.origin
        process.failures.refuse(origin)
        try:
            fetched = self._exchange(request, process.lookup)
        except NotSent:
            raise
        except Unreachable:
            process.failures.remember(origin)
            raise
        except FetchFailed:
            process.failures.forget(origin)
            raise
        process.failures.forget(origin)
        return fetched

    def _exchange(self, request: Request, lookup: Lookup) -> FetchResponse:
        """Connect and ask, within the time of one fetch."""
        from portula_fetch.connection import answer_of  # httpcore only where something is fetched

        target, deadline = request.target, Deadline(self._settings.FETCH_TIMEOUT_SECONDS)
        try:
            addresses = lookup.addresses(target, deadline)
        except NotSent:
            raise
        except FetchFailed as error:
            raise Unreachable(str(error)) from None
        except TimeoutError:
            raise Unreachable("the name of the host was not resolved in time") from None
        return answer_of(request, addresses, deadline, self._tls)


class _Process:
    """What one process keeps: who is at work, and what failed."""

    def __init__(self, settings: FetchSettings, allowed: AllowedAddresses, now: Callable[[], int]) -> None:
        self.pid = os.getpid()
        self.failures = Failures(settings.FETCH_FAILURE_BACKOFF_SECONDS, now)
        self.lookup = Lookup(allowed, LOOKUPS_PER_TURN * settings.FETCH_MAX_CONCURRENT)
        self.turns = Turns(settings.FETCH_MAX_CONCURRENT)


@contextmanager
def _naming(target: Target) -> Iterator[None]:
    """Let every failure name the server, and nothing else of the URL."""
    try:
        yield
    except FetchFailed as error:
        raise FetchFailed(f"{target.origin}: {error}", error.status) from None
