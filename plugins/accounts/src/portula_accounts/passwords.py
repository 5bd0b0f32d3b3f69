"""Passwords: prepared as RFC 8265 §4 says, kept as argon2id (RFC 9106)."""

from __future__ import annotations

import secrets
import threading
import unicodedata

from argon2 import Parameters, PasswordHasher, Type, profiles
from argon2.exceptions import InvalidHashError, VerificationError

from portula.plugin import costly_work

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

    def __init__(self, profile: str) -> None:
        """Take the name of a profile."""
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
        with costly_work(self._places):
            return self._argon2.hash(prepared)

    def verify(self, password: str, stored: str | None) -> bool:
        """Compare; without a stored hash, spend the same time and refuse (attack S51)."""
        prepared = prepare(password)
        try:
            with costly_work(self._places):
                self._argon2.verify(stored or self._nobody, prepared or "")
        except (VerificationError, InvalidHashError):
            return False
        return stored is not None and prepared is not None

    def outdated(self, stored: str) -> bool:
        """Say whether a hash was made under another profile."""
        return self._argon2.check_needs_rehash(stored)


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
