"""Requests that came by POST: without our Lax cookies, so they wait here while the browser comes back by GET."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from portula.errors import InvalidRequestError
from portula.plugin import Artifact, added

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import Pairs

KIND = "logout_request"
"""Kind of the artifact, and the parameter that names it in our own URLs."""

WAITING_SECONDS = 600
"""How long a person may take over the page."""


def keep(provider: Provider, pairs: Pairs) -> str:
    """Keep a request; return its name.

    Raises:
        InvalidRequestError: it is too long to be kept.
        TemporarilyUnavailableError: too many wait.
    """
    size = sum(len(text.encode()) for pair in pairs for text in pair)
    provider.strangers.admit(provider.client_address(), size)
    name, now = secrets.token_urlsafe(32), provider.now()
    artifact = Artifact(
        digest=provider.keys.digest(KIND, name),
        kind=KIND,
        payload={"pairs": [list(pair) for pair in pairs]},
        issued_at=now,
        expires_at=now + WAITING_SECONDS,
    )
    provider.storage.apply(added(artifact))
    return name


def find(provider: Provider, name: str) -> Pairs:
    """Return a request that was kept.

    Raises:
        InvalidRequestError: it is not known, or waited too long.
    """
    artifact = provider.storage.find(Artifact, digest=provider.keys.digests(KIND, name))
    if artifact is None or artifact.kind != KIND or (artifact.expires_at or 0) <= provider.now():
        raise InvalidRequestError(description="The request waited too long. Please start again at the app.")
    return [(key, value) for key, value in artifact.payload["pairs"]]
