"""The limit on wrong codes: an attempt is written down before the code is looked at (RFC 8628 §5.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portula.errors import Conflict, DuplicateRecord, RetryLater
from portula.plugin import Places, Plan, network_of
from portula_device.settings import DeviceSettings

if TYPE_CHECKING:
    from portula import Provider

KIND = "device code attempt"
ADDRESS_FACTOR = 10
"""How many more wrong codes than of one person may come from one address: others are there too."""
TRIES = 20


def begin(provider: Provider, subject: str) -> list[str]:
    """Count an attempt of a person, from the address of the current Flask request; return what stands for it.

    It counts as wrong until that is removed. So any number of attempts at one moment, in any number of browsers and
    processes, cannot pass together; refused ones do not count.

    Raises:
        RetryLater: too many codes were wrong.
    """
    settings = provider.settings(DeviceSettings)
    limit, seconds = settings.DEVICE_USER_CODE_ATTEMPTS, settings.DEVICE_CODE_EXPIRE_SECONDS
    network = network_of(provider.client_address())
    counters = (
        Places(provider, KIND, f"person\0{subject}", limit),
        Places(provider, KIND, f"address\0{network}", limit * ADDRESS_FACTOR),
    )
    for _ in range(TRIES):
        plan, taken = Plan(), []
        for places in counters:
            place = places.take(plan, seconds)
            if place is None:
                raise RetryLater("Too many codes were wrong.", places.wait(), status=429)
            taken.append(place)
        try:
            provider.storage.apply(plan)
        except (Conflict, DuplicateRecord):
            continue  # another attempt at this moment took the same place
        return taken
    raise RetryLater("Too many codes are typed at this moment.", 1, status=429)
