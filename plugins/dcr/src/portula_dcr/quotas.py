"""Quotas of clients that may be registered within an hour (attack S55)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portula.errors import RetryLater
from portula.plugin import Plan, network_of
from portula_dcr.counters import Counter, count_client, is_full
from portula_dcr.settings import DcrSettings

if TYPE_CHECKING:
    from portula import Provider

KIND = "registration quota"
HOUR = 3600


class Quotas:
    """What one address, and all together, may still register."""

    def __init__(self, provider: Provider) -> None:
        """Take the provider."""
        self._provider = provider
        settings = provider.settings(DcrSettings)
        self._per_address = settings.DCR_MAX_CLIENTS_PER_ADDRESS_PER_HOUR
        self._of_all = settings.DCR_MAX_CLIENTS_PER_HOUR

    def look(self, client_address: str) -> None:
        """Raise RetryLater when nothing is left, before anything costly is done for this address."""
        for counter in self._counters(client_address):
            if is_full(self._provider, counter):
                raise self._refusal(counter)

    def count(self, client_address: str, client_id: str, plan: Plan) -> None:
        """Plan to count a new client, see `count_client`; RetryLater when nothing is left."""
        for counter in self._counters(client_address):
            if not count_client(self._provider, counter, client_id, plan):
                raise self._refusal(counter)

    def _counters(self, client_address: str) -> list[Counter]:
        hour = self._provider.now() // HOUR
        limits = ((f"address\0{network_of(client_address)}", self._per_address), ("all", self._of_all))
        return [
            Counter(KIND, self._provider.keys.digest(KIND, f"{key}\0{hour}"), limit, (hour + 1) * HOUR)
            for key, limit in limits
            if limit is not None
        ]

    def _refusal(self, counter: Counter) -> RetryLater:
        left = (counter.expires_at or 0) - self._provider.now()
        return RetryLater("Too many clients were registered; try again later.", left, status=429)
