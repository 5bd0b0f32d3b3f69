"""Consents, kept as artifacts, and their withdrawal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from portula.plugin import (
    Application,
    Artifact,
    Plan,
    has_changed_itself,
    is_of_removed_client,
    page_after,
    revoke_person,
)

if TYPE_CHECKING:
    from portula import Provider

KIND = "consent"
_BY_SUBJECT = "consent-subject"


def counts(consent: Artifact, client: Application) -> bool:
    """Say whether a consent is to the client as it is: not to a former one of its name, nor to what it has changed."""
    given_at = consent.issued_at
    return not (is_of_removed_client(client, given_at) or has_changed_itself(client, given_at))


class ConsentMemory:
    """Consents by person and client. The person stands in no record, only in digests."""

    def __init__(self, provider: Provider) -> None:
        """Take the provider."""
        self._provider = provider

    def scopes(self, subject: str, client_id: str) -> frozenset[str]:
        """Return what this person allowed this client."""
        consent = self.find(subject, client_id)
        return frozenset(consent.payload["scopes"]) if consent else frozenset()

    def find(self, subject: str, client_id: str) -> Artifact | None:
        """Return the consent of this person to this client."""
        return self._provider.storage.find(Artifact, digest=self._digests(subject, client_id))

    def join(self, subject: str, client: Application, scopes: Sequence[str], plan: Plan) -> None:
        """Plan to add scopes to what this person allowed this client.

        The plan fails with Conflict or DuplicateRecord when the same person answers in another tab at this moment.
        """
        keys, now = self._provider.keys, self._provider.now()
        client_id = client.client_id
        known = self.find(subject, client_id)
        if known is not None:
            before = known.payload["scopes"] if counts(known, client) else ()
            joined = sorted({*before, *scopes})
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
        """Return all consents of a person, the latest first."""
        family, after, found = self._provider.keys.digests(_BY_SUBJECT, subject), None, list[Artifact]()
        while page := self._provider.storage.select(Artifact, family=family, after=after):
            found += page
            after = page[-1].digest
        return sorted(found, key=lambda consent: (-consent.issued_at, consent.client_id or ""))

    def page(self, subject: str, *, limit: int, after: str | None = None) -> list[Artifact]:
        """Return up to `limit` consents of a person behind the one to the client `after`, the latest first."""
        return page_after(self.all(subject), after, limit=limit, key=lambda consent: consent.client_id)

    def withdraw(self, subject: str, client_id: str) -> None:
        """Forget a consent, and end at once every authorization that this person gave the client."""
        plan = Plan()
        plan.remove(Artifact, digest=self._digests(subject, client_id))
        revoke_person(self._provider, subject, plan, client_id=client_id)

    def forget(self, subject: str, plan: Plan) -> None:
        """Plan to forget all consents of a person."""
        plan.remove(Artifact, family=self._provider.keys.digests(_BY_SUBJECT, subject))

    def _digests(self, subject: str, client_id: str) -> str | tuple[str, ...]:
        return self._provider.keys.digests(KIND, f"{subject}\0{client_id}")
