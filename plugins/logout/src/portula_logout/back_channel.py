"""Tells the servers of apps that a session ended (OpenID Connect Back-Channel Logout §2.5): what, and how."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portula import hookimpl
from portula.errors import FetchFailed
from portula.plugin import Add, DeliveryKind, OutgoingMessage
from portula_logout import metadata
from portula_logout.logout_token import make_logout_token
from portula_logout.participants import Participant
from portula_logout.registration import BACKCHANNEL_URI
from portula_logout.settings import LogoutSettings

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import AuthorizationServer, Delivery, SessionEnded

KIND = "logout-token"

REFUSED = 400
"""The app's server says that it cannot do it (§2.8): it is not asked again."""


@hookimpl
def portula_deliveries(provider: Provider) -> dict[str, DeliveryKind]:
    """Return the kind, if the servers of apps are told."""
    if not metadata.back_channel(provider):
        return {}
    settings = provider.settings(LogoutSettings)
    kind = DeliveryKind(
        what="of a logout",
        message=message,
        permanent=frozenset({REFUSED}),
        retry_seconds=settings.OIDC_BACKCHANNEL_LOGOUT_RETRY_SECONDS,
        give_up_seconds=settings.OIDC_BACKCHANNEL_LOGOUT_GIVE_UP_SECONDS,
    )
    return {KIND: kind}


def message(delivery: Delivery) -> OutgoingMessage | None:
    """Make a new token for the app's server, as it is registered now; None when it no longer wants to hear.

    Raises:
        JoseError: it cannot be signed.
        FetchFailed: what describes the client cannot be had at this moment, or counts no longer.
    """
    clients, client_id = delivery.provider.clients, delivery.client_id or ""
    client = clients.find(client_id)
    if client is None and clients.is_of_a_source(client_id):
        raise FetchFailed("it is not known at this moment who it is")
    ended = delivery.data
    if client is None or BACKCHANNEL_URI not in client.metadata:
        return None
    if ended.get("made_at", client.created_at) != client.created_at:
        return None  # it is another of the same name (attack S27)
    token = make_logout_token(delivery.provider, client, ended["issuer"], ended["sub"], ended["sid"])
    return OutgoingMessage(url=client.metadata[BACKCHANNEL_URI], body={"logout_token": token})


def delivery_of(provider: AuthorizationServer, event: SessionEnded, participant: Participant) -> list[Add]:
    """Return the record that an app's server is to hear of an end; none if it wants to hear nothing."""
    client = participant.client
    url = client.metadata.get(BACKCHANNEL_URI)
    if url is None:
        return []
    about = {"issuer": participant.issuer, "sub": participant.sub, "sid": participant.sid}
    ended = {**about, "made_at": client.created_at}
    name = f"{event.sid}\0{client.client_id}"
    return [provider.deliveries.record(KIND, name, url, ended, client_id=client.client_id)]
