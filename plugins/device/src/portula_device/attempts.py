"""The limit on wrong codes: an attempt is written down before the code is looked at (RFC 8628 §5.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portula.plugin import Quota, network_of, take_quotas
from portula_device.settings import DeviceSettings

if TYPE_CHECKING:
    from portula import Provider

KIND = "device code attempt"
ADDRESS_FACTOR = 10
"""How many more wrong codes than of one person may come from one address: others are there too."""


def begin(provider: Provider, subject: str) -> list[str]:
    """Count an attempt of a person, from the address of the current Flask request; return what stands for it.

    It counts as wrong until that is removed; refused ones do not count.

    Raises:
        RetryLater: too many codes were wrong.
    """
    settings = provider.settings(DeviceSettings)
    limit, network = settings.DEVICE_USER_CODE_ATTEMPTS, network_of(provider.client_address())
    counters = (
        Quota(provider, KIND, f"person\0{subject}", limit),
        Quota(provider, KIND, f"address\0{network}", limit * ADDRESS_FACTOR),
    )
    return take_quotas(provider, counters, settings.DEVICE_CODE_EXPIRE_SECONDS, "Too many codes were wrong.")
