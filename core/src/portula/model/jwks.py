"""Public keys as JSON Web Keys, and their names (RFC 7517 §4, RFC 7638): no key is loaded, and nothing verified."""

from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping

_MEMBERS: Mapping[object, tuple[str, ...]] = {
    "EC": ("crv", "kty", "x", "y"),
    "OKP": ("crv", "kty", "x"),
    "RSA": ("e", "kty", "n"),
}
"""What a thumbprint is made of, in its order (RFC 7638 §3.2, RFC 8037); types that nobody else can sign with."""

_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


def public_jwk(jwk: object) -> dict[str, str] | None:
    """Return the members that make a public key; None for what is none, or says more than others may know."""
    if not isinstance(jwk, Mapping) or not _PRIVATE.isdisjoint(jwk):
        return None
    key = {name: jwk.get(name) for name in _MEMBERS.get(str(jwk.get("kty")), ())}
    texts = {name: value for name, value in key.items() if isinstance(value, str)}
    return texts if texts and len(texts) == len(key) else None


def jwk_thumbprint(key: Mapping[str, str]) -> str:
    """Return the name of a public key that `public_jwk` returned: SHA-256, base64url, no padding (RFC 7638 §3)."""
    members = json.dumps({name: key[name] for name in sorted(key)}, separators=(",", ":"))
    return urlsafe_b64encode(hashlib.sha256(members.encode()).digest()).decode().rstrip("=")
