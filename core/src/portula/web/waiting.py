"""Requests that wait on the server while their person signs in or reads a page (attacks S07, S71)."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from portula.model.http import Answer
from portula.model.plans import plan_to_add
from portula.model.records import Artifact

if TYPE_CHECKING:
    from portula.flow.exchange import PageExchange
    from portula.flow.messages import Pairs
    from portula.model.people import AuthenticatedUser
    from portula.web.provider import Provider

POSTED_SECONDS = 600
"""How long a request that was posted waits for its browser to come back by GET."""

AGAIN_SECONDS = 10
"""How long the same answer of the same person, e.g. a second click, gets the same response."""

_ANY_BROWSER = ""
_ANSWER = "interaction answer"


@dataclass(frozen=True, slots=True)
class Waiting:
    """A request that waits; for some seconds after its answer too."""

    name: str
    pairs: Pairs
    """Its parameters."""
    presented: Pairs
    """Its parameters as the client sent them; see `PageExchange.presented`."""
    subject: str | None
    """Whom a page was shown to; None while nobody is known."""
    before: list[object] | None
    """Who was signed in when the request was sent to the login; see `fresh`."""
    sent_to_login: bool
    late: bool
    """Whether the person took longer than INTERACTION_EXPIRE_SECONDS: the client may still be told that."""
    artifact: Artifact

    @property
    def over(self) -> bool:
        """Whether it was answered."""
        return self.artifact.taken_at is not None

    def fresh(self, user: AuthenticatedUser | None) -> bool:
        """Say whether this person has signed in since the request was sent to the login."""
        return user is not None and self.sent_to_login and _signing_in(user) != self.before


class WaitingRequests:
    """Keeps, finds and ends them."""

    def __init__(self, provider: Provider, kind: str, page: str = "") -> None:
        """Take the provider.

        Args:
            provider: whose storage keeps them.
            kind: of their artifacts.
            page: tells the requests of one page from those of others of this kind.
        """
        self._provider = provider
        self._seconds = provider.core_settings.INTERACTION_EXPIRE_SECONDS
        self._kind = kind
        self._page = page

    def keep_posted(self, pairs: Pairs) -> str:
        """Keep a request that came by POST, when Lax cookies did not: no browser is known yet. Return its name."""
        return self._keep(pairs, pairs, seconds=POSTED_SECONDS, browser=_ANY_BROWSER)

    def keep_for_login(self, exchange: PageExchange, before: AuthenticatedUser | None) -> str:
        """Keep a request while its person signs in; `before` is who is signed in now."""
        signed_in = None if before is None else _signing_in(before)
        seconds = 2 * self._seconds
        return self._keep(exchange.pairs, exchange.presented, seconds=seconds, before=signed_in, sent=True)

    def keep_for_page(self, exchange: PageExchange, user: AuthenticatedUser, before: Waiting | None) -> str:
        """Keep a request while its person reads the page about it; `before` is where it waited for them to sign in."""
        seconds, after = 2 * self._seconds, None if before is None else before.artifact.digest
        return self._keep(
            exchange.pairs, exchange.presented, seconds=seconds, subject=user.subject, after=after
        )

    def find(self, name: str) -> Waiting | None:
        """Return a request that waits for this browser, or was answered some seconds ago.

        None when it is over, or another browser's (attack S10).
        """
        provider, now = self._provider, self._provider.now()
        digests = provider.keys.digests(self._kind, f"{self._page}{name}")
        artifact = provider.storage.find(Artifact, digest=digests)
        if artifact is None or (artifact.expires_at or 0) <= now:
            return None
        if artifact.taken_at is not None and artifact.taken_at + AGAIN_SECONDS <= now:
            return None
        payload = artifact.payload
        if payload["browser"] != _ANY_BROWSER and not provider.keys.verify(
            self._kind, provider.pages.browser(), payload["browser"]
        ):
            return None
        pairs = [(key, value) for key, value in payload["pairs"]]
        presented = [(key, value) for key, value in payload["presented"]] if "presented" in payload else pairs
        late = artifact.issued_at + self._seconds <= now
        return Waiting(
            name, pairs, presented, payload["subject"], payload["before"], payload["sent"], late, artifact
        )

    def end(
        self, waiting: Waiting, exchange: PageExchange, user: AuthenticatedUser, *, allowed: bool
    ) -> None:
        """Plan to end the wait with the answer to the exchange; it fails with RecordReplayed when somebody else did.

        Where it waited for its person before ends too: who goes back there has signed in for an answer that was given.
        The answer is kept for `again`, under a key that only this browser and the name of the wait give.
        """
        plan, under, now = exchange.plan, self._under(waiting.name), self._provider.now()
        after = waiting.artifact.payload.get("after")
        before = None if after is None else self._provider.storage.find(Artifact, digest=after)
        plan.take(waiting.artifact, at=now)
        if before is not None:
            plan.take(before, at=now)

        def keep(answer: Answer) -> None:
            payload = {
                "subject": user.subject,
                "allowed": allowed,
                "status": answer.status,
                "headers": dict(answer.headers),
                "body": answer.body.decode(),
            }
            sealed = self._provider.keys.seal(_ANSWER, json.dumps(payload), under=under)
            plan.change(waiting.artifact, payload={**waiting.artifact.payload, "answer": sealed})

        exchange.on_answer = keep

    def again(self, name: str, user: AuthenticatedUser | None, *, allowed: bool) -> Answer | None:
        """Return what the same person's same answer got some seconds ago in this browser; None for anybody else."""
        waiting = self.find(name)
        sealed = waiting.artifact.payload.get("answer") if waiting is not None and waiting.over else None
        opened = sealed and self._provider.keys.unseal(_ANSWER, sealed, under=self._under(name))
        if user is None or not opened:
            return None
        payload = json.loads(opened)
        if (payload["subject"], payload["allowed"]) != (user.subject, allowed):
            return None
        return Answer(payload["status"], payload["headers"], payload["body"].encode())

    def _under(self, name: str) -> str:
        return f"{self._provider.pages.browser()}\0{name}"

    def _keep(
        self,
        pairs: Pairs,
        presented: Pairs,
        *,
        seconds: int,
        browser: str | None = None,
        subject: str | None = None,
        before: list[object] | None = None,
        sent: bool = False,
        after: str | None = None,
    ) -> str:
        provider, now, name = self._provider, self._provider.now(), secrets.token_urlsafe(32)
        resolved = {} if presented is pairs else {"presented": [list(pair) for pair in presented]}
        if subject is None:
            texts = (text for pair in (*pairs, *(presented if resolved else ())) for text in pair)
            provider.strangers.admit(provider.client_address(), sum(len(text.encode()) for text in texts))
        if browser is None:
            browser = provider.keys.digest(self._kind, provider.pages.browser())
        waiting = Artifact(
            digest=provider.keys.digest(self._kind, f"{self._page}{name}"),
            kind=self._kind,
            payload={
                "pairs": [list(pair) for pair in pairs],
                **resolved,
                "subject": subject,
                "before": before,
                "sent": sent,
                "browser": browser,
                **({} if after is None else {"after": after}),
            },
            issued_at=now,
            expires_at=now + seconds,
        )
        provider.storage.apply(plan_to_add(waiting))
        return name


def _signing_in(user: AuthenticatedUser) -> list[object]:
    """Return what differs from one act of signing in to the next."""
    return [user.sid, user.authentication, user.auth_time, user.subject]
