"""Tokens in compact form, taken apart and put together (RFC 7515 §7.1), strictly and before any key is touched.

What RFC 7515 leaves to the reader is refused: two members of one name, bytes behind the last bit, unknown `crit`.
"""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from portula.errors import JoseError, UntrustedToken
from portula.plugin import Jwt, read_object

MAX_KID_CHARACTERS = 255

_BASE64URL = re.compile(r"[A-Za-z0-9_-]*")
_REFUSED_HEADERS = ("crit", "zip", "b64", "enc")
"""We understand no extension that may be critical, and decompress nothing (RFC 7515 §4.1.11; attack S42)."""


@dataclass(frozen=True, slots=True)
class Parts:
    """A token in compact form, taken apart. Nothing of it is verified."""

    token: Jwt
    algorithm: str
    kid: str | None
    data: bytes = field(repr=False)
    """What is signed."""
    signature: bytes = field(repr=False)


def take_apart(token: str, max_bytes: int) -> Parts:
    """Return the parts of a signed token.

    Raises:
        UntrustedToken: it is no such token, or larger than `max_bytes`.
    """
    if len(token) > max_bytes or not token.isascii():
        raise UntrustedToken("is larger than a token may be, or no ASCII")
    parts = token.split(".")
    if len(parts) == 5:
        raise UntrustedToken("is encrypted; only signed tokens are taken here")
    if len(parts) != 3 or not parts[0] or not parts[1]:
        raise UntrustedToken("does not have three parts")
    header, claims = (json_object(decode(part)) for part in parts[:2])
    for name in _REFUSED_HEADERS:
        if name in header:
            raise UntrustedToken(f"has {name!r} in its header")
    algorithm, kid, typ = header.get("alg"), header.get("kid"), header.get("typ", "")
    if not isinstance(algorithm, str) or not isinstance(typ, str):
        raise UntrustedToken("has no algorithm or a typ that is no text")
    if kid is not None and not (isinstance(kid, str) and len(kid) <= MAX_KID_CHARACTERS):
        raise UntrustedToken("has a kid that is no text, or too long")
    return Parts(
        token=Jwt(header, claims),
        algorithm=algorithm,
        kid=kid,
        data=f"{parts[0]}.{parts[1]}".encode(),
        signature=decode(parts[2]),
    )


def check_type(parts: Parts, allowed: Collection[str]) -> None:
    """Compare the `typ` of a header with what it may be; the empty string lets it be absent (attack S44).

    Raises:
        UntrustedToken: it is another.
    """
    if parts.token.typ not in {Jwt({"typ": typ}, {}).typ for typ in allowed}:
        raise UntrustedToken("is of another type")


def signing_input(header: Mapping[str, Any], claims: Mapping[str, Any]) -> str:
    """Return header and claims as they are signed (RFC 7515 §5.1).

    Raises:
        JoseError: the claims are no JSON.
    """
    try:
        return ".".join(
            encode(json.dumps(part, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode())
            for part in (header, claims)
        )
    except (TypeError, ValueError) as error:  # ValueError: NaN, or a lone surrogate
        raise JoseError(f"the claims are no JSON: {type(error).__name__}") from error


def encode(data: bytes) -> str:
    """Return bytes as base64url without padding (RFC 7515 §2)."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(part: str) -> bytes:
    """Return the bytes of base64url; one text a value, so that a token has no second spelling.

    Raises:
        UntrustedToken: it is no such text.
    """
    if not _BASE64URL.fullmatch(part) or len(part) % 4 == 1:
        raise UntrustedToken("is no base64url")
    data = urlsafe_b64decode(part + "=" * (-len(part) % 4))
    if encode(data) != part:
        raise UntrustedToken("is no base64url: bits are set behind the last byte")
    return data


def json_object(data: bytes) -> dict[str, Any]:
    """Return a JSON object of one meaning.

    Raises:
        UntrustedToken: it is none.
    """
    try:
        return read_object(data)
    except ValueError as error:
        raise UntrustedToken(f"holds something that is no JSON object of one meaning: {error}") from error
