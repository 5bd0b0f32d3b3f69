"""Refresh tokens that name their authorization and generation, so that nothing is kept of those that were rotated."""

from __future__ import annotations

import hmac
import inspect
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from portula.flow.exchange import exchange_of

if TYPE_CHECKING:
    from portula.model.keys import Keys

REFRESH_TOKEN_PURPOSE = "refresh token"
"""Purpose under which values of refresh tokens are digested, whoever made them."""

_PURPOSE = "refresh token value"
_VERSION = 1
_ID, _GENERATION, _RANDOM, _MAC = 16, 4, 16, 16
_BODY = 2 + _ID + _GENERATION + _RANDOM
LENGTH = 72
"""Characters of a value."""


class RefreshTokens:
    """Makes and reads values: version 1, key 1, authorization 16, generation 4, random 16, MAC 16 bytes, as base64url.

    A value counts only while its digest stands in the record of its authorization. The MAC decides nothing but that the
    value was made here, so that a superseded one ends its authorization and an invented one ends nothing
    (RFC 9700 §4.14.2).
    """

    def __init__(self, keys: Keys) -> None:
        """Take the keys of the provider; the first one makes new values."""
        self._keys = keys.derive(_PURPOSE)

    def __call__(self, request: Any) -> str:
        """Make the value that is issued by a request: of its authorization, one generation on."""
        exchange = exchange_of(request)
        under, known = exchange.authorization or exchange.begin(), exchange.refresh_token
        return self.make(under.id, 0 if known is None else known.generation + 1)

    def make(self, authorization: str, generation: int) -> str:
        """Return a new value for an authorization (32 hexadecimal digits) and a generation below 2^32."""
        key = self._keys[0]
        body = (
            bytes((_VERSION, key[0])) + bytes.fromhex(authorization) + generation.to_bytes(_GENERATION, "big")
        )
        body += secrets.token_bytes(_RANDOM)
        return urlsafe_b64encode(body + _mac(key, body)).decode()

    def read(self, value: str) -> tuple[str, int] | None:
        """Return authorization and generation of a value that was made here; None for any other."""
        if len(value) != LENGTH:
            return None
        try:
            raw = urlsafe_b64decode(value)
        except ValueError:
            return None
        body, mac = raw[:_BODY], raw[_BODY:]
        if len(mac) != _MAC or body[0] != _VERSION:
            return None
        if not any(key[0] == body[1] and hmac.compare_digest(_mac(key, body), mac) for key in self._keys):
            return None
        generation = int.from_bytes(body[2 + _ID : 2 + _ID + _GENERATION], "big")
        return body[2 : 2 + _ID].hex(), generation


def _mac(key: bytes, body: bytes) -> bytes:
    return hmac.digest(key, body, "sha256")[:_MAC]


def refresh_generator(generator: Callable[..., str]) -> Callable[..., str]:
    """Let a generator serve refresh tokens: with `refresh_token=True` if it takes that, as in django-oauth-toolkit."""
    if "refresh_token" not in inspect.signature(generator).parameters:
        return generator
    return lambda request: generator(request, refresh_token=True)
