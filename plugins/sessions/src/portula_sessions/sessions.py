"""The sessions slot: login sessions as artifacts, found by the digest of a cookie."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, cast

from flask import Response, after_this_request, has_request_context, request

from portula import Plugin
from portula.errors import RecordReplayed
from portula.plugin import (
    Artifact,
    ChangeAll,
    LoginSession,
    Plan,
    Remove,
    SessionEnded,
    Sessions,
    SessionSummary,
    log_failure,
    page_after,
)
from portula_sessions.settings import SessionSettings

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import Counts, PlanPart

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
MAX_SEEN = 100
"""Sessions that a person is shown."""
MAX_ENDED = 50
"""Sessions that are ended in one plan."""


class ServerSessions(Sessions):
    """Keeps sessions in the provider's storage.

    What the browser holds is never stored: the artifact stands under its digest. `expires_at` is the end by idleness,
    pushed on while the session is used; `ends_at` in the payload is the end that nothing pushes on.
    """

    def __init__(self, provider: Provider) -> None:
        """Take the provider; its storage and keys are asked for later, when they stand."""
        self._provider = provider
        self._cached = f"portula.{provider.name}.session"
        self._read = f"portula.{provider.name}.session as stored"
        self._required = f"portula.{provider.name}.session required"

    # --- The browser's own ---

    def current(self) -> LoginSession | None:
        """Return the live session of the current Flask request; looked up once a request."""
        environ = request.environ
        if self._cached not in environ:
            environ[self._cached] = self._look_up()
        return cast("LoginSession | None", environ[self._cached])

    def start(
        self, subject: str, username: str, amr: Sequence[str], plan: Plan | None = None
    ) -> LoginSession:
        """Begin a session under a new cookie and end the browser's old one (session fixation)."""
        settings = self._provider.settings(SessionSettings)
        now = self._provider.now()
        ends_at = now + settings.SESSION_LIFETIME_SECONDS
        pointer, before = secrets.token_urlsafe(POINTER_BYTES), self._find()
        again = before is not None and self.current() is not None and before.subject == subject
        payload = before.payload if before is not None and again else {}
        artifact = Artifact(
            digest=self._provider.keys.digest(KIND, pointer),
            kind=KIND,
            issued_at=now,
            expires_at=min(ends_at, now + settings.SESSION_IDLE_SECONDS),
            family=self._provider.keys.digest(_BY_SUBJECT, subject),
            subject=subject,
            payload={
                "sid": payload.get("sid") or secrets.token_urlsafe(SID_BYTES),
                "authentication": secrets.token_urlsafe(SID_BYTES),
                "username": username,
                "auth_time": now,
                "amr": list(amr),
                "address": self._provider.client_address(),
                "agent": _printable(request.user_agent.string),
                "ends_at": ends_at,
                "started_at": payload.get("started_at") or now,
                "seen_at": now,
            },
        )
        whole = Plan()
        whole.extend(plan)
        if before is not None and again:
            whole.remove(Artifact, digest=before.digest, kind=KIND)
        whole.add(artifact)
        self._end([before] if before is not None and not again else [], whole)
        self._send_cookie(
            pointer, settings.SESSION_LIFETIME_SECONDS if settings.SESSION_COOKIE_PERSISTENT else None
        )
        session = _session(artifact)
        request.environ |= {self._cached: session, self._read: artifact}
        return session

    def end(self, plan: Plan | None = None) -> Counts:
        """End the browser's session, in one plan with what else is planned; the cookie goes too."""
        stored = self._find()
        _, counts = self._end([] if stored is None else [stored], plan)
        if self._pointer() is not None:
            self._send_cookie("", 0)
        request.environ[self._cached] = None
        return counts

    def require_session(self, sid: str | None) -> list[PlanPart]:
        """Return the part of a plan that requires the browser's session to be stored; nothing for another `sid`.

        Who asks a second time within a request has failed with it, so that `current` looks anew from then on.
        """
        environ = request.environ if has_request_context() else {}
        stored: Artifact | None = environ.get(self._read)
        if stored is None or stored.payload["sid"] != sid:
            return []
        if environ.get(self._required):
            environ.pop(self._cached, None)
        environ[self._required] = True
        plan = Plan()
        plan.require(stored, taken_at=None)
        return plan.parts

    # --- Those of a person ---

    def end_one(self, subject: str, sid: str) -> bool:
        """End the session of a person that has this identifier, in whatever browser."""
        ended, _ = self._end(stored for stored in self._of(subject) if stored.payload["sid"] == sid)
        return bool(ended)

    def end_all(self, subject: str, plan: Plan | None = None, *, except_sid: str | None = None) -> int:
        """End every session of a person, in all browsers but one; return how many.

        More than MAX_ENDED take several plans; that of the caller is applied with the last: who meets a fault in
        between does all of it again. Sessions are looked for once more behind a plan: until it was applied, somebody
        whom it shuts out could still begin one. A failure then is logged: the plan is applied.
        """

        def others() -> Iterator[Artifact]:
            return (stored for stored in self._of(subject) if stored.payload["sid"] != except_sid)

        ended, _ = self._end(others(), plan)
        if plan is None:
            return ended
        try:
            return ended + self._end(others())[0]
        except Exception as failure:  # noqa: BLE001 - it is logged
            log_failure(failure, "sessions that began while the others of their person were ended may remain")
            return ended

    def live_sessions(self, subject: str) -> list[SessionSummary]:
        """Return the live sessions of a person, the one last in use first."""
        return sorted(self._live(subject), key=lambda seen: seen.seen_at, reverse=True)[:MAX_SEEN]

    def page(self, subject: str, *, limit: int, after: str | None = None) -> list[SessionSummary]:
        """Return up to `limit` live sessions of a person behind the one with the sid `after`, the newest first.

        They are in the order in which they began, which does not change while somebody turns pages. One that has
        ended meanwhile is behind none.
        """
        found = sorted(self._live(subject), key=lambda seen: (-seen.started_at, seen.session.sid))
        return page_after(found, after, limit=limit, key=lambda seen: seen.session.sid)

    def find(self, subject: str, sid: str) -> SessionSummary | None:
        """Return the live session of a person that has this identifier."""
        return next((seen for seen in self._live(subject) if seen.session.sid == sid), None)

    def _live(self, subject: str) -> Iterator[SessionSummary]:
        """Yield the live sessions of a person."""
        current, now = self.current() if has_request_context() else None, self._provider.now()
        for stored in self._of(subject):
            if (stored.expires_at or 0) > now:
                yield SessionSummary(
                    session=_session(stored),
                    started_at=stored.payload["started_at"],
                    seen_at=stored.payload["seen_at"],
                    agent=stored.payload["agent"],
                    address=stored.payload["address"],
                    current=current is not None and stored.payload["sid"] == current.sid,
                )

    def _of(self, subject: str) -> Iterator[Artifact]:
        """Yield what is stored of a person's sessions, expired ones too."""
        family, after = self._provider.keys.digests(_BY_SUBJECT, subject), None
        while page := self._provider.storage.select(Artifact, family=family, after=after):
            yield from (stored for stored in page if stored.subject)  # none that an early version began
            after = page[-1].digest

    # --- Ending ---

    def _end(self, sessions: Iterable[Artifact], plan: Plan | None = None) -> tuple[int, Counts]:
        """End sessions: the one place where that happens, so that nobody misses it.

        An expired one counts: whoever ends all sessions of a person wants the apps to hear of it.

        Returns:
            How many there were, and what became of `plan`.
        """
        found = list(sessions)  # all are read before the first is ended
        groups = [found[start : start + MAX_ENDED] for start in range(0, len(found), MAX_ENDED)] or [[]]
        ended, counts = 0, dict[ChangeAll | Remove, int]()
        for group in groups:
            number, applied = self._end_together(group, plan if group is groups[-1] else None)
            ended += number
            counts |= applied
        return ended, counts

    def _end_together(self, sessions: Sequence[Artifact], plan: Plan | None) -> tuple[int, Counts]:
        """End sessions in one plan with what they leave to be done, and with what else is planned."""
        provider = self._provider
        ends = {stored.digest: self._planned_end(stored) for stored in sessions}
        while True:
            whole = Plan()
            for _, end in ends.values():
                whole.extend(end)
            whole.extend(plan)
            try:
                counts = provider.storage.apply(whole)
            except RecordReplayed as replayed:  # another process has ended one of them in this moment
                if ends.pop(getattr(replayed.record, "digest", ""), None) is None:
                    raise
            else:
                break
        if has_request_context():
            request.environ.pop(self._cached, None)
        for event, _ in ends.values():
            provider.hooks.tell(Plugin.portula_session_ended, event)
        return len(ends), counts

    def _planned_end(self, stored: Artifact) -> tuple[SessionEnded, Plan]:
        provider, payload, plan = self._provider, stored.payload, Plan()
        event = SessionEnded(provider=provider, subject=str(stored.subject), sid=payload["sid"])
        plan.take(stored, at=provider.now())
        plan.remove(Artifact, digest=stored.digest)
        plan.extend(provider.hooks.record(Plugin.portula_record_session_end, event))
        return event, plan

    # --- Cookie and record ---

    def _pointer(self) -> str | None:
        """Return the cookie's value if it can be one of ours."""
        value = request.cookies.get(self._provider.pages.cookie_name(COOKIE), "")
        return value if len(value) == POINTER_CHARACTERS and value.isascii() else None

    def _find(self) -> Artifact | None:
        """Return what the cookie points to, expired or not; the person is read with it, for the login."""
        pointer = self._pointer()
        if pointer is None:
            return None
        digests = self._provider.keys.digests(KIND, pointer)
        found = self._provider.people.find_along(Artifact, digest=digests)
        artifact = None if found is None else found[0]
        return artifact if artifact is not None and artifact.kind == KIND and artifact.subject else None

    def _look_up(self) -> LoginSession | None:
        artifact = self._find()
        if artifact is None or (artifact.expires_at or 0) <= self._provider.now():
            return None
        self._extend(artifact)
        request.environ[self._read] = artifact
        return _session(artifact)

    def _extend(self, artifact: Artifact) -> None:
        """Note that the session is in use; of processes that notice at once, one writes."""
        now, idle = self._provider.now(), self._provider.settings(SessionSettings).SESSION_IDLE_SECONDS
        if now < artifact.payload["seen_at"] + EXTEND_AFTER_SECONDS:
            return
        changed: dict[str, Any] = {
            "expires_at": min(artifact.payload["ends_at"], now + idle),
            "payload": {**artifact.payload, "seen_at": now},
        }
        where = {"digest": artifact.digest, "expires_at": artifact.expires_at}
        plan = Plan()
        plan.change_all(Artifact, where, **changed)
        self._provider.storage.apply(plan)

    def _send_cookie(self, value: str, max_age: int | None) -> None:
        @after_this_request
        def send(response: Response) -> Response:
            self._provider.pages.set_cookie(response, COOKIE, value, max_age)
            return response


def _session(artifact: Artifact) -> LoginSession:
    payload = artifact.payload
    return LoginSession(
        sid=payload["sid"],
        subject=str(artifact.subject),
        username=payload["username"],
        auth_time=payload["auth_time"],
        amr=tuple(payload["amr"]),
        expires_at=payload["ends_at"],
        authentication=payload["authentication"],
    )


def _printable(text: str) -> str:
    return "".join(filter(str.isprintable, text))[:MAX_AGENT_CHARACTERS]
