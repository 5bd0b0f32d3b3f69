"""What is less strict here than it could be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from portula import hookimpl
from portula.plugin import Finding, Level
from portula_dcr.settings import DcrSettings

if TYPE_CHECKING:
    from portula import Provider


@hookimpl
def portula_checks(provider: Provider) -> list[Finding]:
    """Return the findings about the settings of this room."""
    settings = provider.settings(DcrSettings)
    return list(_about(settings)) if settings.DCR_ENABLED else []


def _about(settings: DcrSettings) -> Iterator[Finding]:
    everybody = settings.DCR_REGISTRATION_MODE == "open"
    if everybody:
        yield Finding(
            "dcr.open",
            Level.WARNING,
            "Everybody may register clients, under any name and logo.",
            'Set DCR_REGISTRATION_MODE = "initial_access_token".',
            "RFC 7591 §5",
        )
    limits = (settings.DCR_MAX_CLIENTS_PER_ADDRESS_PER_HOUR, settings.DCR_MAX_CLIENTS_PER_HOUR)
    if everybody and None in limits:
        yield Finding(
            "dcr.quota",
            Level.WARNING,
            "Nothing limits how many clients a stranger registers.",
            "Set DCR_MAX_CLIENTS_PER_ADDRESS_PER_HOUR and DCR_MAX_CLIENTS_PER_HOUR.",
            "RFC 7591 §5",
        )
