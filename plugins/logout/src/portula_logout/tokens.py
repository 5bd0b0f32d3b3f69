"""What else ends when a person signs out: the tokens that apps hold for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from portula.plugin import (
    AccessToken,
    Application,
    Authorization,
    Grant,
    RefreshToken,
    plan_revocation,
)
from portula_logout.settings import LogoutSettings

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import ChangeAll, Condition, Plan, Remove

PAGE = 100
CLIENT_TYPES = frozenset({"confidential", "public"})


def plan_tokens(provider: Provider, plan: Plan, subject: str) -> ChangeAll | Remove | None:
    """Plan to revoke a person's authorizations or tokens as the settings say; return the part that counts them."""
    settings = provider.settings(LogoutSettings)
    kinds = settings.OIDC_RP_INITIATED_LOGOUT_TOKEN_TYPES
    if not settings.OIDC_RP_INITIATED_LOGOUT_DELETE_TOKENS or not kinds:
        return None
    where = _of(provider, subject)
    if "refresh_token" in kinds and "access_token" in kinds:
        return plan_revocation(plan, provider.now(), **where)
    now = provider.now()
    plan.change_all(Grant, {**where, "taken_at": None}, taken_at=now)
    return (
        plan.change_all(AccessToken, {**where, "revoked_at": None}, revoked_at=now)
        if "access_token" in kinds
        else plan.remove(RefreshToken, **where)
    )


def _of(provider: Provider, subject: str) -> dict[str, Condition]:
    """Return the condition on tokens of a person: all of them, or those of clients of some types."""
    types = set(provider.settings(LogoutSettings).OIDC_RP_INITIATED_LOGOUT_CLIENT_TYPES)
    if types == CLIENT_TYPES:
        return {"subject": subject}
    ordered = sorted(_clients(provider, subject))
    found: list[str] = []
    for start in range(0, len(ordered), PAGE):
        page = ordered[start : start + PAGE]
        found += [client.client_id for client in _read(provider, page) if client.client_type in types]
    return {"subject": subject, "client_id": tuple(found)}


def _clients(provider: Provider, subject: str) -> set[str]:
    """Return who has tokens of a person, those too who have them under the authorizations of others (RFC 8693 §2.2)."""
    named: set[str] = set()
    kinds: dict[type[Authorization | AccessToken], str] = {Authorization: "id", AccessToken: "digest"}
    for kind, key in kinds.items():
        after: str | None = None
        while page := provider.storage.select(kind, limit=PAGE, after=after, subject=subject):
            named |= {record.client_id for record in page}
            after = getattr(page[-1], key)
    return named


def _read(provider: Provider, client_ids: Sequence[str]) -> list[Application]:
    return provider.storage.select(Application, limit=PAGE, client_id=tuple(client_ids))
