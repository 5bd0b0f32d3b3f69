"""Grants: what a person allowed a client, under an identifier that stays while it is merged and replaced.

A grant is the authorization that was redeemed for it last; an artifact leads from the identifier to that. Who merges or
replaces gives a new authorization, which takes the place of the former as its code is redeemed, in the plan of that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from portula.errors import InvalidRequestError
from portula.plugin import (
    Artifact,
    Authorization,
    RefreshToken,
    is_of_removed_client,
    is_revoked,
    unkeyed_digest,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portula.plugin import Application, AuthorizationServer, Exchange

ROOM = "grant_management"
"""Name under which the action of an authorization request is kept with its authorization."""
KIND = "grant"
GRANT_ID, ACTION, PARTS = "grant_id", "action", "parts"
"""Members of what is kept: the identifier, what was asked for, and what was allowed for which resources."""

TRIES = 5
"""How often a grant is looked up whose authorization is replaced between two reads."""

_AUTHORIZATION, _UPDATED_AT = "authorization", "updated_at"


class InvalidGrantId(InvalidRequestError):  # type: ignore[misc] # oauthlib has no types
    """A grant is unknown, ended, another client's or another person's (Grant Management §5.4): told alike."""

    error = "invalid_grant_id"
    description = "The grant is unknown, or not this client's, or not this person's."


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagedGrant:
    """A grant that counts."""

    pointer: Artifact
    authorization: Authorization

    @property
    def updated_at(self) -> int:
        """When it was last created, merged or replaced; Unix seconds."""
        return int(self.pointer.payload[_UPDATED_AT])


def state_of(authorization: Authorization | None, client: Application | None) -> Mapping[str, Any] | None:
    """Return what is kept with an authorization of this client; None where no grant is named, or it is another's."""
    if authorization is None or client is None or authorization.client_id != client.client_id:
        return None
    state: Mapping[str, Any] | None = authorization.facts.get(ROOM)
    return state


def pointer_digest(provider: AuthorizationServer, grant_id: str) -> str:
    """Return the key of the artifact of a grant. It is not keyed: identifiers outlive SECRET_KEYS, and are public."""
    return unkeyed_digest(f"{KIND} {provider.keys.namespace} {grant_id}")


def find_grant(
    provider: AuthorizationServer, grant_id: str, client: Application | None, *, due: bool = False
) -> ManagedGrant | None:
    """Return a grant of this client that counts; None for one that is unknown, ended or another's.

    Args:
        provider: whose it is.
        grant_id: its identifier.
        client: who names it.
        due: whether one is returned too that this process has to revoke and could not yet, for who does that again.
    """
    digest = pointer_digest(provider, grant_id)
    pointer = provider.storage.find(Artifact, digest=digest)
    for _ in range(TRIES):
        if pointer is None or client is None or pointer.kind != KIND or pointer.client_id != client.client_id:
            return None
        found = _live_authorization(provider, pointer, client, due=due)
        if found is not None:
            return ManagedGrant(pointer=pointer, authorization=found)
        before, pointer = pointer, provider.storage.find(Artifact, digest=digest)
        if pointer is None or pointer.version == before.version:
            return None
    return None  # another takes its place again and again: who asks may come again


def _live_authorization(
    provider: AuthorizationServer, pointer: Artifact, client: Application, *, due: bool
) -> Authorization | None:
    """Return the authorization that an artifact leads to; None for one that has ended."""
    found, now = provider.storage.find(Authorization, id=pointer.payload[_AUTHORIZATION]), provider.now()
    if found is None or found.client_id != client.client_id or is_of_removed_client(client, found.issued_at):
        return None
    if any(each.expires_at is not None and each.expires_at <= now for each in (pointer, found)):
        return None
    if due and found.revoked_at is None and found.id in provider.due_revocations:
        return found
    return None if is_revoked(provider, found) else found


def new_pointer(provider: AuthorizationServer, grant_id: str, given: Authorization, until: int) -> Artifact:
    """Return the artifact that leads from an identifier to the authorization that was redeemed for it first."""
    now = provider.now()
    return Artifact(
        digest=pointer_digest(provider, grant_id),
        kind=KIND,
        payload={_AUTHORIZATION: given.id, _UPDATED_AT: now},
        issued_at=now,
        client_id=given.client_id,
        expires_at=until,
    )


def plan_take_over(exchange: Exchange, grant: ManagedGrant, given: Authorization) -> None:
    """Plan that an authorization takes the place of the former, whose codes and tokens end.

    The plan fails with Conflict where somebody else ends or changes the grant at this moment.
    """
    provider, plan, former = exchange.provider, exchange.plan, grant.authorization
    now, pointer = provider.now(), grant.pointer
    plan.change(
        pointer,
        given={"version": pointer.version},
        version=pointer.version + 1,
        payload={_AUTHORIZATION: given.id, _UPDATED_AT: now},
    )
    plan.change(former, given={"revoked_at": None}, revoked_at=now, expires_at=now)
    plan.change_all(RefreshToken, {"authorization": former.id}, expires_at=now, sealed=None)


def leads_to(grant: ManagedGrant | None, given: Authorization) -> bool:
    """Say whether a grant is this authorization by now."""
    return grant is not None and grant.authorization.id == given.id
