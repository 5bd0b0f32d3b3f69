"""What is done when a login session ends, within the transaction that ends it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import has_request_context

from portula_logout import browser_state, metadata, participants
from portula_logout.courier import courier_of
from portula_logout.outbox import Outbox

if TYPE_CHECKING:
    from portula.plugin import Provider, SessionEnded


def record_end(provider: Provider, event: SessionEnded) -> None:
    """Write down which apps have to hear of it, and forget which they were."""
    courier, waiting = courier_of(provider), 0
    if metadata.back_channel(provider):
        outbox = Outbox(provider)
        for client, issuer in participants.of_session(provider, event.sid):
            waiting += outbox.put(event, client, issuer)
    participants.forget(provider, event.sid)
    browser_state.forget(provider, event.sid)
    # Outside of a request this is a command, which ends before its threads would: a process that serves does the rest.
    if waiting and courier and has_request_context():
        provider.storage.on_commit(lambda: courier.wake(waiting))
