"""Posts what happens to a receiver, signed; nothing is lost while the receiver or the provider is down."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from portula import hookimpl
from portula.plugin import DeliveryKind, OutgoingMessage

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import Delivery, TokenIssued

KIND = "webhook"
GONE = 410


class WebhookSettings(BaseModel):
    """Who hears, and by which secret they know that it is true."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    WEBHOOK_URL: str = ""
    """Where events are posted; empty for nowhere."""

    WEBHOOK_SECRET: str = ""
    """Key of the HMAC in the header Webhook-Signature."""


@hookimpl
def portula_settings(provider: Provider) -> Sequence[type[BaseModel]]:
    return [WebhookSettings]


@hookimpl
def portula_deliveries(provider: Provider) -> Mapping[str, DeliveryKind]:
    settings = provider.settings(WebhookSettings)

    def message(delivery: Delivery) -> OutgoingMessage:
        body = json.dumps(dict(delivery.data), sort_keys=True).encode()
        signature = hmac.new(settings.WEBHOOK_SECRET.encode(), body, hashlib.sha256).hexdigest()
        headers = {
            "Content-Type": "application/json",
            "Webhook-Id": delivery.data["id"],
            "Webhook-Signature": signature,
        }
        return OutgoingMessage(url=settings.WEBHOOK_URL, body=body, headers=headers)

    return {
        KIND: DeliveryKind(what="of an event", message=message, permanent=frozenset({GONE}), retry_seconds=1)
    }


@hookimpl
def portula_record_token(event: TokenIssued) -> Iterable[object]:
    provider = event.provider
    url = provider.settings(WebhookSettings).WEBHOOK_URL
    if not url:
        return ()
    return [provider.deliveries.record(KIND, event.id, url, event.as_json(), client_id=event.client_id)]
