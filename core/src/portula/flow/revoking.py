"""Ending authorizations before their time, the same way whoever does it."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from portula.model.plans import ChangeAll, Plan
from portula.model.records import Authorization, RefreshToken

if TYPE_CHECKING:
    from portula.flow.authorization_server import AuthorizationServer
    from portula.model.plans import Condition


def plan_revocation(plan: Plan, now: int, **where: Condition) -> ChangeAll:
    """Plan to revoke every authorization that matches, whatever points to it; return the part that counts them.

    What is revoked is of no more use to anybody, so it expires too and is purged.

    Args:
        plan: is added to.
        now: Unix seconds, UTC.
        where: `id`, or fields that authorizations and refresh tokens both have, e.g. `subject` and `client_id`.
    """
    tokens = {"authorization": where["id"]} if "id" in where else where
    part = plan.change_all(Authorization, {**where, "revoked_at": None}, revoked_at=now, expires_at=now)
    plan.change_all(RefreshToken, tokens, expires_at=now, sealed=None)
    return part


def revoke_authorization(provider: AuthorizationServer, authorization: str) -> bool:
    """Revoke an authorization: codes, access tokens and the refresh token of it end with its record.

    One that the storage fails to write is due from then on: `is_revoked` says so, and writes it as soon as it can.

    Returns:
        Whether it was not revoked before.
    """
    plan = Plan()
    part = plan_revocation(plan, provider.now(), id=authorization)
    provider.due_revocations.add(authorization)
    revoked = bool(provider.storage.apply(plan)[part])
    provider.due_revocations.discard(authorization)
    return revoked


def is_revoked(provider: AuthorizationServer, authorization: Authorization) -> bool:
    """Say whether an authorization was revoked; where the storage failed to write that, this process knows it."""
    if authorization.revoked_at is None and authorization.id in provider.due_revocations:
        with suppress(Exception):  # it is refused in any case, and tried again with the next request
            revoke_authorization(provider, authorization.id)
        return True
    return authorization.revoked_at is not None
