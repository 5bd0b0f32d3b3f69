"""Which apps a person signed in to within one login session: those to tell when it ends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from portula import Plugin
from portula.plugin import Add, Application, Artifact, ChangeAll, Remove, is_of_removed_client
from portula_logout.registration import BACKCHANNEL_URI, FRONTCHANNEL_URI

if TYPE_CHECKING:
    from portula.plugin import AuthorizationGranted, AuthorizationServer

KIND = "session-client"

REMEMBERED_SECONDS = 30 * 24 * 3600
"""How long an app is remembered when nobody says how long the session lasts: the host keeps sessions of its own."""

ADDRESSES = "addresses"
"""What is remembered of an app that is not registered here: it may be known no longer when the session ends."""

PAGE = 100


def remember(provider: AuthorizationServer, event: AuthorizationGranted) -> list[object]:
    """Return what the plan of the request needs so that an app learns of a session; one that is known lives on."""
    if event.sid is None or "openid" not in event.scopes:
        return []
    keys, name, expires_at = provider.keys, f"{event.sid}\0{event.client_id}", _expiry(provider, event.sid)
    payload: dict[str, object] = {"issuer": provider.current_issuer(), "sub": event.known_as}
    if provider.clients.is_of_a_source(event.client_id):
        payload[ADDRESSES] = _addresses(provider, event.client_id)
    artifact = Artifact(
        digest=keys.digest(KIND, name),
        kind=KIND,
        payload=payload,
        issued_at=provider.now(),
        client_id=event.client_id,
        family=keys.digest(KIND, event.sid),
        expires_at=expires_at,
    )
    return [
        ChangeAll(
            cls=Artifact,
            where={"digest": keys.digests(KIND, name)},
            values={"issued_at": artifact.issued_at, "expires_at": expires_at, "payload": payload},
        ),
        Add(record=artifact, unless_known=True),
    ]


def _addresses(provider: AuthorizationServer, client_id: str) -> dict[str, object]:
    """Return where an app wants to hear of a logout, as it says now."""
    client = provider.clients.find_all([client_id]).get(client_id)
    known = {} if client is None else client.metadata
    return {name: known[name] for name in (BACKCHANNEL_URI, FRONTCHANNEL_URI) if name in known}


@dataclass(frozen=True, slots=True)
class Participant:
    """An app, and what it knows of the session."""

    client: Application
    """As it is known without asking another server; else no more of it than its addresses."""
    issuer: str
    sub: str
    """The person."""
    sid: str
    """The session."""


def of_session(provider: AuthorizationServer, sid: str) -> Iterator[Participant]:
    """Yield the apps of a session; no other server is asked about one, so that nothing holds a logout up."""
    family, after = provider.keys.digests(KIND, sid), None
    while page := provider.storage.select(Artifact, family=family, limit=PAGE, after=after):
        known = {artifact.client_id: artifact for artifact in page if artifact.client_id}
        clients = provider.clients.find_all(tuple(known))
        for client_id, artifact in sorted(known.items()):
            client, participant = clients.get(client_id), artifact.payload
            if client is None and participant.get(ADDRESSES):
                client = Application(client_id=client_id, metadata=participant[ADDRESSES])
            if client is None or is_of_removed_client(client, artifact.issued_at):
                continue
            yield Participant(
                client,
                participant["issuer"],
                participant["sub"],
                provider.validator.sid_for(sid, client_id),
            )
        after = page[-1].digest


def forgetting(provider: AuthorizationServer, sid: str) -> Remove:
    """Return the part of a plan that forgets the apps of a session that is over."""
    return Remove(cls=Artifact, where={"family": provider.keys.digests(KIND, sid)})


def _expiry(provider: AuthorizationServer, sid: str) -> int:
    sessions = provider.hooks.ruling(Plugin.portula_sessions).answer
    session = sessions.current() if sessions else None
    if session is not None and session.sid == sid:
        return int(session.expires_at)
    return provider.now() + REMEMBERED_SECONDS
