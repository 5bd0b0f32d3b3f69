"""Looks a name up once, within a time, and refuses it when any of its addresses may not be asked (attack S54)."""

from __future__ import annotations

import socket
import threading
import time
from ipaddress import ip_address
from queue import Empty, SimpleQueue

from portula.errors import FetchFailed
from portula_fetch.addresses import AllowedAddresses, is_public
from portula_fetch.failures import NotSent
from portula_fetch.targets import Address, Target

MAX_ADDRESSES = 16
"""More are not looked at; a name that has more is refused."""


LOOKUPS_PER_TURN = 8
"""Lookups that may be under way for each turn to fetch: one that hangs outlasts its fetch, since the resolver gives a
name up after half a minute or so."""


class Deadline:
    """The moment at which a fetch is over, whatever it is doing."""

    def __init__(self, seconds: float) -> None:
        """Begin now."""
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    def seconds_left(self) -> float:
        """Return the seconds that are left, more than none.

        Raises:
            TimeoutError: none are.
        """
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left


class Lookup:
    """Looks names up, in threads of its own: the system's resolver knows no time limit."""

    def __init__(self, allowed: AllowedAddresses, concurrent: int) -> None:
        """Take what may be private, and how many lookups may be under way."""
        self._allowed = allowed
        self._free = threading.BoundedSemaphore(concurrent)

    def addresses(self, target: Target, deadline: Deadline) -> tuple[Address, ...]:
        """Return all addresses of a host, in the resolver's order.

        Raises:
            FetchFailed: it has none, or one of them is not public.
            NotSent: too many names are being looked up, so that nothing is known of this one.
            TimeoutError: there was no answer in time.
        """
        found = (target.address,) if target.address else self._ask(target, deadline)
        if not 0 < len(found) <= MAX_ADDRESSES:
            raise FetchFailed("the host has no address" if not found else "the host has too many addresses")
        for address in found:
            if not is_public(address) and not self._allowed.admits(target.host, address):
                raise FetchFailed(
                    "the host has an address that is not public; if it should be asked, "
                    "name it in FETCH_ALLOWED_PRIVATE_HOSTS"
                )
        return found

    def _ask(self, target: Target, deadline: Deadline) -> tuple[Address, ...]:
        if not self._free.acquire(timeout=deadline.seconds_left()):
            raise NotSent("too many names of servers are being looked up")
        answers: SimpleQueue[tuple[Address, ...] | None] = SimpleQueue()

        def ask() -> None:
            try:
                answers.put(_resolve(target.host, target.port))
            finally:
                self._free.release()

        try:
            threading.Thread(target=ask, name="portula-fetch-lookup", daemon=True).start()
        except RuntimeError:
            self._free.release()
            raise NotSent("no thread can be started to look the name up") from None
        try:
            found = answers.get(timeout=deadline.seconds_left())
        except Empty:
            raise TimeoutError from None
        if found is None:
            raise FetchFailed("the name of the host cannot be resolved")
        return found


def _resolve(host: str, port: int) -> tuple[Address, ...] | None:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
        return tuple(dict.fromkeys(ip_address(place[0]) for *_, place in found))
    except (OSError, ValueError):
        return None
