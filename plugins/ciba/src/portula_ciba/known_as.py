"""People whom a client knows by an identifier of its own, so that its ID tokens name them later (`id_token_hint`).

Such an identifier (OpenID Connect Core §8.1) says nothing about whose it is; so that is kept when it is given out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from portula import hookimpl
from portula.plugin import Add, Artifact
from portula_ciba.settings import GRANT_TYPE

if TYPE_CHECKING:
    from portula.plugin import Application, AuthorizationGranted, AuthorizationServer

KIND = "backchannel pairwise subject"


def subject_known_as(provider: AuthorizationServer, client: Application, sub: str) -> str:
    """Return the subject of whom a client knows by `sub`; `sub` itself where nothing else is known."""
    digest = provider.keys.digests(KIND, _name(client.client_id, sub))
    found = provider.storage.find(Artifact, digest=digest)
    return sub if found is None else str(found.payload["subject"])


@hookimpl
def portula_record_authorization(event: AuthorizationGranted) -> list[Add]:
    """Keep whom a client knows by another identifier than others do, if it may ask for people."""
    provider = event.provider
    if event.known_as == event.subject:
        return []
    client = provider.clients.find(event.client_id)
    if client is None or GRANT_TYPE not in client.grant_types:
        return []
    artifact = Artifact(
        digest=provider.keys.digest(KIND, _name(event.client_id, event.known_as)),
        kind=KIND,
        payload={"subject": event.subject},
        issued_at=provider.now(),
        client_id=event.client_id,
    )
    return [Add(record=artifact, unless_known=True)]


def _name(client_id: str, sub: str) -> str:
    return f"{client_id}\0{sub}"
