"""Revokes the tokens that apps have of a person who signs out."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from typing import TYPE_CHECKING

from portula.plugin import (
    AccessToken,
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
        found += _of_types(provider, ordered[start : start + PAGE], types)
    return {"subject": subject, "client_id": tuple(found)}


def _of_types(provider: Provider, client_ids: Sequence[str], types: Container[str]) -> Iterator[str]:
    """Yield those whose clients are of some types; one is, if its source does not say now what it is."""
    clients = provider.clients
    known = clients.find_all(client_ids)
    for client_id in client_ids:
        client = known.get(client_id)
        if clients.is_of_a_source(client_id) if client is None else client.client_type in types:
            yield client_id


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
