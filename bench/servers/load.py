"""The client: requests over connections that stay open, each answer checked. Its own CPU time is counted nowhere."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode, urlsplit

PATIENCE_SECONDS = 30
REDIRECTS_MOST = 5

REDIRECT_URI = "https://app.example.com/callback"
"""Where a server sends the browser; nobody listens there, the code is read from the address."""


class WrongAnswer(Exception):
    """A server did not answer what it should have."""


@dataclass(frozen=True)
class Site:
    """What a program that prepares a server says of it: paths, parties and the cookie of a person who is signed in."""

    issuer: str
    authorize: str
    token: str
    introspect: str
    revoke: str
    userinfo: str
    discovery: str
    jwks: str
    service: tuple[str, str]
    """Identifier and secret of a client that acts for itself."""
    app: tuple[str, str]
    """Identifier and secret of a client whose person need not be asked again."""
    asking: str
    """Identifier of a client whose person is asked each time."""
    api: tuple[str, str]
    """Identifier and secret of a client that asks about tokens."""
    cookie: str


@dataclass(frozen=True)
class Answer:
    """What came."""

    asked: str
    status: int
    location: str
    cookies: tuple[str, ...]
    body: bytes

    def expect(self, status: int = 200) -> Self:
        """Return it.

        Raises:
            WrongAnswer: the status is another one.
        """
        if self.status != status:
            raise WrongAnswer(f"{self.asked}: {self.status} in place of {status}: {self.body[:300]!r}")
        return self

    def json(self) -> dict[str, Any]:
        """Return the object that a successful answer holds.

        Raises:
            WrongAnswer: it is no success, or holds none.
        """
        try:
            found: dict[str, Any] = json.loads(self.expect().body)
        except ValueError:
            raise WrongAnswer(f"{self.asked}: no JSON: {self.body[:300]!r}") from None
        return found


class Client:
    """One connection to one server."""

    def __init__(self, site: Site, port: int) -> None:
        """Connect at the first request."""
        self.site = site
        self._port = port
        self._connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)

    def __enter__(self) -> Self:
        """Use it in a with statement."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connection."""
        self._connection.close()

    def open(self) -> None:
        """Connect now, unless it is connected.

        Raises:
            WrongAnswer: nobody listens.
        """
        if self._connection.sock is None:
            try:
                self._connection.connect()
            except OSError as error:
                raise WrongAnswer(f"no connection: {error}") from error

    def get(self, path: str, **headers: str) -> Answer:
        """Ask for a path, query included."""
        return self._ask("GET", path, None, headers)

    def post(self, path: str, party: tuple[str, str], **form: str) -> Answer:
        """Post a form as a client that authenticates by HTTP Basic (RFC 6749 §2.3.1)."""
        pair = base64.b64encode(":".join(party).encode()).decode()
        headers = {
            "Authorization": f"Basic {pair}",
            "Content-Type": "application/x-www-form-urlencoded",
            "Accept": "application/json",
        }
        return self._ask("POST", path, urlencode(form).encode(), headers)

    def page(self, path: str) -> Answer:
        """Follow redirects as the person's browser does, as far as they stay on this server."""
        cookies = {"": self.site.cookie}
        for _ in range(REDIRECTS_MOST):
            answer = self.get(path, Cookie="; ".join(cookies.values()), Accept="text/html")
            for cookie in answer.cookies:
                pair = cookie.split(";")[0]
                cookies[pair.split("=")[0]] = pair
            target = urlsplit(answer.location)
            if answer.status not in {302, 303} or target.port not in {None, self._port}:
                return answer
            path = f"{target.path}?{target.query}"
        raise WrongAnswer(f"{answer.asked}: more than {REDIRECTS_MOST} redirects")

    def _ask(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Answer:
        asked = f"{method} {urlsplit(path).path}"
        try:
            self._connection.request(method, path, body, headers)
            response = self._connection.getresponse()
            return Answer(
                asked,
                response.status,
                response.headers.get("Location", ""),
                tuple(response.headers.get_all("Set-Cookie", ())),
                response.read(),
            )
        except (OSError, HTTPException) as error:
            self._connection.close()
            raise WrongAnswer(f"{asked}: {type(error).__name__}: {error}") from error
