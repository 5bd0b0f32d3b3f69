"""The userinfo endpoint (OpenID Connect Core §5.3): its steps, in the order in which they run."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from portula import Plugin
from portula.errors import (
    InsufficientScopeError,
    InvalidTokenError,
    MissingTokenError,
    OAuth2Error,
)
from portula.plugin import (
    NO_STORE,
    Answer,
    Exchange,
    Steps,
    json_answer,
    step,
)
from portula_oidc.claims import person_of
from portula_oidc.hooks import OIDCHooks, UserInfoClaims
from portula_oidc.registration import SIGNED_USERINFO, USERINFO

if TYPE_CHECKING:
    from portula.plugin import Application


@dataclass(kw_only=True, eq=False)
class UserinfoExchange(Exchange):
    """A request to the userinfo endpoint. Its response are the claims."""

    jwt: str | None = field(default=None, repr=False)
    """The claims as a JSON Web Token, signed, encrypted or both, for a client that is registered so."""


def presentation(exchange: UserinfoExchange) -> None:
    """Take the access token from the header, or from the body of a POST, never from both (RFC 6750 §2)."""
    presentations = exchange.provider.token_presentations
    presented = presentations.read(exchange.message, form=True, headers=exchange.headers)
    if presented is None or not presented.value:
        raise MissingTokenError
    exchange.presented_token = presented


def live(exchange: UserinfoExchange) -> None:
    """Require a token that counts now and is proven to be the caller's; what it says stands on the exchange."""
    if not exchange.provider.backend.verify_request(exchange, []):
        raise InvalidTokenError


def openid(exchange: UserinfoExchange) -> None:
    """Require the scope `openid`, granted by a person (OpenID Connect Core §5.3.1)."""
    if exchange.subject is None or "openid" not in exchange.scope:
        raise InsufficientScopeError


def claims(exchange: UserinfoExchange) -> None:
    """Collect the claims that were asked for and granted (OpenID Connect Core §5.3.2, §5.4)."""
    collected = exchange.provider.validator.get_userinfo_claims(exchange.request)
    if isinstance(collected, str):  # a validator class of the deployment's own has signed them
        exchange.jwt = collected
    else:
        exchange.response = collected


def enrich(exchange: UserinfoExchange) -> None:
    """Let plugins add claims; those that stand already stay as they are."""
    provider, request = exchange.provider, exchange.request
    if exchange.jwt is None:
        person = person_of(provider, request)
        info = UserInfoClaims(provider=provider, request=request, user=person, claims=exchange.response)
        exchange.response = provider.hooks.enrich(OIDCHooks.portula_userinfo_claims, info)


def sign(exchange: UserinfoExchange) -> None:
    """Sign the claims for a client that is registered so (OpenID Connect Core §5.3.2)."""
    client = exchange.client
    algorithm = client.metadata.get(SIGNED_USERINFO) if client else None
    if client is None or algorithm is None or exchange.jwt is not None:
        return
    jose = exchange.provider.hooks.ask(Plugin.portula_jose)
    exchange.jwt = jose.sign(
        _with_issuer_and_audience(exchange, client), typ="JWT", algorithm=algorithm, client=client
    )


def encrypt(exchange: UserinfoExchange) -> None:
    """Encrypt what is signed, or the claims as they are, for a client that is registered so (OIDC Core §5.3.2)."""
    client = exchange.client
    if client is None or not USERINFO.is_registered(client):
        return
    signed = exchange.jwt
    payload = json.dumps(_with_issuer_and_audience(exchange, client)) if signed is None else signed
    cty = "" if signed is None else "JWT"
    exchange.jwt = USERINFO.encrypt(exchange.provider, client, payload, cty=cty)


def _with_issuer_and_audience(exchange: UserinfoExchange, client: Application) -> dict[str, Any]:
    """Return the claims with who says them to whom."""
    return {**exchange.response, "iss": exchange.issuer, "aud": client.client_id}


def write(exchange: UserinfoExchange) -> None:
    """Write the answer, never to be cached (OpenID Connect Core §5.3.2)."""
    if exchange.jwt is None:
        exchange.answer = json_answer(200, exchange.response)
    else:
        headers = {"Content-Type": "application/jwt", **NO_STORE}
        exchange.answer = Answer(200, headers, exchange.jwt.encode())


def refuse(exchange: UserinfoExchange, error: Exception) -> Answer | None:
    """Write a refusal (OpenID Connect Core §5.3.3, RFC 6750 §3)."""
    if not isinstance(error, OAuth2Error):
        return None
    presentations = exchange.provider.token_presentations
    return presentations.refusal(error, exchange.presented_token, parameters={"scope": "openid"})


USERINFO_STEPS = Steps(
    "userinfo",
    [
        step(presentation, sets="presented_token"),
        step(
            live, reads="presented_token", sets="access_token client subject scope person authorization facts"
        ),
        step(openid, reads="subject scope"),
        step(claims, reads="subject scope facts", sets="response"),
        step(enrich, reads="response"),
        step(sign, reads="response client"),
        step(encrypt, reads="response client"),
        step(write, reads="response", sets="answer"),
    ],
    begin=UserinfoExchange.of,
    refuse=refuse,
)
