"""What people allowed, kept as artifacts; and what is taken back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

from portula import Plugin
from portula.errors import DuplicateRecord
from portula.plugin import AccessToken, Artifact, Grant, RefreshToken, TokenRevoked, revoke_tokens

if TYPE_CHECKING:
    from portula import Provider

T = TypeVar("T", AccessToken, RefreshToken)

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

    def join(self, subject: str, client_id: str, scopes: Sequence[str]) -> None:
        """Add scopes to what this person allowed this client."""
        try:
            self._join(subject, client_id, scopes)
        except DuplicateRecord:  # the same person answered in another tab
            self._join(subject, client_id, scopes)

    def all(self, subject: str) -> list[Artifact]:
        """Return all consents of a person."""
        family = self._provider.keys.digests(_BY_SUBJECT, subject)
        return self._provider.storage.select(Artifact, limit=MAX_CONSENTS, family=family)

    def withdraw(self, subject: str, client_id: str) -> None:
        """Forget a consent, and end at once whatever the client holds of this person.

        Codes first, then refresh tokens, then access tokens: a request under way that has taken one of the former holds
        its row until it commits, so what it adds is there when its kind's turn comes.
        """
        storage, now = self._provider.storage, self._provider.now()
        where = {"subject": subject, "client_id": client_id}
        families = self._live_families(subject, client_id)
        with storage.transaction():
            storage.remove(Artifact, digest=self._digests(subject, client_id))
            storage.change(Grant, {**where, "taken_at": None}, taken_at=now)
            revoke_tokens(storage, now, **where)
        for family in families:
            event = TokenRevoked(provider=self._provider, client_id=client_id, subject=subject, family=family)
            self._provider.hooks.tell(Plugin.portula_token_revoked, event)

    def _digests(self, subject: str, client_id: str) -> str | tuple[str, ...]:
        return self._provider.keys.digests(KIND, f"{subject}\0{client_id}")

    def _join(self, subject: str, client_id: str, scopes: Sequence[str]) -> None:
        storage, keys, now = self._provider.storage, self._provider.keys, self._provider.now()
        where = {"digest": self._digests(subject, client_id)}
        with storage.transaction():
            # A write comes first: it holds the row, so that what is read next cannot change before it is joined.
            if storage.change(Artifact, where, issued_at=now):
                joined = sorted(self.scopes(subject, client_id).union(scopes))
                storage.change(Artifact, where, payload={"scopes": joined})
            else:
                storage.add(
                    Artifact(
                        digest=keys.digest(KIND, f"{subject}\0{client_id}"),
                        kind=KIND,
                        payload={"scopes": sorted(set(scopes))},
                        issued_at=now,
                        client_id=client_id,
                        family=keys.digest(_BY_SUBJECT, subject),
                    )
                )

    def _live_families(self, subject: str, client_id: str) -> list[str]:
        tokens: list[AccessToken | RefreshToken] = [
            *self._tokens(AccessToken, subject),
            *self._tokens(RefreshToken, subject),
        ]
        return sorted(
            {token.family for token in tokens if token.client_id == client_id and token.revoked_at is None}
        )

    def _tokens(self, cls: type[T], subject: str) -> Iterator[T]:
        after: str | None = None
        while page := self._provider.storage.select(cls, limit=PAGE, after=after, subject=subject):
            yield from page
            after = page[-1].digest
