"""Initial access tokens (RFC 7591 §1.2): who holds one may register clients. They are kept as digests."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from portula.errors import DuplicateRecord
from portula.plugin import Artifact, Plan, plan_to_add
from portula_dcr.counters import Counter, count_client, is_full

if TYPE_CHECKING:
    from portula import Provider

KIND = "initial access token"
NAME = "initial access token name"
USE = "initial access token use"
MAX_USES = 1000
"""Clients that one token of limited use may register; each use is counted by a record."""
_ALL = "initial access tokens"


@dataclass(frozen=True, slots=True)
class InitialAccessToken:
    """What is known of a token; not its value."""

    name: str
    digest: str
    made_at: int
    expires_at: int | None
    """Unix seconds; None for never."""
    max_uses: int | None
    """How many clients may be registered with it; None for any number."""
    scope: tuple[str, ...]
    """What its clients may have beside the scopes for everybody; privileged ones too."""


class InitialAccessTokens:
    """The tokens of a provider."""

    def __init__(self, provider: Provider) -> None:
        """Take the provider."""
        self._provider = provider

    def create(
        self, name: str, *, max_uses: int | None, expires_in: int | None, scope: Sequence[str] = ()
    ) -> str:
        """Make a token and return it: the only time that it is seen.

        Args:
            name: tells it from others; unique.
            max_uses: how many clients may be registered with it, at most MAX_USES; None for any number.
            expires_in: seconds it counts; None for ever.
            scope: what its clients may have beside the scopes for everybody.

        Raises:
            DuplicateRecord: there is a token of this name.
        """
        provider, now = self._provider, self._provider.now()
        value = secrets.token_urlsafe(32)
        token = Artifact(
            digest=provider.keys.digest(KIND, value),
            kind=KIND,
            payload={"name": name, "max_uses": max_uses, "scope": list(scope)},
            issued_at=now,
            expires_at=None if expires_in is None else now + expires_in,
            family=provider.keys.digest(_ALL, ""),
        )
        # Beside it a record under a key that only one token of the name can have.
        named = replace(token, digest=provider.keys.digest(NAME, name), kind=NAME, payload={}, family=None)
        if self.find_by_name(name) is not None:
            raise _duplicate(name)
        try:
            provider.storage.apply(plan_to_add(token, named))
        except DuplicateRecord:
            raise _duplicate(name) from None
        return value

    def find(self, value: str) -> InitialAccessToken | None:
        """Return the token with this value unless it expired or is used up."""
        found = self._provider.storage.find(Artifact, digest=self._provider.keys.digests(KIND, value))
        if found is None or (found.expires_at is not None and found.expires_at <= self._provider.now()):
            return None
        token = _token(found)
        counter = _counter_of(token)
        return None if counter and is_full(self._provider, counter) else token

    def use(self, token: InitialAccessToken, client_id: str, plan: Plan) -> bool:
        """Plan to use a token for a client, see `count_client`; False when it is used up.

        The plan fails with Conflict when the token is revoked meanwhile.
        """
        plan.change(Artifact, token.digest, taken_at=None)
        counter = _counter_of(token)
        return counter is None or count_client(self._provider, counter, client_id, plan)

    def uses(self, token: InitialAccessToken) -> int:
        """Return how many clients were registered with a token of limited use."""
        return len(self._provider.storage.select(Artifact, limit=MAX_USES, family=token.digest))

    def all(self) -> list[InitialAccessToken]:
        """Return every token, the oldest first, expired ones that were not purged yet included."""
        storage, family = self._provider.storage, self._provider.keys.digests(_ALL, "")
        found: list[Artifact] = []
        while page := storage.select(Artifact, family=family, after=found[-1].digest if found else None):
            found += page
        return [_token(artifact) for artifact in sorted(found, key=lambda artifact: artifact.issued_at)]

    def find_by_name(self, name: str) -> InitialAccessToken | None:
        """Return the token of this name."""
        return next((token for token in self.all() if token.name == name), None)

    def revoke(self, token: InitialAccessToken) -> None:
        """Forget a token and its uses; the clients registered with it stay."""
        plan = Plan()
        plan.remove(Artifact, digest=token.digest)
        plan.remove(Artifact, digest=self._provider.keys.digests(NAME, token.name))
        plan.remove(Artifact, family=token.digest)
        self._provider.storage.apply(plan)


def _counter_of(token: InitialAccessToken) -> Counter | None:
    """Return where the uses of a token are counted; None for any number of them."""
    if token.max_uses is None:
        return None
    return Counter(USE, token.digest, token.max_uses, token.expires_at)


def _duplicate(name: str) -> DuplicateRecord:
    return DuplicateRecord(f"there is an initial access token {name!r}")


def _token(artifact: Artifact) -> InitialAccessToken:
    return InitialAccessToken(
        name=artifact.payload["name"],
        digest=artifact.digest,
        made_at=artifact.issued_at,
        expires_at=artifact.expires_at,
        max_uses=artifact.payload["max_uses"],
        scope=tuple(artifact.payload["scope"]),
    )
