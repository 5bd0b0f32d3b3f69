"""Findings of `portula check` about assertions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portula import hookimpl
from portula.plugin import Finding, Level
from portula_client_assertion.methods import algorithms_in_use
from portula_client_assertion.settings import ClientAssertionSettings

if TYPE_CHECKING:
    from portula import Provider


@hookimpl
def portula_checks(provider: Provider) -> list[Finding]:
    """Return the findings about the settings of this room."""
    settings = provider.settings(ClientAssertionSettings)
    lax = set(settings.CLIENT_ASSERTION_ACCEPTED_AUDIENCES) != {"issuer"}
    if not algorithms_in_use(provider) or not (lax or settings.CLIENT_ASSERTION_AUDIENCE_LISTS):
        return []
    return [
        Finding(
            "client_assertion.audience",
            Level.WARNING,
            "Clients may name other audiences than the issuer, which another server could make them do.",
            'Set CLIENT_ASSERTION_ACCEPTED_AUDIENCES = ["issuer"] and CLIENT_ASSERTION_AUDIENCE_LISTS = False, or '
            "register clients with client_assertion_audience = issuer.",
            "RFC 7523 §3 as updated, CVE-2025-27370",
        )
    ]
