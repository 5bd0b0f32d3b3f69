"""Times at which secrets of clients were last used, written at most once an interval."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from portula.plugin import Application, Artifact, Plan, secret_id

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import ClientAuthenticated

KIND = "secret-use"
USE_SECONDS = 900
"""Seconds between two times of one secret that are written; earlier uses are left out."""
KEPT_SECONDS = 400 * 24 * 3600
"""Seconds for which the time of a use is kept."""
MAX_REMEMBERED = 10_000
"""Secrets a process remembers having written."""


class SecretUses:
    """Notes uses in the provider's storage, as artifacts; one is made a provider."""

    def __init__(self, provider: Provider) -> None:
        """Take the provider."""
        self._provider = provider
        self._written: dict[tuple[str, str], int] = {}
        self._lock = threading.Lock()

    def note(self, event: ClientAuthenticated) -> None:
        """Write that a secret was used, unless this process wrote it within the last USE_SECONDS."""
        if event.secret_id is None:
            return
        used = (event.client_id, event.secret_id)
        with self._lock:
            if event.at < self._written.get(used, -USE_SECONDS) + USE_SECONDS:
                return
        self._write(*used, event.at)
        with self._lock:
            if len(self._written) >= MAX_REMEMBERED:
                self._written.clear()
            self._written[used] = event.at

    def last(self, client: Application) -> dict[str, int | None]:
        """Return when each secret of a client, by its `secret_id`, was last used; None for never, or long ago."""
        names = [secret_id(stored) for stored in client.secret_hashes]
        return {name: self._last(client.client_id, name) for name in names}

    def _last(self, client_id: str, name: str) -> int | None:
        found = self._provider.storage.find(
            Artifact, digest=self._provider.keys.digests(KIND, _key(client_id, name))
        )
        return found.issued_at if found else None

    def _write(self, client_id: str, name: str, at: int) -> None:
        keys, plan = self._provider.keys, Plan()
        use = Artifact(
            digest=keys.digest(KIND, _key(client_id, name)),
            kind=KIND,
            payload={},
            issued_at=at,
            client_id=client_id,
            expires_at=at + KEPT_SECONDS,
        )
        where = {"digest": keys.digests(KIND, _key(client_id, name))}
        plan.change_all(Artifact, where, issued_at=at, expires_at=use.expires_at)
        plan.add(use, unless_known=True)
        self._provider.storage.apply(plan)


def _key(client_id: str, name: str) -> str:
    return f"{client_id}\0{name}"
