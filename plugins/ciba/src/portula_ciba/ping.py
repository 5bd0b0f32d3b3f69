"""Tells a client in ping mode that the person has decided, so that it comes for the result (CIBA Core §10.2)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from portula import hookimpl
from portula.plugin import Artifact, DeliveryKind, OutgoingMessage, is_of_removed_client
from portula_ciba.registration import ENDPOINT, delivery_mode
from portula_ciba.settings import CibaSettings, is_on

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import AuthorizationServer, Delivery, Plan
    from portula_ciba.exchange import CibaExchange

KIND = "ciba-ping"
SEALED = "ping"
"""Member of a request's payload: its identifier and the token of its client, under a key of this server."""
_PURPOSE = "backchannel notification"

RETRY_SECONDS = 2
PERMANENT = frozenset({*range(300, 500)} - {408, 429})
"""Redirects are not followed, and who refuses is not asked again (CIBA Core §10.2)."""


def sealed_member(exchange: CibaExchange, digest: str, auth_req_id: str) -> dict[str, str]:
    """Return the member of a payload by which a client is told; none for one that polls."""
    if delivery_mode(exchange.party) != "ping":
        return {}
    secrets = json.dumps([auth_req_id, exchange.own["client_notification_token"]])
    return {SEALED: exchange.provider.keys.seal(_PURPOSE, secrets, under=digest)}


def plan_ping(provider: AuthorizationServer, plan: Plan, pending: Artifact) -> None:
    """Plan to tell the client, if it wants to be told."""
    client = provider.clients.find(pending.client_id or "")
    is_sent = KIND in provider.deliveries.kinds
    if not is_sent or SEALED not in pending.payload or client is None or ENDPOINT not in client.metadata:
        return
    data = {"request": pending.digest}
    plan.extend(
        [
            provider.deliveries.record(
                KIND, pending.digest, client.metadata[ENDPOINT], data, client_id=client.client_id
            )
        ]
    )


def message(delivery: Delivery) -> OutgoingMessage | None:
    """Make the message, to where the client is registered now; None where it has come for the result already."""
    provider = delivery.provider
    client = provider.clients.find(delivery.client_id or "")
    pending = provider.storage.find(Artifact, digest=delivery.data["request"])
    if client is None or pending is None or pending.taken_at is not None:
        return None
    if is_of_removed_client(client, pending.issued_at):
        return None
    told = provider.keys.unseal(_PURPOSE, pending.payload[SEALED], under=pending.digest)
    if told is None or ENDPOINT not in client.metadata or delivery_mode(client) != "ping":
        return None
    auth_req_id, token = json.loads(told)
    return OutgoingMessage(
        url=client.metadata[ENDPOINT],
        body=json.dumps({"auth_req_id": auth_req_id}).encode(),
        headers={"Content-Type": "application/json", "Authorization": f"Bearer {token}"},
    )


@hookimpl
def portula_deliveries(provider: Provider) -> dict[str, DeliveryKind]:
    """Return the kind, where clients may be told."""
    settings = provider.settings(CibaSettings)
    if not is_on(provider) or "ping" not in settings.CIBA_DELIVERY_MODES:
        return {}
    return {
        KIND: DeliveryKind(
            what="that its person has decided",
            message=message,
            permanent=PERMANENT,
            retry_seconds=RETRY_SECONDS,
            give_up_seconds=settings.CIBA_MAX_EXPIRE_SECONDS,
        )
    }
