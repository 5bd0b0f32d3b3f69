"""What the apps of a person may do besides scopes, at which servers, and what their tokens are bound to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from portula.plugin import AccessToken, Authorization, ConsentItem, consent_items_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from portula import Provider

MAX_READ = 500
"""Authorizations, and access tokens, of one person that are looked through, the newest first."""

R = TypeVar("R", Authorization, AccessToken)


@dataclass(kw_only=True)
class Use:
    """What one app has of one person; each thing stands once, however many authorizations it has."""

    items: dict[ConsentItem, None] = field(default_factory=dict)
    """What it may do besides scopes."""
    servers: dict[str, None] = field(default_factory=dict)
    """What its authorizations and tokens are for, by URI."""
    bindings: dict[str, None] = field(default_factory=dict)
    """Keys and certificates that they are bound to."""

    def add(self, items: Iterable[ConsentItem], servers: Iterable[str], bindings: Iterable[str]) -> None:
        """Add what one record says."""
        self.items.update(dict.fromkeys(items))
        self.servers.update(dict.fromkeys(servers))
        self.bindings.update(dict.fromkeys(bindings))


def uses_of(provider: Provider, subject: str) -> dict[str, Use]:
    """Return what each app has of a person now, by client_id."""
    found: dict[str, Use] = {}
    now, bindings = provider.now(), provider.token_presentations.bindings
    live: set[str | None] = set()
    for given in _newest(provider, Authorization, subject):
        if given.revoked_at is None and (given.expires_at is None or given.expires_at > now):
            live.add(given.id)
            use = found.setdefault(given.client_id, Use())
            use.add(consent_items_of(provider, given), given.resources, bindings(given.confirmation))
    for token in _newest(provider, AccessToken, subject):
        if token.authorization in live and token.revoked_at is None and token.expires_at > now:
            found.setdefault(token.client_id, Use()).add((), token.audience, bindings(token.confirmation))
    return found


def _newest(provider: Provider, cls: type[R], subject: str) -> Sequence[R]:
    storage = provider.storage
    if storage.walks(cls):
        return storage.walk(cls, "issued_at", descending=True, limit=MAX_READ, subject=subject)
    return storage.select(cls, limit=MAX_READ, subject=subject)
