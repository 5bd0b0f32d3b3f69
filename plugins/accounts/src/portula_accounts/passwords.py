"""Passwords: prepared as RFC 8265 §4 says, kept as argon2id (RFC 9106)."""

from __future__ import annotations

import secrets
import threading
import unicodedata
from typing import TYPE_CHECKING

from argon2 import Parameters, PasswordHasher, Type, profiles
from argon2.exceptions import InvalidHashError, VerificationError

from portula.plugin import costly_work

if TYPE_CHECKING:
    from portula.plugin import SecretHasher

_OWN = "$argon2id$"
"""How our hashes begin."""

MIN_PASSWORD_CHARACTERS = 8
"""NIST SP 800-63B-3 §5.1.1.2: memorised secrets have at least 8 characters."""
MAX_PASSWORD_BYTES = 1024

AT_WORK = 2
"""Hashes of one process at one moment: of the default profile they take 128 MiB; others wait."""

OWASP_ARGON2ID = Parameters(
    type=Type.ID, version=19, salt_len=16, hash_len=32, time_cost=2, memory_cost=19 * 1024, parallelism=1
)
"""OWASP Password Storage Cheat Sheet: argon2id with 19 MiB, 2 iterations, 1 lane."""

PROFILES = {
    "rfc9106_low_memory": profiles.RFC_9106_LOW_MEMORY,
    "rfc9106_high_memory": profiles.RFC_9106_HIGH_MEMORY,
    "owasp": OWASP_ARGON2ID,
    "testing": profiles.CHEAPEST,
}


class Passwords:
    """Hashes and verifies under one profile."""

    def __init__(self, profile: str, hasher: SecretHasher | None = None) -> None:
        """Take the name of a profile, and what compares with hashes of another program, if anything does."""
        self._hasher = hasher
        self._argon2 = PasswordHasher.from_parameters(PROFILES[profile])
        self._nobody = self._argon2.hash(secrets.token_urlsafe())
        self._places = threading.Semaphore(AT_WORK)

    def hash(self, password: str) -> str:
        """Return what to keep of a new password.

        Raises:
            ValueError: shorter than 8 characters, longer than 1024 bytes, or with control characters.
        """
        prepared = prepare(password)
        if prepared is None or len(prepared) < MIN_PASSWORD_CHARACTERS:
            raise ValueError(
                f"A password has at least {MIN_PASSWORD_CHARACTERS} characters, at most {MAX_PASSWORD_BYTES} bytes, "
                "and no control characters."
            )
        return self._hash(prepared)

    def renew(self, password: str) -> str:
        """Return what to keep of a password that was verified: how long it has to be was judged when it was set."""
        return self._hash(prepare(password) or "")

    def _hash(self, prepared: str) -> str:
        with costly_work(self._places):
            return self._argon2.hash(prepared)

    def verify(self, password: str, stored: str | None) -> bool:
        """Compare; without a stored hash, spend the same time and refuse (attack S51).

        Another program hashed what was typed as it came. Each comparison takes the time of both kinds.
        """
        prepared = prepare(password)
        own = stored if stored is not None and stored.startswith(_OWN) else None
        right = own is not None
        try:
            with costly_work(self._places):
                self._argon2.verify(own or self._nobody, prepared or "")
        except (VerificationError, InvalidHashError):
            right = False
        typed = "" if prepared is None else password
        elsewhere = stored if own is None else None
        foreign = self._hasher is not None and self._hasher.verify_foreign(typed, elsewhere)
        return prepared is not None and (right or foreign)

    def needs_rehash(self, stored: str) -> bool:
        """Say whether a hash was made under another profile, or by another program."""
        return not stored.startswith(_OWN) or self._argon2.check_needs_rehash(stored)


def prepare(password: str) -> str | None:
    """Return the password in the one form that is hashed, or None when no password can look like this.

    RFC 8265 §4.2 (OpaqueString): every space is U+0020, then NFC; no control characters; never empty.
    """
    if not 0 < len(password) <= MAX_PASSWORD_BYTES:
        return None
    spaced = "".join(" " if unicodedata.category(character) == "Zs" else character for character in password)
    prepared = unicodedata.normalize("NFC", spaced)
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in prepared):
        return None
    return prepared if len(prepared.encode()) <= MAX_PASSWORD_BYTES else None
