"""SECRET_KEYS, stretched by HKDF (RFC 5869) into one key a purpose.

The first key is current: it makes every new digest and seal. The others are tried when something is looked up.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

MIN_SECRET_KEY_BYTES = 16
"""A shorter secret key can be searched; generated ones have 32 bytes."""

_NONCE_BYTES = 12


def secret_keys(given: object, flask_config: Mapping[str, Any]) -> tuple[list[str], str | None]:
    """Return SECRET_KEYS, or else Flask's SECRET_KEY and SECRET_KEY_FALLBACKS, and what is wrong with them."""
    if isinstance(given, str):  # which is no list, and told as such
        return [], None
    keys = [key for key in given if isinstance(key, str)] if isinstance(given, list | tuple) else []
    named = "SECRET_KEYS"
    if not keys:
        fallbacks = flask_config.get("SECRET_KEY_FALLBACKS") or []
        known = (flask_config.get("SECRET_KEY"), *fallbacks)
        named = "SECRET_KEY and SECRET_KEY_FALLBACKS" if fallbacks else "SECRET_KEY"
        keys = [key if isinstance(key, str) else key.decode("latin-1") for key in known if key]
    if not keys:
        return [], "SECRET_KEYS: missing; set it, or Flask's SECRET_KEY, to at least 16 random bytes"
    if any(len(key.encode()) < MIN_SECRET_KEY_BYTES for key in keys):
        if named == "SECRET_KEY":
            return [], f"SECRET_KEY: at least {MIN_SECRET_KEY_BYTES} bytes are needed; it has fewer"
        return [], f"{named}: every key needs at least {MIN_SECRET_KEY_BYTES} bytes; one is shorter"
    return keys, None


class Keys:
    """Digests and seals for one provider. `namespace` keeps providers that share SECRET_KEYS apart."""

    def __init__(self, secret_keys: Sequence[str], namespace: str) -> None:
        """Take the secret keys, current first, and the provider's namespace (its issuer and realm)."""
        self._roots = [key.encode() for key in secret_keys]
        self.namespace = namespace
        self._derived: dict[str, list[bytes]] = {}
        self._begun: dict[str, list[hmac.HMAC]] = {}

    @cached_property
    def across_issuers(self) -> Keys:
        """The same keys without the namespace: for what outlives a change of the issuer, such as client secrets."""
        return Keys([root.decode() for root in self._roots], "")

    def __repr__(self) -> str:
        """Say how many keys there are, never which."""
        return f"<Keys: {len(self._roots)}>"

    def derive(self, purpose: str) -> list[bytes]:
        """Return one 32-byte key for each secret key, current first."""
        found = self._derived.get(purpose)
        if found is None:
            info = b"portula 1 " + purpose.encode() + b"\0" + self.namespace.encode()
            found = [HKDF(SHA256(), 32, None, info).derive(root) for root in self._roots]
            self._derived[purpose] = found
        return found

    def digest(self, purpose: str, value: str) -> str:
        """Return the keyed SHA-256 of a value under the current key: 43 base64url characters."""
        return _base64url(_digest(self._hmacs(purpose)[0], value.encode()))

    def digests(self, purpose: str, value: str) -> str | tuple[str, ...]:
        """Return the digest under every key, as a condition for `find`; a plain string when there is one key."""
        data = value.encode()
        made = tuple([_base64url(_digest(begun, data)) for begun in self._hmacs(purpose)])
        return made[0] if len(made) == 1 else made

    def _hmacs(self, purpose: str) -> list[hmac.HMAC]:
        """Return an HMAC for each key of a purpose, of no data yet: a copy costs less than one that begins anew."""
        found = self._begun.get(purpose)
        if found is None:
            found = self._begun[purpose] = [hmac.new(key, digestmod="sha256") for key in self.derive(purpose)]
        return found

    def verify(self, purpose: str, value: str, digest: str) -> bool:
        """Compare a value with its digest in constant time, under every key."""
        made = self.digests(purpose, value)
        candidates = (made,) if isinstance(made, str) else made
        matches = [
            hmac.compare_digest(candidate.encode(), digest.encode()) for candidate in candidates
        ]  # none is skipped
        return any(matches)

    def seal(self, purpose: str, text: str, *, under: str = "") -> str:
        """Encrypt and authenticate a text (AES-256-GCM) for storage or for a trip through a browser.

        `under` is a further secret, not kept here, without which nobody opens the seal.
        """
        nonce, key = secrets.token_bytes(_NONCE_BYTES), _mix(self.derive(purpose)[0], under)
        return _base64url(nonce + AESGCM(key).encrypt(nonce, text.encode(), None))

    def unseal(self, purpose: str, sealed: str, *, under: str = "") -> str | None:
        """Return the text of a seal made under one of the keys, or None when it is not ours."""
        try:
            raw = urlsafe_b64decode(sealed + "=" * (-len(sealed) % 4))
        except ValueError:
            return None
        for key in self.derive(purpose):
            try:
                return AESGCM(_mix(key, under)).decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], None).decode()
            except (InvalidTag, ValueError):
                continue
        return None


def unkeyed_digest(value: str) -> str:
    """Return the SHA-256 of a value, as base64url: for names of caches, keys, single uses, and never for secrets."""
    return _base64url(hashlib.sha256(value.encode()).digest())


def _digest(begun: hmac.HMAC, data: bytes) -> bytes:
    own = begun.copy()
    own.update(data)
    return own.digest()


def _mix(key: bytes, under: str) -> bytes:
    return hmac.digest(key, under.encode(), "sha256") if under else key


def _base64url(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()
