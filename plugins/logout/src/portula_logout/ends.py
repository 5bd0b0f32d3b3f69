"""Records that are kept with the end of a login session: deliveries to the apps that hear of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portula_logout import metadata, participants
from portula_logout.back_channel import delivery_of

if TYPE_CHECKING:
    from portula.plugin import AuthorizationServer, SessionEnded


def record_end(provider: AuthorizationServer, event: SessionEnded) -> list[object]:
    """Return the deliveries to apps that have to hear of it, and forget which they were."""
    parts: list[object] = []
    if metadata.back_channel(provider):
        for participant in participants.of_session(provider, event.sid):
            parts += delivery_of(provider, event, participant)
    return [*parts, participants.forgetting(provider, event.sid)]
