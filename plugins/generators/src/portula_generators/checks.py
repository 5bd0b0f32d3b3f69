"""Findings of `portula check` about generators."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portula import hookimpl
from portula.plugin import Finding, Level
from portula_generators.settings import GeneratorSettings

if TYPE_CHECKING:
    from portula import Provider


@hookimpl
def portula_checks(provider: Provider) -> list[Finding]:
    """Return the findings about the settings of this room."""
    if provider.settings(GeneratorSettings).CLIENT_SECRET_HASH_PROFILE != "testing":
        return []
    return [
        Finding(
            "generators.hash-profile",
            Level.ERROR,
            "Client secrets chosen by people are hashed with parameters that protect nothing.",
            "Remove CLIENT_SECRET_HASH_PROFILE, and let those clients have new secrets.",
            "RFC 9106 §4",
        )
    ]
