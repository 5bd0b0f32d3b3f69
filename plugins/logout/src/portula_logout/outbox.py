"""Logout tokens that wait to be delivered: written where the session ends, and kept until the app's server has heard.

What waits is one artifact for each session and app. Its `taken_at` is the time before which nobody may try: a lease
while somebody does, and the back-off after a failure. Whoever changes it from what it was is the one who tries.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from portula import Plugin
from portula.errors import Conflict, FetchFailed, JoseError
from portula.plugin import Add, Application, Artifact, Plan, log_failure
from portula_logout.logout_token import make_logout_token
from portula_logout.settings import LogoutSettings

if TYPE_CHECKING:
    from portula.plugin import AuthorizationServer, SessionEnded

log = logging.getLogger("portula")

KIND = "logout-token"
MEMBER = "backchannel_logout_uri"
"""Where a client's server wants to hear of it (Back-Channel Logout §2.2)."""

LEASE_SECONDS = 180
"""Longer than any attempt takes; after it, somebody else tries what a process that died had begun."""

MAX_PAUSE_SECONDS = 3600
REFUSED = 400
"""The app's server says that it cannot do it (§2.8): it is not asked again."""

PAGE = 100


@dataclass(frozen=True, slots=True)
class Tally:
    """What came of a pass through the outbox."""

    delivered: int = 0
    failed: int = 0
    """To be tried again later."""
    given_up: int = 0
    next_at: int | None = None
    """When the next of those that wait is due, Unix seconds; None when none waits."""

    def __add__(self, other: Tally) -> Tally:
        """Join two."""
        times = [time for time in (self.next_at, other.next_at) if time is not None]
        return Tally(
            self.delivered + other.delivered,
            self.failed + other.failed,
            self.given_up + other.given_up,
            min(times, default=None),
        )


class _Pointless(Exception):
    """Nothing is sent, now or later; the message says why."""


class Outbox:
    """The deliveries of one provider. Safe to share between threads and processes."""

    def __init__(self, provider: AuthorizationServer) -> None:
        """Take the provider."""
        self._provider = provider
        self._settings = provider.settings(LogoutSettings)

    def delivery(self, event: SessionEnded, client: Application, issuer: str) -> list[Add]:
        """Return the record that an app's server is to hear of an end; none if it wants to hear nothing."""
        if MEMBER not in client.metadata:
            return []
        keys, now = self._provider.keys, self._provider.now()
        artifact = Artifact(
            digest=keys.digest(KIND, f"{event.sid}\0{client.client_id}"),
            kind=KIND,
            payload={"issuer": issuer, "subject": event.subject, "sid": event.sid, "attempts": 0},
            issued_at=now,
            client_id=client.client_id,
            family=keys.digest(KIND, ""),
            expires_at=now + self._settings.OIDC_BACKCHANNEL_LOGOUT_GIVE_UP_SECONDS,
        )
        return [Add(record=artifact, unless_known=True)]  # it may wait already

    def waiting(self) -> int:
        """Return how many deliveries wait, counted to PAGE."""
        family = self._provider.keys.digests(KIND, "")
        return len(self._provider.storage.select(Artifact, family=family, limit=PAGE))

    def due(self) -> bool:
        """Say whether anything waits that may be tried now."""
        return any(_not_before(waiting) <= self._provider.now() for waiting in self._waiting())

    def deliver(self, *, impatient: bool = False) -> Tally:
        """Try everything that is due, once; whatever is wrong with one does not keep the next from being tried.

        Args:
            impatient: whether to try also what waits for its next attempt, unless somebody is at it.
        """
        tally = Tally()
        for waiting in self._waiting():
            allowed_at = _not_before(waiting)
            leased = waiting.payload["attempts"] != waiting.payload.get("failed", 0)
            if allowed_at > self._provider.now() and (leased or not impatient):
                tally += Tally(next_at=allowed_at)
                continue
            claimed = self._claim(waiting)
            if claimed is not None:
                tally += self._attempt(claimed)
        return tally

    def _waiting(self) -> Iterator[Artifact]:
        family, after = self._provider.keys.digests(KIND, ""), None
        while page := self._provider.storage.select(Artifact, family=family, limit=PAGE, after=after):
            yield from page
            after = page[-1].digest

    def _claim(self, waiting: Artifact) -> Artifact | None:
        """Take a lease; None when somebody else was first."""
        until = self._provider.now() + LEASE_SECONDS
        payload = {**waiting.payload, "attempts": waiting.payload["attempts"] + 1}
        return self._changed(waiting, until, payload)

    def _attempt(self, claimed: Artifact) -> Tally:
        try:
            self._post(claimed)
        except _Pointless as pointless:
            return self._give_up(claimed, str(pointless))
        except FetchFailed as failure:
            go_on = self._give_up if failure.status == REFUSED else self._later
            return go_on(claimed, str(failure))
        except JoseError as failure:
            return self._later(claimed, f"the token could not be signed: {failure}")
        except Exception as failure:  # noqa: BLE001 - it is logged
            log_failure(failure, "telling %s of a logout failed", claimed.client_id)
            return self._later(claimed, "of a fault here")
        self._remove(claimed)
        return Tally(delivered=1)

    def _post(self, claimed: Artifact) -> None:
        """Tell the app's server, as it is registered now."""
        if (claimed.expires_at or 0) <= self._provider.now():
            raise _Pointless("it took too long")
        client = self._provider.clients.find(claimed.client_id or "")
        if client is None or MEMBER not in client.metadata:
            raise _Pointless("the app no longer wants to hear of it")
        kept = claimed.payload
        token = make_logout_token(self._provider, client, kept["issuer"], kept["subject"], kept["sid"])
        self._provider.hooks.ask(Plugin.portula_fetcher).post(
            client.metadata[MEMBER], {"logout_token": token}
        )

    def _later(self, claimed: Artifact, reason: str) -> Tally:
        """Let it wait twice as long as the last time, up to an hour."""
        attempts = claimed.payload["attempts"]
        first = self._settings.OIDC_BACKCHANNEL_LOGOUT_RETRY_SECONDS
        pause = min(first << min(attempts - 1, 12), MAX_PAUSE_SECONDS)
        at = self._provider.now() + pause
        if at >= (claimed.expires_at or 0):
            return self._give_up(claimed, reason)
        log.warning(
            "%s did not hear of a logout, tried %d times, again in %d seconds: %s",
            claimed.client_id,
            attempts,
            pause,
            reason,
        )
        self._changed(claimed, at, {**claimed.payload, "failed": attempts})
        return Tally(failed=1, next_at=at)

    def _give_up(self, claimed: Artifact, reason: str) -> Tally:
        log.warning(
            "%s will not hear of a logout, tried %d times: %s",
            claimed.client_id,
            claimed.payload["attempts"],
            reason,
        )
        self._remove(claimed)
        return Tally(given_up=1)

    def _remove(self, claimed: Artifact) -> None:
        """Remove what is done, unless the lease ran out and somebody else is at it."""
        plan = Plan()
        plan.remove(Artifact, digest=claimed.digest, taken_at=claimed.taken_at)
        self._provider.storage.apply(plan)

    def _changed(self, read: Artifact, not_before: int, payload: dict[str, Any]) -> Artifact | None:
        """Change a delivery, and return it as it is now; None when somebody else is at it."""
        plan = Plan()
        plan.change(read, given={"taken_at": read.taken_at}, taken_at=not_before, payload=payload)
        try:
            self._provider.storage.apply(plan)
        except Conflict:
            return None
        return replace(read, taken_at=not_before, payload=payload)


def _not_before(waiting: Artifact) -> int:
    return waiting.taken_at or 0
