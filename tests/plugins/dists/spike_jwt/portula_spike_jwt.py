"""Access tokens as JWTs (RFC 9068) for clients that are registered so."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from portula import Plugin, hookimpl
from portula.errors import ServerError
from portula.plugin import ClientMember

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import Exchange, TokenFormat

MEMBER = "access_token_format"


@hookimpl
def portula_client_metadata(provider: Provider) -> Sequence[ClientMember]:
    return [ClientMember(MEMBER, Literal["jwt"])]


@hookimpl
def portula_shape_token(exchange: Exchange) -> None:
    if exchange.issue is not None and exchange.client is not None:
        exchange.issue.format = exchange.client.metadata.get(MEMBER, "")


@hookimpl
def portula_token_formats(provider: Provider) -> Mapping[str, TokenFormat]:
    def make(exchange: Exchange) -> str:
        issue, client = exchange.issue, exchange.client
        if issue is None or client is None:
            raise ServerError
        now, validator = provider.now(), provider.validator
        person = validator.subject_for(exchange.subject, client) if exchange.subject else None
        claims = {
            "iss": exchange.issuer,
            "sub": person or client.client_id,
            "aud": list(issue.audience) or exchange.issuer,
            "client_id": client.client_id,
            "scope": " ".join(issue.scope),
            "iat": now,
            "exp": now + issue.lifetime,
            "jti": secrets.token_urlsafe(16),
            **({"cnf": issue.confirmation} if issue.confirmation else {}),
        }
        return provider.hooks.ask(Plugin.portula_jose).sign(claims, typ="at+jwt")

    return {"jwt": make}
