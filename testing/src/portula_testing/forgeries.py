"""Tokens that nobody should believe: what attackers have made of JSON Web Tokens so far (attacks S40 to S44)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from portula_testing.jws import (
    PrivateKey,
    PublicKey,
    TokenKey,
    encode,
    load_key,
    raw_signature,
    signed_with_secret,
    taken_apart,
    unsigned_token,
)

REFUSED_HEADERS: Mapping[str, Mapping[str, Any]] = {
    "an unknown critical extension": {"crit": ["exp"], "exp": 1},
    "an empty crit": {"crit": []},
    "a crit that is no list": {"crit": "b64"},
    "an unencoded payload": {"b64": False, "crit": ["b64"]},
    "b64 without crit": {"b64": False},
    "a compressed payload": {"zip": "DEF"},
    "a kid that is no text": {"kid": ["1"]},
    "a typ that is no text": {"typ": {"a": 1}},
    "an algorithm that is no text": {"alg": ["RS256"]},
    "an algorithm in lower case": {"alg": "rs256"},
    "an algorithm nobody knows": {"alg": "XX256"},
    "an algorithm for encryption": {"alg": "RSA-OAEP"},
}
"""Headers that make a token refused although its signature is right, by what is wrong with them (attack S42)."""

_HEADER = encode(b'{"alg":"RS256","typ":"JWT","kid":"1"}')
_DEEP = b'{"a":' + b"[" * 2000 + b"]" * 2000 + b"}"

_CLAIMS: tuple[bytes, ...] = (
    b"",
    b"[]",
    b"null",
    b"not json",
    b"\xff\xfe",
    b'{"a":1,"a":2}',
    b'{"a":{"b":1,"b":2}}',
    b'{"exp":NaN}',
    b'{"exp":1e999}',
    b'{"exp":' + b"9" * 5000 + b"}",
    rb'{"sub":"\ud800"}',
    rb'{"sub":"\u0000"}',
    _DEEP,
)
_HEADERS: tuple[bytes, ...] = (b'{"alg":"RS256","alg":"none"}', b"{}", b"[]", _DEEP)

MALFORMED: tuple[str, ...] = (
    *("", ".", "..", "...", "....", "a", "é", "\0", "a.b", "a.b.c", "a.b.c.d.e"),
    *(f"{_HEADER}.e30.{ending}" for ending in ("=", " ", "a", "AB", "e30=", "e30\n")),
    *(f" {_HEADER}.e30.", f"{_HEADER}\n.e30.", f"{_HEADER}.e31.", f"{_HEADER}.e3+.", f"{_HEADER}.e30=."),
    *(f"{_HEADER}.{encode(claims)}." for claims in _CLAIMS),
    *(f"{encode(header)}.e30." for header in _HEADERS),
    "a" * 2_000_000,
    f"{_HEADER}.{'e30' * 700_000}.",
)
"""What is no token, or none that one reader takes for the same as another (attack S42)."""


def alterations(token: str) -> Iterator[tuple[str, str]]:
    """Yield the token with one thing changed, and what that is."""
    header, claims, signature = token.split(".")
    members = taken_apart(token)[1]
    for name, part in (
        ("no signature", ""),
        ("half a signature", signature[: len(signature) // 2]),
        ("zeros for a signature", "A" * len(signature)),
        ("a signature with one more byte", signature + "AAAA"),
        ("a signature that is changed at its start", _other(signature[0]) + signature[1:]),
    ):
        yield name, f"{header}.{claims}.{part}"
    yield "another claim", f"{header}.{_json({**members, 'admin': True})}.{signature}"
    yield "other claims", f"{header}.{_json({'sub': 'root'})}.{signature}"
    yield "another header", f"{_json({**taken_apart(token)[0], 'cty': 'x'})}.{claims}.{signature}"
    yield "another algorithm name", f"{_json({**taken_apart(token)[0], 'alg': 'PS512'})}.{claims}.{signature}"
    yield "no algorithm", f"{_json({**taken_apart(token)[0], 'alg': 'none'})}.{claims}.{signature}"
    yield "no algorithm and no signature", f"{_json({**taken_apart(token)[0], 'alg': 'none'})}.{claims}."


def key_confusions(
    jwk: Mapping[str, Any], claims: Mapping[str, Any], typ: str = "JWT"
) -> Iterator[tuple[str, str]]:
    """Yield tokens that are signed with a public key as if it were a secret (attack S40; CVE-2016-10555)."""
    key = load_key(jwk)
    for name, secret in _spellings(jwk, key):
        for algorithm in ("HS256", "HS384", "HS512"):
            yield (
                f"{algorithm} with {name}",
                signed_with_secret(secret, claims, algorithm, kid=jwk["kid"], typ=typ),
            )
    yield "an empty secret", signed_with_secret(b"", claims, kid=jwk["kid"], typ=typ)
    yield "no algorithm", unsigned_token(claims, kid=jwk["kid"], typ=typ)
    for none in ("None", "NONE", "nOnE"):
        yield f"algorithm {none}", unsigned_token(claims, kid=jwk["kid"], typ=typ, alg=none)


def self_made(kid: str, claims: Mapping[str, Any], typ: str = "JWT") -> Iterator[tuple[str, str]]:
    """Yield tokens of an attacker's own key, which the header brings along or points to (attack S41; CVE-2018-0114)."""
    for algorithm in ("RS256", "PS256", "ES256", "ES384", "EdDSA"):
        key = TokenKey(algorithm, kid, _attackers_key(algorithm))
        headers: dict[str, dict[str, Any]] = {
            "the name of our key": {},
            "jwk": {"jwk": key.jwk},
            "jku": {"jku": "https://attacker.example/jwks"},
            "x5u": {"x5u": "https://attacker.example/cert"},
            "x5c": {"x5c": ["MIIB"]},
            "another kid and jwk": {"kid": "theirs", "jwk": {**key.jwk, "kid": "theirs"}},
            "no kid": {"kid": None, "jwk": key.jwk},
            "a kid that is a path": {"kid": "../../../dev/null"},
            "a kid that is SQL": {"kid": "x' UNION SELECT 'secret"},
        }
        for name, header in headers.items():
            yield f"{algorithm}, {name}", key.sign(claims, typ=typ, **header)


