"""Deliveries: messages to other servers that are written down with what causes them, and sent until they arrived.

What waits is an artifact, added by the plan of a request. Its `taken_at` is the time before which nobody may try: a
lease while somebody does, and the back-off after a failure. Whoever changes it from what it was is the one who tries.
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from portula.flow.origins import Origins, pause_after
from portula.flow.service_hooks import ServiceHooks
from portula.model.errors import Conflict, FetchFailed, JoseError
from portula.model.plans import Add, Plan
from portula.model.records import Artifact
from portula.model.uris import origin_of

if TYPE_CHECKING:
    from portula.flow.authorization_server import AuthorizationServer

log = logging.getLogger("portula")

FAMILY = "delivery"
"""All that waits is found by it."""

LEASE_SECONDS = 180
"""Longer than any attempt takes; after it, somebody else tries what a process that died had begun."""

PAGE = 100

UNWELL = frozenset({429, *range(500, 600)})
"""Statuses by which a server says that it cannot do anything now (RFC 9110 §15.6, RFC 6585 §4)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivery:
    """What waits, as its kind is shown it when it is sent."""

    provider: AuthorizationServer
    data: Mapping[str, Any] = field(repr=False)
    """What was written down with it."""
    client_id: str | None
    attempt: int
    """1 for the first."""


@dataclass(frozen=True, kw_only=True, slots=True)
class OutgoingMessage:
    """One POST."""

    url: str
    """https, and public unless the deployment allows others (`Fetcher`)."""
    body: Mapping[str, str] | bytes = field(repr=False)
    """A mapping is sent as a form."""
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class DeliveryKind:
    """How deliveries of one kind are sent."""

    what: str
    """What it tells, for logs: `of a logout`."""
    message: Callable[[Delivery], OutgoingMessage | None]
    """Makes what is sent, anew for each attempt; None: it need not arrive any more. If it raises, it is tried again."""
    done: frozenset[int] = frozenset()
    """Statuses that say that it arrived, besides those from 200 to 299."""
    permanent: frozenset[int] = frozenset()
    """Statuses that say that it never will; at any other it is tried again."""
    retry_seconds: int = 10
    """Until the second attempt; the pause doubles each time, up to an hour."""
    give_up_seconds: int = 24 * 3600
    """After which it is given up."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What came of a pass through what waits."""

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


class DeliveryWorker(ABC):
    """Who sees to it that what waits is delivered."""

    @abstractmethod
    def wake(self, added: int) -> None:
        """Hear that so many deliveries were written down and committed by a process that serves."""

    @abstractmethod
    def look(self) -> None:
        """Hear that a request was answered: the moment to look, now and then, for what was left undelivered."""


class _Pointless(Exception):
    """Nothing is sent, now or later; the message says why."""


