"""Findings of `portula check` about settings of django-oauth-toolkit that do nothing here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portula import hookimpl
from portula.plugin import Finding, Level
from portula_device.settings import DEFAULT_MODEL, DeviceSettings

if TYPE_CHECKING:
    from portula import Provider


@hookimpl
def portula_checks(provider: Provider) -> list[Finding]:
    """Name the settings that are given and have no effect."""
    settings = provider.settings(DeviceSettings)
    idle = {
        "DEVICE_GRANT_MODEL": settings.DEVICE_GRANT_MODEL != DEFAULT_MODEL,
        "OAUTH_PRE_TOKEN_VALIDATION": bool(settings.OAUTH_PRE_TOKEN_VALIDATION),
    }
    return [
        Finding("device.no-effect", Level.INFO, f"{name} has no effect here", "leave it out")
        for name, given in idle.items()
        if given
    ]