def psychic(kid: str, claims: Mapping[str, Any], typ: str = "JWT") -> Iterator[tuple[str, str]]:
    """Yield ECDSA signatures of r and s that are zero, or encoded as DER (CVE-2022-21449)."""
    for algorithm, size in (("ES256", 32), ("ES384", 48), ("ES512", 66)):
        data = f"{_json({'alg': algorithm, 'kid': kid, 'typ': typ})}.{_json(claims)}"
        for name, signature in (("zeros", bytes(2 * size)), ("DER", bytes.fromhex("3006020101020101"))):
            yield f"{algorithm}, {name}", f"{data}.{encode(signature)}"


def sign_again(key: TokenKey, token: str, **header: Any) -> str:
    """Return a token signed anew by its own key, with other members in its header."""
    old, claims = taken_apart(token)
    data = f"{_json({**old, **header})}.{_json(claims)}"
    return f"{data}.{encode(raw_signature(key.private, key.algorithm, data.encode()))}"


def _spellings(jwk: Mapping[str, Any], key: PublicKey) -> Iterator[tuple[str, bytes]]:
    forms = [PublicFormat.SubjectPublicKeyInfo, *([PublicFormat.PKCS1] if jwk["kty"] == "RSA" else [])]
    for number, form in enumerate(forms):
        pem = key.public_bytes(Encoding.PEM, form)
        yield f"its PEM, {number}", pem
        yield f"its PEM without the last line end, {number}", pem.strip()
        yield f"its DER, {number}", key.public_bytes(Encoding.DER, form)
    yield "its JWK", json.dumps(jwk, separators=(",", ":")).encode()
    yield "its first member", str(jwk.get("n", jwk.get("x"))).encode()


@cache
def _attackers_key(algorithm: str) -> PrivateKey:
    """Return a key that is made once: it takes long, and forging one token with it or many is the same."""
    return TokenKey(algorithm).private


def _json(members: Mapping[str, Any]) -> str:
    return encode(json.dumps(members).encode())


def _other(character: str) -> str:
    return "B" if character == "A" else "A"
