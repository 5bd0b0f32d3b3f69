"""The signature algorithms, each with the one kind of key that it takes (RFC 7518 §3.1, RFC 8037, RFC 9864)."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwcrypto.jwa import JWA
from jwcrypto.jwk import JWK

MIN_RSA_BITS = 2048
"""RFC 7518 §3.3."""
MAX_RSA_BITS = 8192
"""A larger key of a client would be a way to burn our time."""


@dataclass(frozen=True, slots=True)
class Algorithm:
    """A signature algorithm, bound to one type of key (attack S40)."""

    name: str
    kty: str
    hash: str
    """Name in hashlib."""
    crv: str | None = None
    signature_bytes: int | None = None
    """Length that every signature has; None for RSA, whose length is that of the key."""

    @property
    def symmetric(self) -> bool:
        """Whether it signs with the client's secret."""
        return self.kty == "oct"


ALGORITHMS: dict[str, Algorithm] = {
    algorithm.name: algorithm
    for algorithm in (
        Algorithm("RS256", "RSA", "sha256"),
        Algorithm("RS384", "RSA", "sha384"),
        Algorithm("RS512", "RSA", "sha512"),
        Algorithm("PS256", "RSA", "sha256"),
        Algorithm("PS384", "RSA", "sha384"),
        Algorithm("PS512", "RSA", "sha512"),
        Algorithm("ES256", "EC", "sha256", "P-256", 64),
        Algorithm("ES384", "EC", "sha384", "P-384", 96),
        Algorithm("ES512", "EC", "sha512", "P-521", 132),
        Algorithm("EdDSA", "OKP", "sha512", "Ed25519", 64),
        Algorithm("Ed25519", "OKP", "sha512", "Ed25519", 64),
        Algorithm("HS256", "oct", "sha256", None, 32),
        Algorithm("HS384", "oct", "sha384", None, 48),
        Algorithm("HS512", "oct", "sha512", None, 64),
    )
}
"""Every algorithm that is understood, by its registered name. `none` is not among them."""

SYMMETRIC: frozenset[str] = frozenset(name for name, algorithm in ALGORITHMS.items() if algorithm.symmetric)
"""Those that sign with a client's secret, which has at least as many bytes as their digest (RFC 7518 §3.2)."""

_ED25519 = frozenset({"EdDSA", "Ed25519"})
"""Two names of one algorithm (RFC 9864 §2.2)."""


def digest_size(algorithm: str) -> int:
    """Return the bytes of the algorithm's digest."""
    return hashlib.new(ALGORITHMS[algorithm].hash).digest_size


def half_digest(value: str, algorithm: Algorithm) -> str:
    """Return the left half of the digest of a value under an algorithm's hash, as base64url (OIDC Core §3.1.3.6).

    Ed25519 hashes with SHA-512 inside, so that is its hash here too.
    """
    digest = hashlib.new(algorithm.hash, value.encode()).digest()
    return urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode()


def names_agree(named: str, algorithm: str) -> bool:
    """Say whether the `alg` of a key allows an algorithm."""
    return named == algorithm or {named, algorithm} == _ED25519


def fits(key: JWK, algorithm: str) -> bool:
    """Say whether a key is of the type, curve and strength that an algorithm asks for (attack S40)."""
    wanted = ALGORITHMS[algorithm]
    if key.get("kty") != wanted.kty or key.get("crv") != wanted.crv:
        return False
    return wanted.kty != "RSA" or MIN_RSA_BITS <= rsa_bits(key) <= MAX_RSA_BITS


def rsa_bits(key: JWK) -> int:
    """Return the size of an RSA key's modulus in bits, 0 for a key of another type."""
    loaded = key.get_op_key("verify")
    return loaded.key_size if isinstance(loaded, RSAPublicKey) else 0


def sign(key: JWK, algorithm: str, data: bytes) -> bytes:
    """Return the signature over some bytes (RFC 7515 §5.1)."""
    engine: Any = JWA.signing_alg(algorithm)
    signature: bytes = engine.sign(key, data)
    return signature


def verifies(key: JWK, algorithm: str, data: bytes, signature: bytes) -> bool:
    """Say whether a signature is right; False for whatever goes wrong."""
    wanted = ALGORITHMS[algorithm]
    if wanted.signature_bytes is not None and len(signature) != wanted.signature_bytes:
        return False
    engine: Any = JWA.signing_alg(algorithm)
    try:
        if not fits(key, algorithm):
            return False
        engine.verify(key, data, signature)
    except Exception:  # noqa: BLE001 - jwcrypto and OpenSSL raise what they like; none of it makes a signature right
        return False
    return True
