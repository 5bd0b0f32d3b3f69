"""Keeping client secrets: what is stored, and how a presented secret is compared with it."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

from argon2 import PasswordHasher, profiles
from argon2.exceptions import InvalidHashError, VerificationError

from portula.plugin import SecretHasher

if TYPE_CHECKING:
    from portula.plugin import Keys

_GENERATED = "digest:"
_CHOSEN = "$argon2id$"
_SEALED = "sealed:"
_PURPOSE = "client secret"

REMEMBERED_SUCCESSES = 4096
"""How many verified argon2id secrets a process remembers, so that each costs its 200 ms once."""

_PROFILES = {
    "rfc9106_low_memory": profiles.RFC_9106_LOW_MEMORY,
    "rfc9106_high_memory": profiles.RFC_9106_HIGH_MEMORY,
    "testing": profiles.CHEAPEST,
}


class Hasher(SecretHasher):
    """The secret_hasher slot. The stored form says how it was made."""

    def __init__(self, keys: Keys, profile: str) -> None:
        """Take the provider's keys and the name of an argon2id profile."""
        self._keys = keys
        self._argon2 = PasswordHasher.from_parameters(_PROFILES[profile])
        self._process_key = secrets.token_bytes(32)
        self._verified: OrderedDict[bytes, None] = OrderedDict()
        self._lock = threading.Lock()
        self._nothing = self.hash_generated(secrets.token_urlsafe(32))

    def hash_generated(self, secret: str) -> str:
        """Return the keyed digest of a secret of full entropy."""
        return _GENERATED + self._keys.digest(_PURPOSE, secret)

    def hash_chosen(self, secret: str) -> str:
        """Return the argon2id hash of a secret chosen by a person (RFC 9106)."""
        return self._argon2.hash(secret)

    def seal(self, secret: str) -> str:
        """Return the secret encrypted, for clients whose secret signs (OpenID Connect Core §10.1)."""
        return _SEALED + self._keys.seal(_PURPOSE, secret)

    def unseal(self, stored: str) -> str | None:
        """Return a sealed secret; a digest is none, and is never given out in its place (attack S46)."""
        if not stored.startswith(_SEALED):
            return None
        return self._keys.unseal(_PURPOSE, stored.removeprefix(_SEALED))

    def verify(self, secret: str, stored: str) -> bool:
        """Compare in constant time; the stored form itself is never accepted as a secret (attack S50)."""
        if stored.startswith(_GENERATED):
            return self._keys.verify(_PURPOSE, secret, stored.removeprefix(_GENERATED))
        if stored.startswith(_SEALED):
            known = self.unseal(stored)
            return known is not None and hmac.compare_digest(known.encode(), secret.encode())
        return stored.startswith(_CHOSEN) and self._verify_chosen(secret, stored)

    def verify_nothing(self, secret: str) -> None:
        """Spend the time of a comparison (attack S51)."""
        self.verify(secret, self._nothing)

    def _verify_chosen(self, secret: str, stored: str) -> bool:
        """Verify argon2id, remembering successes only, by an HMAC under a key of this process."""
        mark = hmac.digest(self._process_key, stored.encode() + b"\0" + secret.encode(), hashlib.sha256)
        with self._lock:
            if mark in self._verified:
                self._verified.move_to_end(mark)
                return True
        try:
            self._argon2.verify(stored, secret)
        except (VerificationError, InvalidHashError, UnicodeEncodeError):
            return False
        with self._lock:
            self._verified[mark] = None
            if len(self._verified) > REMEMBERED_SUCCESSES:
                self._verified.popitem(last=False)
        return True
