"""Signing and verifying with joserfc: no code of the server takes part."""

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from joserfc import jws
from joserfc.jwk import Key, KeySet, RSAKey

ALGORITHMS = ["RS256", "PS256", "ES256", "ES384", "EdDSA", "Ed25519"]


def new_key(kid: str | None = None, algorithm: str = "RS256") -> RSAKey:
    """Make an RSA key for signatures."""
    parameters = {"use": "sig", "alg": algorithm, **({"kid": kid} if kid else {})}
    return RSAKey.generate_key(2048, parameters, private=True)


def public_set(*keys: Key) -> dict[str, Any]:
    """Return the document that publishes keys (RFC 7517 §5)."""
    return {"keys": [key.as_dict(private=False) for key in keys]}


def sign(claims: Mapping[str, Any], key: Key, algorithm: str = "RS256", **header: str) -> str:
    """Return a signed JWT, which names its key."""
    return sign_as(claims, key, {"alg": algorithm, **({"kid": key.kid} if key.kid else {}), **header})


def sign_as(claims: Mapping[str, Any], key: Key, header: Mapping[str, Any]) -> str:
    """Return a JWT that is signed under a header."""
    registry = jws.JWSRegistry(algorithms=ALGORITHMS)
    return jws.serialize_compact(dict(header), json.dumps(claims).encode(), key, registry=registry)


def unsigned(claims: Mapping[str, Any]) -> str:
    """Return a JWT of the algorithm `none` (RFC 7519 §6)."""
    return f"{encoded({'alg': 'none'})}.{encoded(claims)}."


def encoded(members: Mapping[str, Any]) -> str:
    """Return a part of a JWT."""
    return base64.urlsafe_b64encode(json.dumps(members).encode()).decode().rstrip("=")


def header_of(token: str) -> dict[str, Any]:
    """Return the header of a JWT, unverified."""
    return _decoded(token.split(".", maxsplit=1)[0])


def claims_of(token: str) -> dict[str, Any]:
    """Return the claims of a JWT, unverified."""
    return _decoded(token.split(".")[1])


def verified(token: str, keys: Mapping[str, Any]) -> dict[str, Any]:
    """Return the claims of a JWT that one published key, the one it names, verifies."""
    header = header_of(token)
    assert header.get("kid"), "no kid"
    named = [key for key in keys["keys"] if key.get("kid") == header["kid"]]
    assert len(named) == 1, f"{len(named)} published keys have the kid {header['kid']!r}"
    if "alg" in named[0]:
        assert named[0]["alg"] == header["alg"]
    key_set = KeySet.import_key_set({"keys": named})
    found = jws.deserialize_compact(token, key_set, registry=jws.JWSRegistry(algorithms=ALGORITHMS))
    return json.loads(found.payload)


def half_hash(value: str, algorithm: str) -> str:
    """Return at_hash or c_hash of a value (OpenID Connect Core §3.3.2.11)."""
    name = {"256": "sha256", "384": "sha384", "512": "sha512"}.get(algorithm[-3:], "sha512")
    digest = hashlib.new(name, value.encode()).digest()
    return base64.urlsafe_b64encode(digest[: len(digest) // 2]).decode().rstrip("=")


def _decoded(part: str) -> dict[str, Any]:
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
