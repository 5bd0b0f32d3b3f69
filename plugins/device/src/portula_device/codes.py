"""Codes of devices: one record for the code that a device has and the one that its person types (RFC 8628 §3.2).

The record is found by the digest of either. What was asked for stands in it, and what has become of that.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from portula.errors import Conflict, DuplicateRecord, RetryLater
from portula.plugin import (
    PENDING_KEEP_SECONDS,
    Artifact,
    Plan,
    Quota,
    decide_pending,
    pending_payload,
)
from portula_device.hooks import DeviceHooks
from portula_device.settings import DeviceSettings
from portula_device.user_codes import normal_form

if TYPE_CHECKING:
    from portula.plugin import AuthorizationExchange, AuthorizationServer

KIND = "device code"
USER_CODE = "device user code"
QUOTA = "device quota"
TRIES = 5

CHALLENGE, METHOD = "challenge", "method"
ADDRESS, AGENT = "address", "agent"
QUOTA_UNIT, CLAIMED_BY = "quota_unit", "claimed_by"
"""Members of the payload beside those of all pending requests; the last says who has typed the code."""


def keep(exchange: AuthorizationExchange, own: Mapping[str, Any]) -> tuple[str, str]:
    """Keep what a client asks for, with members of our own; return the code of its device and the one for its person.

    Raises:
        RetryLater: too many codes of the client wait.
    """
    provider, client_id = exchange.provider, exchange.request.client_id or ""
    settings, now = provider.settings(DeviceSettings), provider.now()
    generate = provider.hooks.ask(DeviceHooks.portula_device_user_code_generator)
    quota = Quota(provider, QUOTA, client_id, settings.DEVICE_MAX_CODES_PER_CLIENT)
    ends_at = now + settings.DEVICE_CODE_EXPIRE_SECONDS
    payload = {**pending_payload(exchange, ends_at=ends_at, interval=settings.DEVICE_FLOW_INTERVAL), **own}
    for _ in range(TRIES):
        plan, device_code, user_code = Plan(), secrets.token_urlsafe(32), generate()
        unit = quota.take(plan, settings.DEVICE_CODE_EXPIRE_SECONDS)
        if unit is None:
            raise RetryLater("Too many devices of this app wait.", quota.wait(), status=429)
        plan.add(
            Artifact(
                digest=provider.keys.digest(USER_CODE, normal_form(user_code)),
                kind=KIND,
                payload={**payload, QUOTA_UNIT: unit},
                issued_at=now,
                client_id=client_id,
                family=provider.keys.digest(KIND, device_code),
                expires_at=ends_at + PENDING_KEEP_SECONDS,
            )
        )
        try:
            provider.storage.apply(plan)
        except (Conflict, DuplicateRecord):
            continue  # somebody has the unit, or the code that people type
        return device_code, user_code
    raise RetryLater("No code could be found for the device.", 1)


def of_device(provider: AuthorizationServer, device_code: str) -> Artifact | None:
    """Return the record of the code that a device has, whatever has become of it."""
    family = provider.keys.digests(KIND, device_code)
    return next(iter(provider.storage.select(Artifact, limit=1, family=family)), None)


def of_person(provider: AuthorizationServer, user_code: str) -> Artifact | None:
    """Return the record of a code that a person types, whatever has become of it."""
    digest = provider.keys.digests(USER_CODE, normal_form(user_code))
    return provider.storage.find(Artifact, digest=digest)


def decide(plan: Plan, code: Artifact, authorization: str | None) -> None:
    """Plan that a person allowed a code, under this authorization, or denied it; its unit is free again."""
    decide_pending(plan, code, authorization)
    plan.remove(Artifact, digest=code.payload[QUOTA_UNIT])
