"""Client-initiated backchannel authentication (CIBA), poll mode: a client asks, a person allows at a page."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from flask import Response

from portula import Plugin, errors, hookimpl
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
    from portula.plugin import Exchange, Mount, Pairs, Provider, TokenExchange

ID, GRANT, SECONDS = "auth_req_id", "urn:openid:params:grant-type:ciba", 120


def find(provider: Provider, name: str) -> Artifact:
    found = provider.storage.find(Artifact, digest=provider.keys.digests(ID, name))
    if found is None or found.taken_at or (found.expires_at or 0) <= provider.now():
        raise errors.InvalidGrantError(description="There is no such request.")
    return found


class CibaGrant(ExtensionGrant):
    refreshable = with_id_token = True

    def judge(self, exchange: TokenExchange) -> None:
        waiting = find(exchange.provider, exchange.parameter(ID) or "")
        if "allowed" not in waiting.payload:
            raise errors.AuthorizationPendingError
        exchange.plan.take(waiting, at=exchange.provider.now())
        self.redeem(exchange, waiting.payload["allowed"])


def begin(exchange: Exchange) -> None:
    provider, name, now = exchange.provider, secrets.token_urlsafe(32), exchange.provider.now()
    users = provider.hooks.ask(Plugin.portula_login).users  # type: ignore[attr-defined] # of the room accounts
    person, client = users.find_by_name(exchange.parameter("login_hint") or ""), exchange.client
    if person is None or client is None:
        raise errors.InvalidRequestError(description="login_hint names nobody.")
    payload = {"scope": list(exchange.scope), "subject": person.sub}
    digest, until = provider.keys.digest(ID, name), now + SECONDS
    kept = {"digest": digest, "kind": ID, "payload": payload, "issued_at": now, "expires_at": until}
    exchange.plan.add(Artifact(**kept, client_id=client.client_id))
    exchange.answer = json_answer(200, {ID: name, "expires_in": SECONDS})


STEPS = client_request_steps("bc-authorize", JUDGE_SCOPE, step(begin, reads="scope"))


class CibaPage(InteractionView[PageExchange]):
    endpoint = "ciba.page"

    def exchange(self, pairs: Pairs, presented: Pairs) -> PageExchange:
        waiting = find(self.provider, dict(pairs).get(ID, ""))
        return PageExchange.about(self.provider, waiting.client_id or "", waiting.payload["scope"], pairs)

    def decide(self, exchange: PageExchange, *, allowed: bool) -> Response:
        name, provider = dict(exchange.pairs)[ID], self.provider
        waiting = find(provider, name)
        if exchange.login is None or exchange.login.subject != waiting.payload["subject"] or not allowed:
            raise errors.AccessDeniedError(description="Nothing was allowed.")
        payload = {**waiting.payload, "allowed": self.grant(exchange).id}
        exchange.plan.change(
            waiting, given={"version": waiting.version}, version=waiting.version + 1, payload=payload
        )
        exchange.apply()
        return Response("Thank you.")


@hookimpl
def portula_grant_types(provider: Provider) -> dict[str, type[CibaGrant]]:
    return {GRANT: CibaGrant}


@hookimpl
def portula_endpoints(provider: Provider) -> list[Endpoint]:
    return [Endpoint("bc-authorize", "bc-authorize/", ("POST",), steps=STEPS)]


@hookimpl
def portula_blueprints(provider: Provider) -> list[Mount]:
    return [CibaPage(provider).mount("/ciba/")]
