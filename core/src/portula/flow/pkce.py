"""Proof Key for Code Exchange (RFC 7636)."""

UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
"""Characters of a code_challenge and a code_verifier (RFC 7636 §4.1)."""


def well_formed(value: str) -> bool:
    """Say whether a challenge or verifier has the form of RFC 7636 §4.1: 43 to 128 unreserved characters."""
    return 43 <= len(value) <= 128 and UNRESERVED.issuperset(value)
