"""Quotas of clients that may be registered within an hour (attack S55)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portula.errors import RetryLater
from portula.plugin import Plan, network_of
from portula_dcr.claims import Places, claim, is_full
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
        for places in self._places(client_address):
            if is_full(self._provider, places):
                raise self._refusal(places)

    def count(self, client_address: str, client_id: str, plan: Plan) -> None:
        """Plan to count a new client, see `claim`; RetryLater when nothing is left."""
        for places in self._places(client_address):
            if not claim(self._provider, places, client_id, plan):
                raise self._refusal(places)

    def _places(self, client_address: str) -> list[Places]:
        hour = self._provider.now() // HOUR
        limits = ((f"address\0{network_of(client_address)}", self._per_address), ("all", self._of_all))
        return [
            Places(KIND, self._provider.keys.digest(KIND, f"{key}\0{hour}"), limit, (hour + 1) * HOUR)
            for key, limit in limits
            if limit is not None
        ]

    def _refusal(self, places: Places) -> RetryLater:
        left = (places.expires_at or 0) - self._provider.now()
        return RetryLater("Too many clients were registered; try again later.", left, status=429)
