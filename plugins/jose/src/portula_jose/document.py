"""The JWK Set that is published (RFC 7517 §5)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from portula.plugin import Answer, unkeyed_digest

if TYPE_CHECKING:
    from portula.plugin import Message
    from portula_jose.sources import PublicKey


class JwkSet:
    """Answers requests for the keys; the body is made once for each set of keys."""

    def __init__(self, max_age: int) -> None:
        """Take OIDC_JWKS_MAX_AGE_SECONDS; caches may serve a stale copy for as long again (RFC 5861)."""
        again = f", stale-while-revalidate={max_age}, stale-if-error={max_age}" if max_age else ""
        self._caching = f"public, max-age={max_age}{again}"
        self._made: tuple[tuple[str, ...], bytes, str] | None = None

    def answer(self, message: Message, keys: Sequence[PublicKey]) -> Answer:
        """Return the set, or 304 when the asker has it (RFC 9110 §13.1.2)."""
        kids = tuple(dict.fromkeys(key.kid for key in keys))
        made = self._made
        if made is None or made[0] != kids:
            public = {key.kid: key.jwk for key in keys}
            body = json.dumps({"keys": list(public.values())}, separators=(",", ":")).encode()
            made = self._made = (kids, body, f'"{unkeyed_digest(body.decode())}"')
        _, body, tag = made
        headers = {"Cache-Control": self._caching, "ETag": tag}
        known = [
            entry.strip().removeprefix("W/") for entry in message.headers.get("if-none-match", "").split(",")
        ]
        if tag in known or "*" in known:
            return Answer(304, headers)
        return Answer(200, {"Content-Type": "application/json", **headers}, body)
