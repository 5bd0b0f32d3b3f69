"""Findings of `portula check` about registration."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from portula import Plugin, hookimpl
from portula.plugin import Finding, Level
from portula_dcr.settings import DcrSettings

if TYPE_CHECKING:
    from portula import Provider


@hookimpl
def portula_checks(provider: Provider) -> list[Finding]:
    """Return the findings about the settings of this room."""
    settings = provider.settings(DcrSettings)
    privileged = provider.hooks.collect(Plugin.portula_privileged_scopes)
    return list(_about(settings, privileged)) if settings.DCR_ENABLED else []


def _about(settings: DcrSettings, privileged: Sequence[str]) -> Iterator[Finding]:
    named = [scope for scope in settings.DCR_ALLOWED_SCOPES or () if scope in privileged]
    if named:
        yield Finding(
            "dcr.privileged",
            Level.WARNING,
            f"DCR_ALLOWED_SCOPES names {', '.join(named)}, which clients that register themselves never get.",
            "Give it to a client yourself, or make an initial access token with --scope.",
            "RFC 7591 §5",
        )
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
