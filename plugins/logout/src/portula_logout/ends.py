"""What is done when a login session ends: what is kept with its end, and what follows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import has_request_context

from portula_logout import browser_state, metadata, participants
from portula_logout.courier import courier_of
from portula_logout.outbox import Outbox

if TYPE_CHECKING:
    from portula.plugin import Provider, SessionEnded


def record_end(provider: Provider, event: SessionEnded) -> list[object]:
    """Return the deliveries to apps that have to hear of it, and forget which they were."""
    parts: list[object] = []
    if metadata.back_channel(provider):
        outbox = Outbox(provider)
        for participant in participants.of_session(provider, event.sid):
            parts += outbox.delivery(event, participant)
    return [*parts, participants.forgetting(provider, event.sid)]


def after_end(provider: Provider, event: SessionEnded) -> None:
    """Take the browser's state away, and wake who delivers."""
    browser_state.forget(provider, event.sid)
    courier = courier_of(provider)
    # Outside of a request this is a command, which ends before its threads would: a process that serves does the rest.
    if courier and metadata.back_channel(provider) and has_request_context():
        waiting = Outbox(provider).waiting()
        if waiting:
            courier.wake(waiting)
