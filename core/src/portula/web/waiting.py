"""Requests that wait on the server while their person signs in or reads a page (attacks S07, S71)."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from portula.model.plans import added
from portula.model.records import Artifact

if TYPE_CHECKING:
    from portula.flow.exchange import PageExchange
    from portula.flow.messages import Pairs
    from portula.model.people import Authenticated
    from portula.model.plans import Plan
    from portula.web.provider import Provider

WAITING_SECONDS = 600
"""How long a person may take over a page."""

_ANY_BROWSER = ""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A request that waits."""

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
    artifact: Artifact

    def fresh(self, user: Authenticated | None) -> bool:
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
        self._kind = kind
        self._page = page

    def keep_posted(self, pairs: Pairs) -> str:
        """Keep a request that came by POST, when Lax cookies did not: no browser is known yet. Return its name."""
        return self._keep(pairs, pairs, browser=_ANY_BROWSER)

    def keep_for_login(self, exchange: PageExchange, before: Authenticated | None) -> str:
        """Keep a request while its person signs in; `before` is who is signed in now."""
        signed_in = None if before is None else _signing_in(before)
        return self._keep(exchange.pairs, exchange.presented, before=signed_in, sent=True)

    def keep_for_page(self, exchange: PageExchange, user: Authenticated) -> str:
        """Keep a request while its person reads the page about it."""
        return self._keep(exchange.pairs, exchange.presented, subject=user.subject)

    def find(self, name: str) -> Waiting | None:
        """Return a request that waits for this browser; None when it is over, or another browser's (attack S10)."""
        provider = self._provider
        digests = provider.keys.digests(self._kind, f"{self._page}{name}")
        artifact = provider.storage.find(Artifact, digest=digests)
        if artifact is None or artifact.taken_at is not None or (artifact.expires_at or 0) <= provider.now():
            return None
        kept = artifact.payload
        if kept["browser"] != _ANY_BROWSER and not provider.keys.verify(
            self._kind, provider.pages.browser(), kept["browser"]
        ):
            return None
        pairs = [(key, value) for key, value in kept["pairs"]]
        presented = [(key, value) for key, value in kept["presented"]] if "presented" in kept else pairs
        return Waiting(name, pairs, presented, kept["subject"], kept["before"], kept["sent"], artifact)

    def end(self, waiting: Waiting, plan: Plan) -> None:
        """Plan to end the wait; the plan fails with Replayed when somebody else did."""
        plan.take(waiting.artifact, at=self._provider.now())

    def _keep(
        self,
        pairs: Pairs,
        presented: Pairs,
        *,
        browser: str | None = None,
        subject: str | None = None,
        before: list[object] | None = None,
        sent: bool = False,
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
            },
            issued_at=now,
            expires_at=now + WAITING_SECONDS,
        )
        provider.storage.apply(added(waiting))
        return name


def _signing_in(user: Authenticated) -> list[object]:
    """Return what differs from one act of signing in to the next."""
    return [user.sid, user.authentication, user.auth_time, user.subject]
