"""What is bound to the instance of a client that asked for it: refresh tokens, codes (draft §10.3, §10.4)."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from portula import hookimpl
from portula.errors import InvalidGrantError
from portula.plugin import Step
from portula_attestation.instances import ROOM, Instances, instance_key
from portula_attestation.settings import is_on

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import AuthorizationExchange, Exchange, TokenExchange

INSTANCE = "client_instance"
"""Name of the steps that bind."""
KEY = "key"
"""Name of the fact that holds the thumbprint of an instance's key (RFC 7638)."""
PARAMETER = "portula.client_instance"
"""Stands among the parameters of a request that an instance has pushed (RFC 9126), and says which."""

AUTHENTICATING = (
    "token",
    "par",
    "revoke_token",
    "introspect",
    "device_authorization",
    "bc-authorize",
)
"""Endpoints where clients authenticate."""

_THUMBPRINT = re.compile(r"[A-Za-z0-9_-]{43}")


@hookimpl
def portula_steps(provider: Provider) -> list[Step]:
    """Return the steps; none while nobody is trusted."""
    if not is_on(provider):
        return []
    instances, client = Instances(provider), frozenset({"client"})
    reads, pairs = frozenset({"issue", "client", "authorization"}), frozenset({"pairs", "client"})
    return [
        *(
            Step(
                endpoint=each,
                name=ROOM,
                run=instances.judge_signal,
                after="client",
                reads=client,
                optional=True,
            )
            for each in AUTHENTICATING
        ),
        Step(endpoint="token", name=INSTANCE, run=bind_token, before="vetoes", reads=reads, guards=True),
        Step(endpoint="par", name=INSTANCE, run=bind_request, after="parameters", reads=pairs, optional=True),
    ]


def bind_token(exchange: TokenExchange) -> None:
    """Let nobody but the instance that it was for use a grant, and bind a refresh token to the one that gets it."""
    authorization, client, issue = exchange.authorization, exchange.client, exchange.issue
    if authorization is None or client is None or authorization.client_id != client.client_id:
        return
    key, bound = instance_key(exchange), authorization.facts.get(ROOM, {}).get(KEY)
    if bound not in (None, key):
        raise InvalidGrantError(description="The grant is bound to another instance of the client.")
    if key is None or bound is not None or issue is None or not issue.refresh_token:
        return
    facts = {**authorization.facts, ROOM: {KEY: key}}
    exchange.facts = facts
    if any(each is authorization for each in exchange.plan.additions(type(authorization))):
        exchange.authorization = replace(authorization, facts=facts)
        exchange.plan.replace(authorization, exchange.authorization)
    else:
        exchange.plan.change(authorization, given={"revoked_at": None}, facts=facts)


def bind_request(exchange: Exchange) -> None:
    """Bind a pushed request, and so its code, to the instance that pushes it."""
    pairs, key = getattr(exchange, "pairs", []), instance_key(exchange)
    pairs[:] = [pair for pair in pairs if pair[0] != PARAMETER]
    if key is not None:
        pairs.append((PARAMETER, key))


@hookimpl
def portula_validate_authorization_request(exchange: AuthorizationExchange) -> None:
    """Bind what a request begins to the instance that pushed it, or that asks here (RFC 8628, CIBA).

    What a browser brings along says nothing of an instance.
    """
    key = instance_key(exchange)
    if key is None and exchange.resolver is not None:
        key = dict(exchange.pairs).get(PARAMETER)
    if key is not None and _THUMBPRINT.fullmatch(key):
        exchange.facts[ROOM] = {KEY: key}
