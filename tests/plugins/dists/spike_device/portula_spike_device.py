"""The device authorization grant (RFC 8628), with ID and refresh tokens; a person allows it on the consent page."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from flask import Blueprint, redirect, request

from portula import Plugin, hookimpl
from portula.errors import AccessDeniedError, InvalidGrantError, OAuth2Error
from portula.plugin import (
    Answer,
    Artifact,
    Authorization,
    ConsentQuestion,
    Endpoint,
    Exchange,
    ExtensionGrant,
    Message,
    Mount,
    OAuthRequest,
    added,
    json_answer,
    token_error,
)

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import GrantFactory, TokenExchange

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:device_code"
KIND, SECONDS = "user_code", 600


class AuthorizationPending(OAuth2Error):
    """The person has not answered yet (RFC 8628 §3.5)."""

    error = "authorization_pending"


class DeviceGrant(ExtensionGrant):
    """Redeems a device code once its person has allowed it."""

    refreshable = with_id_token = True

    def judge(self, exchange: TokenExchange) -> None:
        provider = exchange.provider
        device = provider.keys.digests("device_code", exchange.parameter("device_code") or "")
        code = next(iter(provider.storage.select(Artifact, limit=1, family=device)), None)
        if code is None or exchange.client is None or code.client_id != exchange.client.client_id:
            raise InvalidGrantError
        if "allowed" not in code.payload:
            raise AuthorizationPending
        if code.payload["allowed"] is None:
            raise AccessDeniedError
        authorization = provider.storage.find(Authorization, id=code.payload["allowed"])
        if authorization is None or authorization.revoked_at is not None:
            raise InvalidGrantError
        exchange.plan.take(code, at=provider.now())
        exchange.resume(authorization)
        exchange.request.user, exchange.request.scopes = authorization.subject, authorization.scope.split()


@hookimpl
def portula_grant_types(provider: Provider) -> Mapping[str, GrantFactory]:
    return {GRANT_TYPE: DeviceGrant}


@hookimpl
def portula_endpoints(provider: Provider) -> Sequence[Endpoint]:
    def begin(message: Message) -> Answer:
        try:
            asking = Exchange.of(provider, message)
            asking.read_form()
            provider.backend.authenticate_client(asking)
        except OAuth2Error as error:
            return token_error(error)
        device, user, now = secrets.token_urlsafe(32), secrets.token_hex(4), provider.now()
        code = Artifact(
            digest=provider.keys.digest(KIND, user),
            kind=KIND,
            payload={"scope": asking.parameter("scope") or ""},
            issued_at=now,
            client_id=asking.client.client_id,
            family=provider.keys.digest("device_code", device),
            expires_at=now + SECONDS,
        )
        provider.storage.apply(added(code))
        return json_answer(200, {"device_code": device, "user_code": user, "expires_in": SECONDS})

    return [Endpoint("device_authorization", "device_authorization/", ("POST",), begin)]


@hookimpl
def portula_blueprints(provider: Provider) -> Sequence[Mount]:
    blueprint = Blueprint("device", __name__)

    @blueprint.route("/device/<user_code>", methods=["GET", "POST"])
    def page(user_code: str) -> Any:
        person = provider.hooks.ask(Plugin.portula_login).current()
        if person is None:
            return redirect(provider.hooks.ask(Plugin.portula_login).login_url(request.path))
        code = provider.storage.find(Artifact, digest=provider.keys.digests(KIND, user_code))
        client = code and provider.clients.find(code.client_id or "")
        if not code or not client or "allowed" in code.payload:
            return provider.pages.error(404, "There is no such code")
        scopes, context = tuple(code.payload["scope"].split()), f"device {user_code} {person.subject}"
        question = ConsentQuestion(user_code, client, person, scopes, request.url, request.path, context)
        consent = provider.hooks.ask(Plugin.portula_consent)
        allowed = consent.answer(question) if request.method == "POST" else None
        if allowed is None:
            return consent.page(question)
        exchange = Exchange(provider=provider, request=OAuthRequest(request.path, "POST"))
        exchange.request.client, exchange.request.user = client, person.subject
        exchange.request.scopes, given = list(scopes), {"version": code.version}
        who = {"sid": person.sid, "auth_time": person.auth_time, "amr": tuple(person.amr)}
        answer = exchange.begin(**who, expires_at=provider.now() + SECONDS).id if allowed else None
        payload = {**code.payload, "allowed": answer}
        exchange.plan.change(code, given=given, version=code.version + 1, payload=payload)
        provider.storage.apply(exchange.plan)
        return "You can go back to your device."

    return [Mount(blueprint, at="mount")]
