"""Codes of devices: one record for the code that a device has and the one that its person types (RFC 8628 §3.2).

The record is found by the digest of either. What was asked for stands in it, and what has become of that.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from portula.errors import Conflict, DuplicateRecord, RetryLater
from portula.plugin import Artifact, Plan
from portula_device.hooks import DeviceHooks
from portula_device.places import Places
from portula_device.settings import DeviceSettings
from portula_device.user_codes import normal_form

if TYPE_CHECKING:
    from portula.plugin import AuthorizationServer

KIND = "device code"
USER_CODE = "device user code"
PLACE = "device place"
TRIES = 5

KEPT_SECONDS = 600
"""How long a code is kept that is over, so that its device is told so."""

SCOPE, RESOURCES, FACTS, PARAMETERS = "scope", "resources", "facts", "parameters"
CHALLENGE, METHOD = "challenge", "method"
ADDRESS, AGENT = "address", "agent"
ENDS_AT, INTERVAL, POLLED_AT, PLACED = "ends_at", "interval", "polled_at", "place"
CLAIMED_BY, AUTHORIZATION, DENIED = "claimed_by", "authorization", "denied"
"""Members of the payload; the last three say who has typed the code, and what they decided."""


def keep(provider: AuthorizationServer, client_id: str, payload: Mapping[str, Any]) -> tuple[str, str]:
    """Keep what a client asks for, and return the code of its device and the one for its person.

    Raises:
        RetryLater: too many codes of the client wait.
    """
    settings, storage, now = provider.settings(DeviceSettings), provider.storage, provider.now()
    generate = provider.hooks.ask(DeviceHooks.portula_device_user_code_generator)
    places = Places(provider, PLACE, client_id, settings.DEVICE_MAX_CODES_PER_CLIENT)
    ends_at = now + settings.DEVICE_CODE_EXPIRE_SECONDS
    for _ in range(TRIES):
        plan, device_code, user_code = Plan(), secrets.token_urlsafe(32), generate()
        place = places.take(plan, settings.DEVICE_CODE_EXPIRE_SECONDS)
        if place is None:
            raise RetryLater("Too many devices of this app wait.", places.wait(), status=429)
        own = {ENDS_AT: ends_at, INTERVAL: settings.DEVICE_FLOW_INTERVAL, PLACED: place}
        plan.add(
            Artifact(
                digest=provider.keys.digest(USER_CODE, normal_form(user_code)),
                kind=KIND,
                payload={**payload, **own},
                issued_at=now,
                client_id=client_id,
                family=provider.keys.digest(KIND, device_code),
                expires_at=ends_at + KEPT_SECONDS,
            )
        )
        try:
            storage.apply(plan)
        except (Conflict, DuplicateRecord):
            continue  # somebody has the place, or the code that people type
        return device_code, user_code
    raise RetryLater("No code could be found for the device.", 1)


def of_device(provider: AuthorizationServer, device_code: str) -> Artifact | None:
    """Return the record of the code that a device has, whatever has become of it."""
    family = provider.keys.digests(KIND, device_code)
    return _of_kind(provider.storage.select(Artifact, limit=1, family=family))


def of_person(provider: AuthorizationServer, user_code: str) -> Artifact | None:
    """Return the record of a code that a person types, whatever has become of it."""
    digest = provider.keys.digests(USER_CODE, normal_form(user_code))
    return _of_kind(provider.storage.select(Artifact, limit=1, digest=digest))


def is_open(provider: AuthorizationServer, code: Artifact) -> bool:
    """Say whether nobody has decided about a code, and its time is not over."""
    return code.payload[ENDS_AT] > provider.now() and code.payload.keys().isdisjoint({AUTHORIZATION, DENIED})


def change(plan: Plan, code: Artifact, **members: Any) -> None:
    """Plan to change members of a code's payload; the plan fails with Conflict when somebody else does."""
    payload = {**code.payload, **members}
    plan.change(code, given={"version": code.version}, version=code.version + 1, payload=payload)


def decide(plan: Plan, code: Artifact, authorization: str | None) -> None:
    """Plan that a person allowed a code, under this authorization, or denied it; its place is free again."""
    members = {DENIED: True} if authorization is None else {AUTHORIZATION: authorization}
    change(plan, code, **members)
    plan.remove(Artifact, digest=code.payload[PLACED])


def _of_kind(found: Iterable[Artifact]) -> Artifact | None:
    return next((code for code in found if code.kind == KIND), None)
