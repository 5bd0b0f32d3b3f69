"""Ending authorizations before their time, the same way whoever does it."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from portula.flow.event_hooks import EventHooks
from portula.flow.events import TokenRevoked
from portula.model.plans import ChangeAll, Plan
from portula.model.records import AccessToken, Authorization, RefreshToken

if TYPE_CHECKING:
    from portula.flow.authorization_server import AuthorizationServer
    from portula.model.plans import Condition
    from portula.model.records import Application
    from portula.model.storage import Cursor

ENDS_WITH = "ends_with"
"""Fact of an authorization that no person gave: the `digest` of the access token of a client itself that it was made
of, and ends with (RFC 8693)."""
NODES_DIFFER_SECONDS = 10
"""By so much the clocks of the nodes that serve one storage may differ."""
PAGE = 100
"""Records that are read, and revoked, at a time."""


def plan_revocation(plan: Plan, now: int, **where: Condition) -> ChangeAll:
    """Plan to revoke every authorization that matches, whatever points to it; return the part that counts them.

    What is revoked is of no more use to anybody, so it expires too and is purged. Where clients are named, their access
    tokens are revoked as well: they may have some under the authorizations of other clients (RFC 8693 §2.2).

    Args:
        plan: is added to.
        now: Unix seconds, UTC.
        where: `id`, or fields that authorizations and tokens have, e.g. `subject`, and `client_id` beside it.
    """
    tokens = {"authorization": where["id"]} if "id" in where else where
    part = plan.change_all(Authorization, {**where, "revoked_at": None}, revoked_at=now, expires_at=now)
    plan.change_all(RefreshToken, tokens, expires_at=now, sealed=None)
    if "client_id" in where:
        plan.change_all(AccessToken, {**where, "revoked_at": None}, revoked_at=now)
    return part


def revoke_authorization(
    provider: AuthorizationServer, authorization: str, beside: Plan | None = None
) -> bool:
    """Revoke an authorization: codes, access tokens and the refresh token of it end with its record.

    One that the storage fails to write is due from then on: `is_revoked` says so, and writes it as soon as it can.

    Args:
        provider: whose storage it is.
        authorization: its identifier.
        beside: what else is written; it is not due where that fails.

    Returns:
        Whether it was not revoked before.
    """
    plan = Plan()
    part = plan_revocation(plan, provider.now(), id=authorization)
    plan.extend(beside)
    provider.due_revocations.add(authorization)
    revoked = bool(provider.storage.apply(plan)[part])
    provider.due_revocations.discard(authorization)
    return revoked


def is_revoked(provider: AuthorizationServer, authorization: Authorization) -> bool:
    """Say whether an authorization was revoked, or what it ends with; a revocation not yet written counts as well."""
    if authorization.revoked_at is None and authorization.id in provider.due_revocations:
        with suppress(Exception):  # it is refused in any case, and tried again with the next request
            revoke_authorization(provider, authorization.id)
        return True
    return authorization.revoked_at is not None or _has_ended(provider, authorization)


def is_of_removed_client(client: Application, issued_at: int) -> bool:
    """Say whether what was issued at a time was issued to another client, which had this name and was removed.

    A store that does not walk cannot find and revoke what a client had as it is removed; and no store finds what waits
    for it, or what it looks after itself by.
    """
    return issued_at + NODES_DIFFER_SECONDS < client.created_at


def _has_ended(provider: AuthorizationServer, authorization: Authorization) -> bool:
    """Say whether what an authorization ends with has: the token of a client, or that client."""
    known = authorization.facts.get(ENDS_WITH)
    if known is None:
        return False
    token = provider.storage.find(AccessToken, digest=known["digest"])
    client = None if token is None else provider.clients.find(token.client_id)
    if token is None or token.revoked_at is not None or client is None:
        return True
    return not client.is_usable(None) or is_of_removed_client(client, token.issued_at)


def revoke_person(
    provider: AuthorizationServer,
    subject: str,
    plan: Plan | None = None,
    *,
    client_id: str | None = None,
    apply: Callable[[Plan], object] | None = None,
) -> int:
    """Revoke every authorization of a person, in one plan; tell the listeners afterwards.

    For one client: its authorizations, and what it has of this person under the authorizations of others.

    Args:
        provider: whose storage it is.
        subject: the person.
        plan: what else is written.
        client_id: of the client, None for all clients.
        apply: applies the plan where something else than the storage does, e.g. `Sessions.end_all`.

    Returns:
        How many authorizations, and such tokens, were not revoked before.
    """
    where = {"subject": subject} if client_id is None else {"subject": subject, "client_id": client_id}
    known = [each for each in _of_person(provider, subject) if client_id in (None, each.client_id)]
    live = [each for each in known if each.revoked_at is None]
    own = {each.id for each in known}
    tokens = 0 if client_id is None else _tokens_elsewhere(provider, subject, client_id, own)
    whole = Plan()
    plan_revocation(whole, provider.now(), **where)
    whole.extend(plan)
    (apply or provider.storage.apply)(whole)
    for each in live:
        tell_revocation(provider, each)
    return len(live) + tokens


def _of_person(provider: AuthorizationServer, subject: str) -> Iterator[Authorization]:
    after: str | None = None
    while page := provider.storage.select(Authorization, limit=PAGE, after=after, subject=subject):
        yield from page
        after = page[-1].id


def _tokens_elsewhere(
    provider: AuthorizationServer, subject: str, client_id: str, own: Container[str | None]
) -> int:
    """Count the access tokens that a client has of a person under none of its `own` authorizations."""
    after, count = None, 0
    while page := provider.storage.select(AccessToken, limit=PAGE, after=after, subject=subject):
        live = (each for each in page if each.client_id == client_id and each.revoked_at is None)
        count += sum(each.authorization not in own for each in live)
        after = page[-1].digest
    return count


def tell_revocation(
    provider: AuthorizationServer, record: Authorization | AccessToken | RefreshToken
) -> None:
    """Tell the listeners of what was revoked."""
    provider.hooks.tell(EventHooks.portula_token_revoked, TokenRevoked.of(provider, record))


def revoke_client(provider: AuthorizationServer, client_id: str) -> int:
    """Revoke what was issued to a client: its authorizations, and the tokens that are of none of these.

    Those are its own (RFC 6749 §4.4), and what it has under the authorization of another client (RFC 8693 §2.2).
    They are revoked a page at a time, since there may be any number. The store has to walk.

    Returns:
        How many authorizations and such tokens were not revoked before.
    """
    revoked = 0
    for page in _authorization_pages(provider, client_id):
        plan = Plan()
        plan_revocation(plan, provider.now(), id=tuple(each.id for each in page))
        provider.storage.apply(plan)
        for each in page:
            tell_revocation(provider, each)
        revoked += len(page)
    return revoked + _revoke_tokens(provider, client_id)


def _authorization_pages(provider: AuthorizationServer, client_id: str) -> Iterator[list[Authorization]]:
    after: Cursor | None = None
    while page := provider.storage.walk(
        Authorization, "issued_at", limit=PAGE, after=after, client_id=client_id
    ):
        live = [each for each in page if each.revoked_at is None]
        if live:
            yield live
        after = (page[-1].issued_at, page[-1].id)


def _revoke_tokens(provider: AuthorizationServer, client_id: str) -> int:
    now, revoked = provider.now(), 0
    after: Cursor | None = None
    while page := provider.storage.walk(
        AccessToken, "issued_at", limit=PAGE, after=after, client_id=client_id
    ):
        named = tuple({each.authorization for each in page if each.authorization is not None})
        found = provider.storage.select(Authorization, limit=len(named), id=named) if named else ()
        under = {each.id for each in found if each.client_id == client_id}
        live = [each for each in page if each.authorization not in under and each.revoked_at is None]
        if live:
            plan = Plan()
            plan.change_all(AccessToken, {"digest": tuple(each.digest for each in live)}, revoked_at=now)
            provider.storage.apply(plan)
            revoked += len(live)
        after = (page[-1].issued_at, page[-1].digest)
    return revoked
