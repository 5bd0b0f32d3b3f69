"""The exchange of the page on which a person decides about a device."""

from __future__ import annotations

from dataclasses import dataclass, field

from portula.plugin import Artifact, PageExchange

NO_DEVICE = Artifact(digest="", kind="", payload={}, issued_at=0)


@dataclass(kw_only=True, eq=False)
class DevicePageExchange(PageExchange):
    """A person decides about a device whose code they have typed."""

    device: Artifact = NO_DEVICE
    """The record of its code."""
    user_code: str = field(default="", repr=False)
    """The code as its device shows it."""
