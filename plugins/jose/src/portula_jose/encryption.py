"""Encrypted tokens in compact form (RFC 7516 §7.1), with the algorithms that may be used (RFC 7518 §4.1, §5.1).

RSA1_5 and PBES2 are not among them: the one tells an attacker whether a padding was right (RFC 8725 §3.2), the other
lets a token say how much work it makes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Literal

from jwcrypto.jwe import JWE
from jwcrypto.jwk import JWK

from portula.errors import JoseError
from portula_jose.compact import encode

KeyManagement = Literal[
    "RSA-OAEP",
    "RSA-OAEP-256",
    "ECDH-ES",
    "ECDH-ES+A128KW",
    "ECDH-ES+A192KW",
    "ECDH-ES+A256KW",
    "dir",
    "A128KW",
    "A192KW",
    "A256KW",
]
ContentEncryption = Literal[
    "A128CBC-HS256", "A192CBC-HS384", "A256CBC-HS512", "A128GCM", "A192GCM", "A256GCM"
]

RSA = ("RSA-OAEP", "RSA-OAEP-256")
ECDH = ("ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A192KW", "ECDH-ES+A256KW")
FAMILIES: Mapping[str, tuple[str, ...]] = {RSA[0]: RSA, ECDH[0]: ECDH}
"""The algorithms that one key of ours decrypts, by the one that stands for them."""
WRAPPING: Mapping[str, int] = {"A128KW": 16, "A192KW": 24, "A256KW": 32}
"""Algorithms that wrap a key with one that follows from a client's secret, and the bytes of that."""
DIRECT = "dir"

CONTENT: Mapping[str, int] = {
    "A128CBC-HS256": 32,
    "A192CBC-HS384": 48,
    "A256CBC-HS512": 64,
    "A128GCM": 16,
    "A192GCM": 24,
    "A256GCM": 32,
}
"""What content is encrypted with, and the bytes of its key."""

_CURVES = frozenset({("EC", "P-256"), ("EC", "P-384"), ("EC", "P-521"), ("OKP", "X25519")})
"""RFC 7518 §4.6.1.1, RFC 8037 §3.2."""


def secret_bytes(algorithm: str, enc: str) -> int | None:
    """Return the bytes of the key that a client's secret makes; None where no secret does."""
    return CONTENT[enc] if algorithm == DIRECT else WRAPPING.get(algorithm)


def encrypts_with(key: JWK, algorithm: str) -> bool:
    """Say whether a key is of the type and curve that an algorithm asks for."""
    if algorithm in RSA:
        return bool(key.get("kty") == "RSA")
    return algorithm in ECDH and (key.get("kty"), key.get("crv")) in _CURVES


def secret_key(secret: bytes, size: int) -> JWK:
    """Return the key that follows from a secret: the left part of its digest (OpenID Connect Core §10.2)."""
    digest = next(name for name in ("sha256", "sha384", "sha512") if size <= hashlib.new(name).digest_size)
    return JWK(kty="oct", k=encode(hashlib.new(digest, secret).digest()[:size]))


def decrypt(token: str, key: JWK, algorithm: str, enc: str) -> str | None:
    """Return what is in a token, None for whatever goes wrong."""
    try:
        opened = JWE(algs=[algorithm, enc])
        opened.deserialize(token, key)
        return bytes(opened.payload).decode()
    except Exception:  # noqa: BLE001 - jwcrypto and OpenSSL raise what they like; why is nobody's business
        return None


def encrypt(payload: bytes, key: JWK, header: Mapping[str, Any]) -> str:
    """Return a payload encrypted with a key, by the `alg` and `enc` of a header.

    Raises:
        JoseError: it cannot be; the message holds nothing of the payload.
    """
    try:
        token = JWE(payload, json.dumps(header, separators=(",", ":")), algs=[header["alg"], header["enc"]])
        token.add_recipient(key)
        compact: str = token.serialize(compact=True)
    except Exception as error:  # jwcrypto and OpenSSL raise what they like
        raise JoseError(f"nothing is encrypted with this key: {type(error).__name__}") from error
    return compact
