"""Errors of proofs (RFC 9449 §5, §7.1, §8)."""

from portula.errors import OAuth2Error


class InvalidProof(OAuth2Error):  # type: ignore[misc] # oauthlib has no types
    """The proof is missing, wrong, of another request, or was used before (§5, §7.1)."""

    error = "invalid_dpop_proof"


class UseNonce(InvalidProof):
    """The proof has no nonce of this server, or an old one; the answer brings one along (§8, §9)."""

    error = "use_dpop_nonce"
