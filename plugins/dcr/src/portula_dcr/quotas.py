"""How many clients may be registered within an hour (attack S55)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portula.addresses import network_of
from portula.errors import PortulaError
from portula_dcr.claims import Places, claim
from portula_dcr.settings import DcrSettings

if TYPE_CHECKING:
    from portula import Provider

KIND = "registration quota"
HOUR = 3600


class TooManyClients(PortulaError):
    """No more clients can be registered for now; `retry_after` says for how many seconds."""

    def __init__(self, retry_after: int) -> None:
        """Keep the seconds."""
        self.retry_after = retry_after
        super().__init__("Too many clients were registered; try again later.")


def count(provider: Provider, client_address: str, client_id: str) -> None:
    """Count a new client, inside its transaction.

    Raises:
        TooManyClients: its address, or all together, registered as many as the settings allow.
    """
    settings, now = provider.settings(DcrSettings), provider.now()
    hour, over = divmod(now, HOUR)
    ends = now - over + HOUR
    for key, limit in (
        (f"address\0{network_of(client_address)}", settings.DCR_MAX_CLIENTS_PER_ADDRESS_PER_HOUR),
        ("all", settings.DCR_MAX_CLIENTS_PER_HOUR),
    ):
        if limit is None:
            continue
        family = provider.keys.digest(KIND, f"{key}\0{hour}")
        if not claim(provider, Places(KIND, family, limit, ends), client_id):
            raise TooManyClients(ends - now)
