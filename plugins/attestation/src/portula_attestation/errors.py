"""Errors of client attestations (draft §7.4); what is wrong is told to operators alone."""

from portula.errors import OAuth2Error


class InvalidClientAttestation(OAuth2Error):  # type: ignore[misc] # oauthlib has no types
    """An attestation or the proof of its key does not count."""

    error = "invalid_client_attestation"
    description = "The client attestation, or the proof of its key, does not count here."

    def __init__(self, reason: str) -> None:
        """Take what is wrong, for the log."""
        self.reason = reason
        super().__init__()


class UseFreshAttestation(InvalidClientAttestation):
    """An attestation is too old."""

    error = "use_fresh_attestation"
    description = "A newer client attestation is needed."


class UseAttestationChallenge(InvalidClientAttestation):
    """A proof has no challenge of this server, or one that counts no more; the answer brings one along (§6.1)."""

    error = "use_attestation_challenge"
    description = "The proof needs the challenge of this answer."
