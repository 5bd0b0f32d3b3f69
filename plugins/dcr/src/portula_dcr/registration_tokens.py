"""Registration access tokens (RFC 7592 §1.2): with its own, a client looks after its registration.

A token is kept as a digest and bound to one client. It is looked up by that keyed digest, so that nothing of it can be
learned from how long that takes.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from portula.plugin import Artifact, Plan
from portula_dcr.settings import DcrSettings

if TYPE_CHECKING:
    from portula import Provider

KIND = "registration access token"
_OF_CLIENT = "registration access tokens of a client"


class RegistrationTokens:
    """The tokens of a provider's clients."""

    def __init__(self, provider: Provider) -> None:
        """Take the provider."""
        self._provider = provider

    def issue(self, client_id: str, plan: Plan) -> str:
        """Return a token for a client, and plan to keep it."""
        provider, now = self._provider, self._provider.now()
        seconds = provider.settings(DcrSettings).DCR_REGISTRATION_TOKEN_EXPIRE_SECONDS
        value = secrets.token_urlsafe(32)
        plan.add(
            Artifact(
                digest=provider.keys.digest(KIND, value),
                kind=KIND,
                payload={},
                issued_at=now,
                expires_at=None if seconds is None else now + seconds,
                client_id=client_id,
                family=provider.keys.digest(_OF_CLIENT, client_id),
            )
        )
        return value

    def find(self, value: str, client_id: str) -> Artifact | None:
        """Return the token with this value if it is this client's and still counts."""
        found = self._provider.storage.find(Artifact, digest=self._provider.keys.digests(KIND, value))
        if found is None or found.client_id != client_id or found.taken_at is not None:
            return None
        expired = found.expires_at is not None and found.expires_at <= self._provider.now()
        return None if expired else found

    def forget(self, client_id: str, plan: Plan) -> None:
        """Plan to end every token of a client."""
        plan.remove(Artifact, family=self._provider.keys.digests(_OF_CLIENT, client_id))
