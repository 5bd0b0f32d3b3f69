"""Keeping client secrets: what is stored, and how a presented secret is compared with it."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import TYPE_CHECKING

from argon2 import PasswordHasher, profiles
from argon2.exceptions import InvalidHashError, VerificationError

from portula.plugin import SecretHasher, network_of
from portula_generators import costly, django_hashes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from portula.plugin import Keys

_GENERATED = "digest:"
_CHOSEN = "$argon2id$"
_SEALED = "sealed:"
_OWN = (_GENERATED, _CHOSEN, _SEALED)
_PURPOSE = "client secret"

_OF_NOBODY = ""
"""Stands for what another program stored where nothing is."""

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
        self._comparisons = costly.Comparisons()
        self._django = django_hashes.DjangoHashes()
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
        return self._is_costly(stored) and self._verify_costly(secret, stored)

    def verify_any(
        self, secret: str, stored: Sequence[str], *, client_id: str, client_address: str
    ) -> str | None:
        """Return which of the stored secrets this one is; where clients have chosen ones, few wrong ones are heard.

        There a wrong secret costs a comparison of a chosen one, whatever the client has and whether it exists; after a
        few, nothing is compared (attack S51). So it is where clients have what Django stored.
        """
        own = [each for each in stored if self._is_costly(each)]
        for each in stored:
            known = self._comparisons.has_succeeded(self._mark(secret, each))
            if known if each in own else self.verify(secret, each):
                return each
        asked = [*own, *self._of_nobody(own)]
        if not asked:
            if not stored:
                self.verify_nothing(secret)
            return None
        network = network_of(client_address)
        limits = {f"{network}\0{client_id}": costly.FAILURES, network: costly.FAILURES_PER_ADDRESS}
        for each in asked:
            if self._verify_costly(secret, each, limits):
                return each
            limits = {}
        return None

    def verify_nothing(self, secret: str) -> None:
        """Spend the time of a comparison: of a chosen secret where clients have such (attack S51)."""
        costly_ones = self._of_nobody()
        for each in costly_ones:
            self._verify_costly(secret, each)
        if not costly_ones:
            self.verify(secret, self._nothing)

    def reads_foreign(self, stored: str) -> bool:
        """Say whether this is a form of Django that is read: PBKDF2, scrypt or argon2, within the bounds."""
        return not stored.startswith(_OWN) and django_hashes.read(stored) is not None

    def verify_foreign(self, secret: str, stored: str | None) -> bool:
        """Compare with what Django stored, or spend the time of the longest of such comparisons (attack S51)."""
        known = stored if stored is not None and self.reads_foreign(stored) else _OF_NOBODY
        return (known != _OF_NOBODY or self._django.in_use) and self._verify_costly(secret, known)

    def renewal(self, secret: str, stored: str) -> str | None:
        """Return our own form of a secret that Django stored: a keyed digest, or argon2id for a short one."""
        if not self.reads_foreign(stored):
            return None
        with self._comparisons.place():
            return self.hash_by_length(secret)

    def _is_costly(self, stored: str) -> bool:
        return stored.startswith(_CHOSEN) or self.reads_foreign(stored)

    def _of_nobody(self, own: Sequence[str] = ()) -> list[str]:
        """Return what is compared besides `own`, so that there is one of each kind that clients have."""
        chosen = any(each.startswith(_CHOSEN) for each in own) or not self._nothing.startswith(_CHOSEN)
        foreign = any(map(self.reads_foreign, own)) or not self._django.in_use
        return [*([] if chosen else [self._nothing]), *([] if foreign else [_OF_NOBODY])]

    def _verify_costly(self, secret: str, stored: str, limits: Mapping[str, int] | None = None) -> bool:
        """Verify argon2id or what Django stored, remembering successes only."""

        def compare() -> bool:
            if not stored.startswith(_CHOSEN):
                return self._django.verify(secret, stored)
            try:
                return self._argon2.verify(stored, secret)
            except (VerificationError, InvalidHashError, UnicodeEncodeError):
                return False

        right = self._comparisons.ask(self._mark(secret, stored), compare, limits)
        if stored.startswith(_CHOSEN) and not self._nothing.startswith(_CHOSEN):
            self._nothing = self._argon2.hash(secrets.token_urlsafe(32))  # from now on there are such clients
        return right

    def _mark(self, secret: str, stored: str) -> bytes:
        """Return what a comparison is known by: an HMAC under a key of this process."""
        return hmac.digest(self._process_key, stored.encode() + b"\0" + secret.encode(), hashlib.sha256)
