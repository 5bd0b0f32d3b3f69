"""What else ends when a person signs out: the tokens that apps hold for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from portula.plugin import AccessToken, Application, Grant, RefreshToken
from portula_logout.settings import LogoutSettings

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import Condition

PAGE = 100
CLIENT_TYPES = frozenset({"confidential", "public"})


def revoke_tokens(provider: Provider, subject: str) -> int:
    """Revoke a person's codes and tokens as the settings say, in one go; return how many tokens it were."""
    settings = provider.settings(LogoutSettings)
    kinds = settings.OIDC_RP_INITIATED_LOGOUT_TOKEN_TYPES
    if not settings.OIDC_RP_INITIATED_LOGOUT_DELETE_TOKENS or not kinds:
        return 0
    storage, now, where = provider.storage, provider.now(), _of(provider, subject)
    revoked = 0
    with storage.transaction():
        storage.change(Grant, {**where, "taken_at": None}, taken_at=now)
        if "refresh_token" in kinds:
            while count := storage.change(RefreshToken, {**where, "revoked_at": None}, revoked_at=now):
                revoked += count  # again, for one that a rotation added while we waited for it
        if "access_token" in kinds:
            revoked += storage.change(AccessToken, {**where, "revoked_at": None}, revoked_at=now)
    return revoked


def _of(provider: Provider, subject: str) -> dict[str, Condition]:
    """Return the condition on tokens of a person: all of them, or those of clients of some types."""
    types = set(provider.settings(LogoutSettings).OIDC_RP_INITIATED_LOGOUT_CLIENT_TYPES)
    if types == CLIENT_TYPES:
        return {"subject": subject}
    named = _clients(provider, AccessToken, subject)
    named |= _clients(provider, RefreshToken, subject) | _clients(provider, Grant, subject)
    ordered = sorted(named)
    found: list[str] = []
    for start in range(0, len(ordered), PAGE):
        page = ordered[start : start + PAGE]
        found += [client.client_id for client in _read(provider, page) if client.client_type in types]
    return {"subject": subject, "client_id": tuple(found)}


def _clients(provider: Provider, cls: type[AccessToken | RefreshToken | Grant], subject: str) -> set[str]:
    named: set[str] = set()
    after: str | None = None
    while page := provider.storage.select(cls, limit=PAGE, after=after, subject=subject):
        named |= {token.client_id for token in page}
        after = page[-1].digest
    return named


def _read(provider: Provider, client_ids: Sequence[str]) -> list[Application]:
    return provider.storage.select(Application, limit=PAGE, client_id=tuple(client_ids))
