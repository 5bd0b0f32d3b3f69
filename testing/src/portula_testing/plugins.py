"""Plugins that tests put in place of a clock, a store, a login; and one that writes down what happened."""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, cast
from urllib.parse import urlencode

from flask import has_request_context, request

from portula import Plugin, hookimpl
from portula.plugin import Application, AuthenticatedUser, Clock, Event, Login, RecordType, StoreFactory, User
from portula_testing.memory import MemoryStore

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from portula import Provider

E = TypeVar("E", bound=Event)


class MovableClock:
    """A clock that stands until it is moved. It is the answer to its slot and the plugin that gives it."""

    def __init__(self, time_: float | None = None) -> None:
        """Set it, in Unix seconds; None for the present second."""
        self.time: float = int(time.time()) if time_ is None else time_

    def __call__(self) -> float:
        """Tell the time, in Unix seconds."""
        return self.time

    def advance(self, seconds: float) -> None:
        """Move it on.

        Raises:
            ValueError: time does not run backwards.
        """
        if seconds < 0:
            raise ValueError("time does not run backwards")
        self.time += seconds

    @hookimpl
    def portula_clock(self, provider: Provider) -> Clock:
        """Answer the slot."""
        return self


class GivenClock:
    """The plugin for a clock that is any callable."""

    def __init__(self, clock: Clock) -> None:
        """Take the clock."""
        self._clock = clock

    @hookimpl
    def portula_clock(self, provider: Provider) -> Clock:
        """Answer the slot."""
        return self._clock


class Memory:
    """The store `memory`. Given to two providers, it is one storage for both."""

    name = "memory"

    def __init__(self) -> None:
        """Start empty."""
        self.store = MemoryStore(())

    def make(self, records: Sequence[RecordType]) -> MemoryStore:
        """Return the store, which from now on keeps these types too."""
        self.store.admit(records)
        return self.store

    @hookimpl
    def portula_stores(self, provider: Provider) -> Mapping[str, StoreFactory]:
        """Contribute the store."""
        return {self.name: self.make}


@dataclass(slots=True)
class _Seat:
    """Somebody's place at a browser."""

    subject: str
    since: int
    left: bool = False


class TestLogin(Login):
    """A login without pages: the test says who is signed in.

    Unless told otherwise everybody exists, so that a token for any subject counts.
    """

    __test__ = False  # pytest would take it for a class of tests
    _SEAT = "portula_testing.user"
    """WSGI variable of a test client; no header of a request can set it."""

    def __init__(self, *users: User, anybody: bool = True) -> None:
        """Take the people there are; with `anybody` off, there are no others."""
        self.users = {user.subject: user for user in users}
        self.passwords: dict[str, str] = {}
        """Passwords by subject, for the password grant."""
        self._anybody = anybody
        self._seated: _Seat | None = None
        self._now: Callable[[], int] = lambda: int(time.time())

    def sign_in_as(self, user: str | User, browser: FlaskClient | None = None) -> None:
        """Let a person, or a subject, sit at one browser, or at every one that nobody else sits at."""
        subject = user
        if isinstance(user, User):
            self.users[user.subject] = user
            subject = user.subject
        seat = _Seat(str(subject), self._now())
        if browser is None:
            self._seated = seat
        else:
            cast("dict[str, Any]", browser.environ_base)[self._SEAT] = seat

    def sign_out(self, browser: FlaskClient | None = None) -> None:
        """Let the person leave one browser, in a request its own; else all those that `sign_in_as` gave no browser."""
        if browser is not None:
            browser.environ_base.pop(self._SEAT, None)
        elif has_request_context() and self._SEAT in request.environ:
            request.environ[self._SEAT].left = True
        else:
            self._seated = None

    def disable(self, subject: str) -> None:
        """Shut a person out: nobody is signed in as they, and none of their tokens counts."""
        known = self.find(subject)
        username = known.username if known else subject
        self.users[subject] = User(subject, username, active=False)

    def current(self) -> AuthenticatedUser | None:
        """Return who is signed in at the browser of the current request."""
        seat: _Seat | None = request.environ.get(self._SEAT) if has_request_context() else None
        seat = seat or self._seated
        user = self.find(seat.subject) if seat and not seat.left else None
        if seat is None or user is None or not user.active:
            return None
        return AuthenticatedUser(user.subject, user.username, auth_time=seat.since, amr=("pwd",))

    def login_url(self, next_url: str, client: Application | None = None) -> str:
        """Return a place that does not exist, with the way back."""
        return f"/login?{urlencode({'next': next_url})}"

    def find(self, subject: str) -> User | None:
        """Return a person by subject."""
        known = self.users.get(subject)
        return User(subject, subject) if known is None and self._anybody and subject else known

    def authenticate(self, username: str, password: str, client_address: str) -> User | None:
        """Compare with `passwords`."""
        for user in self.users.values():
            known = self.passwords.get(user.subject)
            if user.username == username and user.active and known is not None:
                return user if hmac.compare_digest(known.encode(), password.encode()) else None
        return None

    @hookimpl
    def portula_login(self, provider: Provider) -> TestLogin:
        """Answer the slot."""
        self._now = provider.now
        return self


class Recorder(Plugin):
    """Writes down every event that listeners hear, in order."""

    def __init__(self) -> None:
        """Start with an empty list."""
        self.events: list[Event] = []

    def of(self, kind: type[E]) -> list[E]:
        """Return the events of one kind."""
        return [event for event in self.events if isinstance(event, kind)]

    def portula_event(self, event: Event) -> None:
        """Write it down."""
        self.events.append(event)
