"""What people allowed, kept as artifacts; and what is taken back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from portula import Plugin
from portula.plugin import Artifact, Authorization, Plan, TokenRevoked, plan_revocation

if TYPE_CHECKING:
    from portula import Provider

KIND = "consent"
_BY_SUBJECT = "consent-subject"
MAX_CONSENTS = 500
"""Apps that one page lists."""
PAGE = 500
"""Records read at a time."""


class ConsentMemory:
    """Consents by person and client. The person stands in no record, only in digests."""

    def __init__(self, provider: Provider) -> None:
        """Take the provider."""
        self._provider = provider

    def scopes(self, subject: str, client_id: str) -> frozenset[str]:
        """Return what this person allowed this client."""
        consent = self._provider.storage.find(Artifact, digest=self._digests(subject, client_id))
        return frozenset(consent.payload["scopes"]) if consent else frozenset()

    def join(self, subject: str, client_id: str, scopes: Sequence[str], plan: Plan) -> None:
        """Plan to add scopes to what this person allowed this client.

        The plan fails with Conflict or DuplicateRecord when the same person answers in another tab at this moment.
        """
        keys, now = self._provider.keys, self._provider.now()
        known = self._provider.storage.find(Artifact, digest=self._digests(subject, client_id))
        if known is not None:
            joined = sorted({*known.payload["scopes"], *scopes})
            given, version = {"version": known.version}, known.version + 1
            plan.change(known, given=given, version=version, issued_at=now, payload={"scopes": joined})
            return
        plan.add(
            Artifact(
                digest=keys.digest(KIND, f"{subject}\0{client_id}"),
                kind=KIND,
                payload={"scopes": sorted(set(scopes))},
                issued_at=now,
                client_id=client_id,
                family=keys.digest(_BY_SUBJECT, subject),
            )
        )

    def all(self, subject: str) -> list[Artifact]:
        """Return all consents of a person."""
        family = self._provider.keys.digests(_BY_SUBJECT, subject)
        return self._provider.storage.select(Artifact, limit=MAX_CONSENTS, family=family)

    def withdraw(self, subject: str, client_id: str) -> None:
        """Forget a consent, and end at once every authorization that this person gave the client."""
        provider, now = self._provider, self._provider.now()
        given = [
            authorization
            for authorization in self._authorizations(subject)
            if authorization.client_id == client_id and authorization.revoked_at is None
        ]
        plan = Plan()
        plan.remove(Artifact, digest=self._digests(subject, client_id))
        plan_revocation(plan, now, subject=subject, client_id=client_id)
        provider.storage.apply(plan)
        for authorization in given:
            event = TokenRevoked(
                provider=provider, client_id=client_id, subject=subject, authorization=authorization.id
            )
            provider.hooks.tell(Plugin.portula_token_revoked, event)

    def _digests(self, subject: str, client_id: str) -> str | tuple[str, ...]:
        return self._provider.keys.digests(KIND, f"{subject}\0{client_id}")

    def _authorizations(self, subject: str) -> Iterator[Authorization]:
        after: str | None = None
        while page := self._provider.storage.select(Authorization, limit=PAGE, after=after, subject=subject):
            yield from page
            after = page[-1].id
