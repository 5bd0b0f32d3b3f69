"""Keys, and tokens signed with them, for tests: made and verified with `cryptography` alone.

So a token of a client, or of an attacker, never comes from the code that is to judge it.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives import hmac
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey

CURVES: Mapping[str, ec.EllipticCurve] = {
    "P-256": ec.SECP256R1(),
    "P-384": ec.SECP384R1(),
    "P-521": ec.SECP521R1(),
}
_CURVE_OF = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}
ASYMMETRIC = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Algorithms of which `TokenKey` makes keys (RFC 7518 §3.1, RFC 8037 §3.1)."""


class TokenKey:
    """A private key with its name, of somebody who signs tokens."""

    def __init__(self, algorithm: str = "RS256", kid: str = "1", private: PrivateKey | None = None) -> None:
        """Take an algorithm of ASYMMETRIC, the name, and the key; a new one is made when none is given."""
        self.algorithm = algorithm
        self.kid = kid
        self.private = private or _generate(algorithm)

    @property
    def jwk(self) -> dict[str, Any]:
        """The public key as a JWK (RFC 7517), with `kid`, `alg` and `use`."""
        members = public_members(self.private.public_key())
        return {**members, "kid": self.kid, "alg": self.algorithm, "use": "sig"}

    @property
    def jwks(self) -> dict[str, Any]:
        """A JWK Set of this key alone, for the `jwks` of a client."""
        return {"keys": [self.jwk]}

    def sign(self, claims: Mapping[str, Any], *, typ: str | None = "JWT", **header: Any) -> str:
        """Return a token; `header` adds to `alg`, `kid` and `typ`, or takes one out when it is None."""
        given = {"alg": self.algorithm, "kid": self.kid, "typ": typ, **header}
        data = signing_input({name: value for name, value in given.items() if value is not None}, claims)
        return f"{data}.{encode(raw_signature(self.private, self.algorithm, data.encode()))}"


def signed_with_secret(
    secret: bytes, claims: Mapping[str, Any], algorithm: str = "HS256", **header: Any
) -> str:
    """Return a token signed with a secret (RFC 7518 §3.2)."""
    data = signing_input({"alg": algorithm, "typ": "JWT", **header}, claims)
    return f"{data}.{encode(_hmac(secret, algorithm, data.encode()))}"


def unsigned_token(claims: Mapping[str, Any], **header: Any) -> str:
    """Return a token that is not signed, and says so (RFC 7515 §6)."""
    return f"{signing_input({'alg': 'none', 'typ': 'JWT', **header}, claims)}."


def taken_apart(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return header and claims, unverified."""
    header, claims, _ = token.split(".")
    return json.loads(decode(header)), json.loads(decode(claims))


def verify_token(token: str, jwk: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return header and claims of a token, verified with a public key by the algorithm it names.

    Raises:
        cryptography.exceptions.InvalidSignature: the key did not make it.
    """
    data, _, signature = token.rpartition(".")
    header, claims = taken_apart(token)
    verify(load_key(jwk), header["alg"], data.encode(), decode(signature))
    return header, claims


def verified_with_secret(token: str, secret: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return header and claims of a token, verified with a secret.

    Raises:
        AssertionError: the secret did not make it.
    """
    data, _, signature = token.rpartition(".")
    header, claims = taken_apart(token)
    if _hmac(secret, header["alg"], data.encode()) != decode(signature):
        raise AssertionError("signed with another secret")
    return header, claims


def signing_input(header: Mapping[str, Any], claims: Mapping[str, Any]) -> str:
    """Return the first two parts of a token."""
    return ".".join(encode(json.dumps(part).encode()) for part in (header, claims))


def encode(data: bytes) -> str:
    """Return base64url without padding (RFC 7515 §2)."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """Return the bytes of base64url."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def raw_signature(key: PrivateKey, algorithm: str, data: bytes) -> bytes:
    """Return a signature in the form of RFC 7518 §3."""
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(data)
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(data, _padding(algorithm), _hash(algorithm))
    size = (key.curve.key_size + 7) // 8
    return b"".join(
        part.to_bytes(size, "big")
        for part in decode_dss_signature(key.sign(data, ec.ECDSA(_hash(algorithm))))
    )


def verify(key: PublicKey, algorithm: str, data: bytes, signature: bytes) -> None:
    """Verify a signature; see `verified`."""
    if isinstance(key, ed25519.Ed25519PublicKey):
        key.verify(signature, data)
    elif isinstance(key, rsa.RSAPublicKey):
        key.verify(signature, data, _padding(algorithm), _hash(algorithm))
    else:
        half = len(signature) // 2
        pair = (int.from_bytes(part, "big") for part in (signature[:half], signature[half:]))
        key.verify(encode_dss_signature(*pair), data, ec.ECDSA(_hash(algorithm)))


def load_key(jwk: Mapping[str, Any]) -> PublicKey:
    """Return the key that a JWK stands for."""
    if jwk["kty"] == "OKP":
        return ed25519.Ed25519PublicKey.from_public_bytes(decode(jwk["x"]))
    names = ("n", "e") if jwk["kty"] == "RSA" else ("x", "y")
    first, second = (int.from_bytes(decode(jwk[name]), "big") for name in names)
    if jwk["kty"] == "RSA":
        return rsa.RSAPublicNumbers(second, first).public_key()
    return ec.EllipticCurvePublicNumbers(first, second, CURVES[jwk["crv"]]).public_key()


def public_members(key: PublicKey) -> dict[str, str]:
    """Return what a public key is made of, as members of a JWK."""
    if isinstance(key, ed25519.Ed25519PublicKey):
        return {"kty": "OKP", "crv": "Ed25519", "x": encode(key.public_bytes_raw())}
    if isinstance(key, rsa.RSAPublicKey):
        numbers = key.public_numbers()
        return {"kty": "RSA", "n": _number(numbers.n), "e": _number(numbers.e)}
    point, size = key.public_numbers(), (key.curve.key_size + 7) // 8
    name = next(name for name, curve in CURVES.items() if curve.name == key.curve.name)
    return {"kty": "EC", "crv": name, "x": _number(point.x, size), "y": _number(point.y, size)}


def _generate(algorithm: str) -> PrivateKey:
    if algorithm == "EdDSA":
        return ed25519.Ed25519PrivateKey.generate()
    if algorithm in _CURVE_OF:
        return ec.generate_private_key(CURVES[_CURVE_OF[algorithm]])
    return rsa.generate_private_key(65537, 2048)


def _number(number: int, size: int | None = None) -> str:
    return encode(number.to_bytes(size or (number.bit_length() + 7) // 8, "big"))


def _hash(algorithm: str) -> HashAlgorithm:
    return {"256": SHA256(), "384": SHA384(), "512": SHA512()}[algorithm[2:]]


def _padding(algorithm: str) -> padding.AsymmetricPadding:
    if algorithm.startswith("RS"):
        return padding.PKCS1v15()
    return padding.PSS(padding.MGF1(_hash(algorithm)), padding.PSS.DIGEST_LENGTH)


def _hmac(secret: bytes, algorithm: str, data: bytes) -> bytes:
    made = hmac.HMAC(secret, _hash(algorithm))
    made.update(data)
    return made.finalize()
