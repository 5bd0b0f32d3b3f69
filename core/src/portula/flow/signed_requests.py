"""Requests as signed JWTs: how their claims become parameters, and how long they count (RFC 9101 §4, §6.3)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeGuard

if TYPE_CHECKING:
    from portula.flow.messages import Pairs

ABOUT_THE_TOKEN = frozenset({"iss", "aud", "exp", "nbf", "iat", "jti"})
"""Claims that are about the JWT itself, and no parameters."""

LATEST = 2**53
"""Seconds. Larger numbers are no times, and not exact as floating-point numbers."""


def pairs_from_claims(claims: Mapping[str, Any]) -> Pairs:
    """Return the claims of a request object that are parameters, as they would stand in a query.

    `resource` may be several (RFC 8707 §2), and null is none; numbers and objects are no strings in JSON.

    Raises:
        ValueError: a claim cannot be a parameter.
    """
    pairs: Pairs = []
    for name, value in claims.items():
        if name in ABOUT_THE_TOKEN:
            continue
        several = name == "resource" and isinstance(value, list)
        texts = [_as_text(each) for each in (value if several else [value])]
        pairs += [(name, text) for text in texts if text]
    return pairs


def _as_text(value: object) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value)
    if "\0" in text:
        raise ValueError("The request object contains NUL.")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("The request object is not UTF-8.") from None
    return text


def is_time(value: object) -> TypeGuard[float]:
    """Say whether a claim is a NumericDate (RFC 7519 §2), and none so large that it cannot be reckoned with."""
    return isinstance(value, int | float) and not isinstance(value, bool) and -LATEST < value < LATEST


def is_valid_too_long(claims: Mapping[str, Any], now: int, longest: int | None) -> bool:
    """Say whether an object counts for longer than it may, or from too long ago (FAPI 2.0 Message Signing §5.3.1)."""
    if longest is None:
        return False
    exp, nbf = claims.get("exp"), claims.get("nbf", now)
    return not is_time(exp) or not is_time(nbf) or exp - nbf > longest or now - nbf > longest
