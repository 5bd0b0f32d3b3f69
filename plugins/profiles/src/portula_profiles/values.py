"""Values that several rules name."""

from __future__ import annotations

ALGORITHMS = ("PS256", "ES256", "EdDSA", "Ed25519")
"""FAPI 2.0 Security Profile §5.4.1; Ed25519 is EdDSA by its full name (RFC 9864 §2.2)."""
FAPI1_ALGORITHMS = ("PS256", "ES256")
"""FAPI 1.0 Part 2 §8.6."""

REQUIRED_CLAIMS = ("aud", "exp", "nbf")
"""Of request objects (FAPI 2.0 Message Signing §5.3.1)."""
