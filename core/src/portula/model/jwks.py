"""Public keys as JSON Web Keys, and their names (RFC 7517 §4, RFC 7638): no key is loaded, and nothing verified."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, model_validator

from portula.model.keys import unkeyed_digest

AsymmetricAlgorithm = Literal[
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"
]
"""Algorithms of others' signatures: whoever could verify by a secret could sign by it too (attack S40)."""

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
    return unkeyed_digest(json.dumps({name: key[name] for name in sorted(key)}, separators=(",", ":")))


class PublicKeys(BaseModel):
    """Where the public keys of somebody are whose signatures are taken: base of settings that name such people."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    jwks: dict[str, Any] | None = None
    """The keys (RFC 7517 §5)."""
    jwks_uri: str | None = None
    """Where they are published, an https URL."""

    @model_validator(mode="after")
    def _has_keys(self) -> Self:
        if (self.jwks is None) == (self.jwks_uri is None):
            raise ValueError("one of jwks and jwks_uri is needed")
        keys = self.jwks.get("keys") if self.jwks is not None else None
        if self.jwks is not None and not (isinstance(keys, list) and any(map(public_jwk, keys))):
            raise ValueError("jwks has no public key")
        if self.jwks_uri is not None and not self.jwks_uri.startswith("https://"):
            raise ValueError("jwks_uri is an https URL")
        return self
