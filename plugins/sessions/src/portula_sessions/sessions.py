"""The sessions slot: login sessions as artifacts, found by the digest of a cookie."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from flask import Response, after_this_request, has_request_context, request

from portula.records import Artifact
from portula.slots import LoginSession
from portula_sessions.settings import SessionSettings

if TYPE_CHECKING:
    from portula import Provider

KIND = "session"
COOKIE = "session"
_BY_SUBJECT = "session-subject"

POINTER_BYTES = 32
"""256 random bits: above the 64 bits of entropy that OWASP asks of a session identifier."""
POINTER_CHARACTERS = 43
SID_BYTES = 16

EXTEND_AFTER_SECONDS = 60
"""A session in use is written at most this often."""
MAX_AGENT_CHARACTERS = 200


class ServerSessions:
    """Keeps sessions in the provider's storage.

    What the browser holds is never stored: the artifact stands under its digest. `expires_at` is the end by idleness,
    pushed on while the session is used; `ends_at` in the payload is the end that nothing pushes on.
    """

    def __init__(self, provider: Provider) -> None:
        """Take the provider; its storage and keys are asked for later, when they stand."""
        self._provider = provider
        self._cached = f"portula.{provider.name}.session"

    def current(self) -> LoginSession | None:
        """Return the live session of the current Flask request; looked up once a request."""
        environ = request.environ
        if self._cached not in environ:
            environ[self._cached] = self._look_up()
        return cast("LoginSession | None", environ[self._cached])

    def start(self, subject: str, username: str, amr: Sequence[str]) -> LoginSession:
        """Begin a session under a new cookie and end the browser's old one (session fixation)."""
        settings = self._provider.settings(SessionSettings)
        now = self._provider.now()
        ends_at = now + settings.SESSION_LIFETIME_SECONDS
        pointer, before = secrets.token_urlsafe(POINTER_BYTES), self.current()
        sid = before.sid if before and before.subject == subject else secrets.token_urlsafe(SID_BYTES)
        artifact = Artifact(
            digest=self._provider.keys.digest(KIND, pointer),
            kind=KIND,
            issued_at=now,
            expires_at=min(ends_at, now + settings.SESSION_IDLE_SECONDS),
            family=self._provider.keys.digest(_BY_SUBJECT, subject),
            payload={
                "sid": sid,
                "authentication": secrets.token_urlsafe(SID_BYTES),
                "subject": subject,
                "username": username,
                "auth_time": now,
                "amr": list(amr),
                "address": self._provider.client_address(),
                "agent": _printable(request.user_agent.string),
                "ends_at": ends_at,
            },
        )
        storage = self._provider.storage
        with storage.transaction():
            self._forget_browser()
            storage.add(artifact)
        self._send_cookie(
            pointer, settings.SESSION_LIFETIME_SECONDS if settings.SESSION_COOKIE_PERSISTENT else None
        )
        session = _session(artifact)
        request.environ[self._cached] = session
        return session

    def end(self) -> LoginSession | None:
        """End the browser's session and return it; the cookie goes too."""
        session = self.current()
        self._forget_browser()
        if self._pointer() is not None:
            self._send_cookie("", 0)
        request.environ[self._cached] = None
        return session

    def end_all(self, subject: str) -> int:
        """End every session of a person, in all browsers; return how many."""
        if has_request_context():
            request.environ.pop(self._cached, None)
        return self._provider.storage.remove(
            Artifact, family=self._provider.keys.digests(_BY_SUBJECT, subject)
        )

    def _pointer(self) -> str | None:
        """Return the cookie's value if it can be one of ours."""
        value = request.cookies.get(self._provider.pages.cookie_name(COOKIE), "")
        return value if len(value) == POINTER_CHARACTERS and value.isascii() else None

    def _look_up(self) -> LoginSession | None:
        pointer = self._pointer()
        if pointer is None:
            return None
        artifact = self._provider.storage.find(Artifact, digest=self._provider.keys.digests(KIND, pointer))
        if artifact is None or artifact.kind != KIND or (artifact.expires_at or 0) <= self._provider.now():
            return None
        self._extend(artifact)
        return _session(artifact)

    def _extend(self, artifact: Artifact) -> None:
        """Note that the session is in use; of processes that notice at once, one writes."""
        idle = self._provider.settings(SessionSettings).SESSION_IDLE_SECONDS
        expires_at = min(artifact.payload["ends_at"], self._provider.now() + idle)
        if expires_at >= (artifact.expires_at or 0) + EXTEND_AFTER_SECONDS:
            where = {"digest": artifact.digest, "expires_at": artifact.expires_at}
            self._provider.storage.change(Artifact, where, expires_at=expires_at)

    def _forget_browser(self) -> None:
        pointer = self._pointer()
        if pointer is not None:
            self._provider.storage.remove(
                Artifact, digest=self._provider.keys.digests(KIND, pointer), kind=KIND
            )

    def _send_cookie(self, value: str, max_age: int | None) -> None:
        @after_this_request
        def send(response: Response) -> Response:
            self._provider.pages.set_cookie(response, COOKIE, value, max_age)
            return response


def _session(artifact: Artifact) -> LoginSession:
    payload = artifact.payload
    return LoginSession(
        sid=payload["sid"],
        subject=payload["subject"],
        username=payload["username"],
        auth_time=payload["auth_time"],
        amr=tuple(payload["amr"]),
        expires_at=payload["ends_at"],
        authentication=payload["authentication"],
    )


def _printable(text: str) -> str:
    return "".join(filter(str.isprintable, text))[:MAX_AGENT_CHARACTERS]
