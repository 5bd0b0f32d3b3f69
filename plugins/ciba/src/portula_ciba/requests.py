"""Requests that wait for their person: each a record, found by the client's `auth_req_id` or by who is asked for."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from portula.errors import Conflict, DuplicateRecord, RetryLater
from portula.plugin import (
    PENDING_KEEP_SECONDS,
    Artifact,
    Plan,
    Quota,
    decide_pending,
    is_pending,
    pending_payload,
)
from portula_ciba import ping
from portula_ciba.hooks import BackchannelRequested, CibaHooks
from portula_ciba.settings import CibaSettings

if TYPE_CHECKING:
    from portula.plugin import AuthorizationServer, User
    from portula_ciba.exchange import CibaExchange

KIND = "backchannel authentication request"
OF_USER = "backchannel authentication user"
QUOTA = "backchannel authentication quota"
TRIES = 20
PAGE_ROWS = 200

SUBJECT, BINDING_MESSAGE, ADDRESS = "subject", "binding_message", "address"
USER_QUOTA, CLIENT_QUOTA = "user_quota", "client_quota"
"""Members of the payload beside those of all pending requests."""

NAME = "backchannel_request"
"""Parameter of our pages that names a request."""
PAGE = "/ciba/decide/"


def keep(exchange: CibaExchange, user: User) -> str:
    """Keep what a client asks for, with what plugins keep beside it; return the `auth_req_id`.

    Raises:
        RetryLater: too many requests wait for the person, or of the client.
    """
    provider = exchange.provider
    for _ in range(TRIES):
        auth_req_id, plan = secrets.token_urlsafe(32), Plan()
        plan.extend(exchange.plan)
        record = _record(exchange, user, auth_req_id, _take_quotas(exchange, user, plan))
        plan.add(record)
        requested = _event(exchange, record)
        plan.extend(provider.hooks.record(CibaHooks.portula_record_ciba_request, requested))
        try:
            provider.storage.apply(plan)
        except (Conflict, DuplicateRecord):
            continue  # another request at this moment has the unit
        exchange.plan, exchange.requested = Plan(), requested
        return auth_req_id
    raise RetryLater("Too many requests come at this moment.", 1)


def _take_quotas(exchange: CibaExchange, user: User, plan: Plan) -> dict[str, str]:
    """Plan to take a unit of the person's quota and one of the client's; what bounds prompts at a person (attack S62).

    That of the person is taken for as long as any request could wait: how long this one does is the client's choice.
    """
    provider, settings = exchange.provider, exchange.provider.settings(CibaSettings)
    seconds = {
        USER_QUOTA: max(exchange.seconds, settings.CIBA_MAX_EXPIRE_SECONDS),
        CLIENT_QUOTA: exchange.seconds,
    }
    quotas = {
        USER_QUOTA: Quota(provider, QUOTA, f"user\0{user.subject}", settings.CIBA_MAX_REQUESTS_PER_USER),
        CLIENT_QUOTA: Quota(
            provider, QUOTA, f"client\0{exchange.party.client_id}", settings.CIBA_MAX_REQUESTS_PER_CLIENT
        ),
    }
    taken: dict[str, str] = {}
    for name, quota in quotas.items():
        unit = quota.take(plan, seconds[name])
        if unit is None:
            raise RetryLater("Too many requests wait.", quota.wait(), status=429)
        taken[name] = unit
    return taken


def _record(exchange: CibaExchange, user: User, auth_req_id: str, quotas: dict[str, str]) -> Artifact:
    provider, now = exchange.provider, exchange.provider.now()
    ends_at, interval = now + exchange.seconds, provider.settings(CibaSettings).CIBA_INTERVAL
    digest = provider.keys.digest(KIND, auth_req_id)
    payload: dict[str, Any] = {
        **pending_payload(exchange, ends_at=ends_at, interval=interval),
        **quotas,
        SUBJECT: user.subject,
        BINDING_MESSAGE: exchange.own.get("binding_message"),
        ADDRESS: exchange.message.client_address,
        **ping.sealed_member(exchange, digest, auth_req_id),
    }
    return Artifact(
        digest=digest,
        kind=KIND,
        payload=payload,
        issued_at=now,
        client_id=exchange.party.client_id,
        family=provider.keys.digest(OF_USER, user.subject),
        expires_at=ends_at + PENDING_KEEP_SECONDS,
    )


def _event(exchange: CibaExchange, record: Artifact) -> BackchannelRequested:
    provider, client = exchange.host, exchange.party
    page = f"{provider.root_of(exchange.issuer)}{provider.mount}{PAGE}"
    return BackchannelRequested(
        provider=provider,
        client_id=client.client_id,
        client_name=client.name,
        subject=record.payload[SUBJECT],
        scopes=exchange.scope,
        binding_message=record.payload[BINDING_MESSAGE],
        request_id=record.digest,
        url=f"{page}?{urlencode({NAME: record.digest})}",
        expires_at=(record.expires_at or 0) - PENDING_KEEP_SECONDS,
    )


def of_client(provider: AuthorizationServer, auth_req_id: str) -> Artifact | None:
    """Return the request that a client names, whatever has become of it."""
    return provider.storage.find(Artifact, digest=provider.keys.digests(KIND, auth_req_id))


def of_user(provider: AuthorizationServer, subject: str, request_id: str) -> Artifact | None:
    """Return the request of this identifier, if it is for this person here, whatever has become of it.

    By its family it is of this issuer too: what another issuer of the realm is asked for is decided there.
    """
    family = provider.keys.digests(OF_USER, subject)
    return provider.storage.find(Artifact, digest=request_id, family=family)


def waiting_for(provider: AuthorizationServer, subject: str) -> list[Artifact]:
    """Return the requests that wait for a person, the newest first."""
    family, after, waiting = provider.keys.digests(OF_USER, subject), None, []
    while page := provider.storage.select(Artifact, limit=PAGE_ROWS, family=family, after=after):
        waiting += [each for each in page if is_pending(provider, each)]
        after = page[-1].digest
    return sorted(waiting, key=lambda each: each.issued_at, reverse=True)


def plan_decision(plan: Plan, pending: Artifact, authorization: str | None) -> None:
    """Plan that the person allowed a request, under this authorization, or denied it; its client's unit is free again.

    The person's unit is free where they allowed it.
    """
    decide_pending(plan, pending, authorization)
    freed = [pending.payload[CLIENT_QUOTA]]
    if authorization is not None:
        freed.append(pending.payload[USER_QUOTA])
    plan.remove(Artifact, digest=tuple(freed))
