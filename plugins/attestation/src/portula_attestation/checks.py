"""Findings of `portula check` about client attestations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portula import hookimpl
from portula.plugin import Finding, Level
from portula_attestation.settings import AttestationSettings, methods_in_use

if TYPE_CHECKING:
    from portula import Provider


@hookimpl
def portula_checks(provider: Provider) -> list[Finding]:
    """Find attesters that could attest instances of each other's clients."""
    attesters = provider.settings(AttestationSettings).ATTESTATION_TRUSTED_ATTESTERS
    unlimited = sorted(name for name, trusted in attesters.items() if trusted.clients is None)
    if len(attesters) < 2 or not unlimited or not methods_in_use(provider):
        return []
    return [
        Finding(
            "attestation.attesters",
            Level.WARNING,
            f"Several attesters are trusted, and some with every client: {', '.join(unlimited)}.",
            "Give each the `clients` whose instances it may attest, in ATTESTATION_TRUSTED_ATTESTERS.",
            "draft-ietf-oauth-attestation-based-client-auth §12.3",
        )
    ]