class Deliveries:
    """The deliveries of one provider. Safe to share between threads and processes."""

    def __init__(
        self, provider: AuthorizationServer, kinds: Mapping[str, DeliveryKind], at_once: int
    ) -> None:
        """Take the provider, the kinds by name, and how many threads of this process deliver, 0 for none."""
        self._provider = provider
        self.kinds = kinds
        # Half of the threads at the most wait for one server; jobs, which are processes, each know of themselves alone.
        self._origins = Origins((at_once + 1) // 2)

    def record(
        self, kind: str, name: str, url: str, data: Mapping[str, Any], *, client_id: str | None = None
    ) -> Add:
        """Return the part of a plan that writes a delivery down; one that waits under the name already stays as it is.

        Args:
            kind: name of its kind.
            name: unique among those of the kind.
            url: where it will go, as far as it is known now; only its origin is kept, to spare servers that fail.
            data: what the kind needs to make the message, as JSON has it; no secret.
            client_id: the client it is about, if any.
        """
        keys, now = self._provider.keys, self._provider.now()
        artifact = Artifact(
            digest=keys.digest(kind, name),
            kind=kind,
            payload={"data": dict(data), "origin": origin_of(url) or "", "attempts": 0},
            issued_at=now,
            client_id=client_id,
            family=keys.digest(FAMILY, ""),
            expires_at=now + self.kinds[kind].give_up_seconds,
        )
        return Add(record=artifact, unless_known=True)

    def in_plan(self, plan: Plan) -> int:
        """Return how many deliveries a plan writes down."""
        return sum(record.kind in self.kinds for record in plan.additions(Artifact))

    def due(self) -> bool:
        """Say whether anything waits that may be tried now."""
        now = self._provider.now()
        return any(_not_before(waiting) <= now for waiting in self._waiting(self.kinds))

    def deliver(self, *, kinds: Collection[str] | None = None, impatient: bool = False) -> Tally:
        """Try everything that is due, once; whatever is wrong with one does not keep the next from being tried.

        A server that gives no answer, or says that it cannot now, is left alone for a while, whatever waits for it. So
        it holds up what goes elsewhere for the time of one attempt at the most.

        Args:
            kinds: which kinds; None for all.
            impatient: whether to try also what waits for its next attempt, unless somebody is at it.
        """
        tally, origins = Tally(), Origins(0) if impatient else self._origins
        for waiting in self._waiting(self.kinds if kinds is None else kinds):
            allowed_at = _not_before(waiting)
            leased = waiting.payload["attempts"] != waiting.payload.get("failed", 0)
            if allowed_at > self._provider.now() and (leased or not impatient):
                tally += Tally(next_at=allowed_at)
                continue
            with origins.turn(waiting.payload["origin"], self._provider.now()) as turn:
                if not turn.free:
                    tally += Tally(next_at=turn.free_at)
                    continue
                claimed = self._claim(waiting)
                if claimed is not None:
                    tally += self._attempt(claimed, origins)
        return tally

    def _waiting(self, kinds: Collection[str]) -> Iterator[Artifact]:
        family, after = self._provider.keys.digests(FAMILY, ""), None
        while page := self._provider.storage.select(Artifact, family=family, limit=PAGE, after=after):
            yield from (waiting for waiting in page if waiting.kind in kinds)
            after = page[-1].digest

    def _claim(self, waiting: Artifact) -> Artifact | None:
        """Take a lease; None when somebody else was first."""
        until = self._provider.now() + LEASE_SECONDS
        payload = {**waiting.payload, "attempts": waiting.payload["attempts"] + 1}
        return self._change(waiting, until, payload)

    def _attempt(self, claimed: Artifact, origins: Origins) -> Tally:
        kind, origin = self.kinds[claimed.kind], claimed.payload["origin"]
        try:
            self._post(claimed, kind)
        except _Pointless as pointless:
            return self._give_up(claimed, str(pointless))
        except FetchFailed as failure:
            if failure.status is None or failure.status in UNWELL:
                origins.note_failure(origin, self._provider.now(), kind.retry_seconds)
            else:
                origins.note_answer(origin)
            if failure.status in kind.done:
                return self._finish(claimed)
            go_on = self._give_up if failure.status in kind.permanent else self._later
            return go_on(claimed, str(failure))
        except JoseError as failure:
            return self._later(claimed, f"the message could not be signed: {failure}")
        except Exception:
            log.exception("telling %s %s failed", _receiver(claimed), kind.what)
            return self._later(claimed, "of a fault here")
        origins.note_answer(origin)
        return self._finish(claimed)

    def _post(self, claimed: Artifact, kind: DeliveryKind) -> None:
        if (claimed.expires_at or 0) <= self._provider.now():
            raise _Pointless("it took too long")
        message = kind.message(
            Delivery(
                provider=self._provider,
                data=claimed.payload["data"],
                client_id=claimed.client_id,
                attempt=claimed.payload["attempts"],
            )
        )
        if message is None:
            raise _Pointless("it need not hear any more")
        fetcher = self._provider.hooks.ask(ServiceHooks.portula_fetcher)
        fetcher.post(message.url, message.body, headers=message.headers)

    def _later(self, claimed: Artifact, reason: str) -> Tally:
        kind, attempts = self.kinds[claimed.kind], claimed.payload["attempts"]
        pause = pause_after(kind.retry_seconds, attempts)
        at = self._provider.now() + pause
        if at >= (claimed.expires_at or 0):
            return self._give_up(claimed, reason)
        log.warning(
            "%s did not hear %s, tried %d times, again in %d seconds: %s",
            _receiver(claimed),
            kind.what,
            attempts,
            pause,
            reason,
        )
        self._change(claimed, at, {**claimed.payload, "failed": attempts})
        return Tally(failed=1, next_at=at)

    def _give_up(self, claimed: Artifact, reason: str) -> Tally:
        log.warning(
            "%s will not hear %s, tried %d times: %s",
            _receiver(claimed),
            self.kinds[claimed.kind].what,
            claimed.payload["attempts"],
            reason,
        )
        self._remove(claimed)
        return Tally(given_up=1)

    def _finish(self, claimed: Artifact) -> Tally:
        self._remove(claimed)
        return Tally(delivered=1)

    def _remove(self, claimed: Artifact) -> None:
        """Remove what is done, unless the lease ran out and somebody else is at it."""
        plan = Plan()
        plan.remove(Artifact, digest=claimed.digest, taken_at=claimed.taken_at)
        self._provider.storage.apply(plan)

    def _change(self, read: Artifact, not_before: int, payload: dict[str, Any]) -> Artifact | None:
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


def _receiver(claimed: Artifact) -> str:
    return claimed.client_id or claimed.payload["origin"]
