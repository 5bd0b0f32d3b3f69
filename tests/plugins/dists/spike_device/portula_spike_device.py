"""The device authorization grant (RFC 8628), with ID and refresh tokens; a person allows it on the consent page."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from flask import Response

from portula import errors, hookimpl
from portula.plugin import (
    JUDGE_SCOPE,
    Artifact,
    Endpoint,
    ExtensionGrant,
    InteractionView,
    PageExchange,
    client_request_steps,
    json_answer,
    step,
)

if TYPE_CHECKING:
    from portula.plugin import Exchange, GrantFactory, Mount, Pairs, Provider, TokenExchange

KIND, SECONDS = "user_code", 600


class DeviceGrant(ExtensionGrant):
    refreshable = with_id_token = True

    def judge(self, exchange: TokenExchange) -> None:
        provider, device = exchange.provider, exchange.parameter("device_code") or ""
        family = provider.keys.digests("device_code", device)
        code = next(iter(provider.storage.select(Artifact, limit=1, family=family)), None)
        if code is None or (code.expires_at or 0) <= provider.now():
            raise errors.InvalidGrantError
        if "allowed" not in code.payload:
            raise errors.AuthorizationPendingError
        if code.payload["allowed"] is None:
            raise errors.AccessDeniedError
        exchange.plan.take(code, at=provider.now())
        self.redeem(exchange, code.payload["allowed"])


def begin(exchange: Exchange) -> None:
    device, user, now = secrets.token_urlsafe(32), secrets.token_hex(4), exchange.provider.now()
    code = Artifact(
        digest=exchange.provider.keys.digest(KIND, user),
        kind=KIND,
        payload={"scope": list(exchange.scope)},
        issued_at=now,
        client_id=exchange.client.client_id if exchange.client else None,
        family=exchange.provider.keys.digest("device_code", device),
        expires_at=now + SECONDS,
    )
    exchange.plan.add(code)
    exchange.answer = json_answer(200, {"device_code": device, "user_code": user, "expires_in": SECONDS})


STEPS = client_request_steps("device_authorization", JUDGE_SCOPE, step(begin, reads="scope"))


class DevicePage(InteractionView[PageExchange]):
    endpoint = "device.page"

    def code(self, pairs: Pairs) -> Artifact:
        digest = self.provider.keys.digests(KIND, dict(pairs).get(KIND, ""))
        code = self.provider.storage.find(Artifact, digest=digest)
        if code is None or "allowed" in code.payload or (code.expires_at or 0) <= self.provider.now():
            raise errors.InvalidRequestError(description="There is no such code.")
        return code

    def exchange(self, pairs: Pairs, presented: Pairs) -> PageExchange:
        code = self.code(pairs)
        return PageExchange.about(self.provider, code.client_id or "", code.payload["scope"], pairs)

    def decide(self, exchange: PageExchange, *, allowed: bool) -> Response:
        code, until = self.code(exchange.pairs), self.provider.now() + SECONDS
        kept = {**code.payload, "allowed": self.grant(exchange, expires_at=until).id if allowed else None}
        exchange.plan.change(code, given={"version": code.version}, version=code.version + 1, payload=kept)
        exchange.apply()
        return Response("You can go back to your device.")


@hookimpl
def portula_grant_types(provider: Provider) -> Mapping[str, GrantFactory]:
    return {"urn:ietf:params:oauth:grant-type:device_code": DeviceGrant}


@hookimpl
def portula_endpoints(provider: Provider) -> Sequence[Endpoint]:
    return [Endpoint("device_authorization", "device_authorization/", ("POST",), steps=STEPS)]


@hookimpl
def portula_blueprints(provider: Provider) -> Sequence[Mount]:
    return [DevicePage(provider).mount("/device/")]
