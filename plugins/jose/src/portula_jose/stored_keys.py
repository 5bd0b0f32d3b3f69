"""Generated keys as they are stored, and their states.

A key's state is a matter of the clock: it is `next` until it signs, `active` until its successor signs, `retiring`
while tokens signed by it may live, then `retired` and gone. A key that decrypts does so from the first to the last of
these; where it would sign, it is the one that others should encrypt with.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from jwcrypto.jwk import JWK

if TYPE_CHECKING:
    from portula_jose.sources import PublicKey


class State(StrEnum):
    """What a key does."""

    NEXT = "next"
    """Published; signs later."""
    ACTIVE = "active"
    RETIRING = "retiring"
    """Published; signs no more. One that decrypts goes on with that, and is not published (OIDC Core §10.2.1)."""
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A generated key."""

    digest: str
    algorithm: str
    generation: int
    """Counts the keys of one algorithm; a digest of it is the record's key, so no two workers make the same one."""
    made_at: int
    signs_from: int
    public: PublicKey
    key: JWK = field(repr=False)


@dataclass(frozen=True, slots=True)
class PlacedKey:
    """A key at some second: its state, and when that ends."""

    stored: StoredKey
    state: State
    until: int | None
    """When the state ends; None while nothing is planned."""


@dataclass(frozen=True, slots=True)
class SigningKeys:
    """All keys as they were read."""

    read_at: int
    keys: tuple[StoredKey, ...]
    """By algorithm, oldest first."""
    former: int = 0
    """How many are sealed under a secret key that is no longer the first."""
    locked: tuple[str, ...] = ()
    """Digests of the records that do not open, since they are sealed under a secret key that is not in SECRET_KEYS."""
    damaged: int = 0
    """Records that do not open although they say that the key is there: damaged, or written by somebody else."""

    @property
    def locked_text(self) -> str:
        """How many cannot be opened, in words."""
        many = len(self.locked)
        return f"{many} signing {'key' if many == 1 else 'keys'} cannot be opened with SECRET_KEYS"

    def of(self, algorithm: str) -> tuple[StoredKey, ...]:
        """Return the keys of one algorithm, oldest first."""
        return tuple(stored for stored in self.keys if stored.algorithm == algorithm)

    def placed_keys(self, now: int, retiring_seconds: int) -> Iterator[PlacedKey]:
        """Yield every key with its state."""
        for number, stored in enumerate(self.keys):
            later = [key.signs_from for key in self.keys[number + 1 :] if key.algorithm == stored.algorithm]
            end = min(later, default=None)
            if end is None or now < end:
                waiting = now < stored.signs_from
                yield PlacedKey(
                    stored, State.NEXT if waiting else State.ACTIVE, stored.signs_from if waiting else end
                )
            else:
                gone = end + retiring_seconds
                yield PlacedKey(stored, State.RETIRING if now < gone else State.RETIRED, gone)

    def active(self, algorithm: str, now: int) -> StoredKey | None:
        """Return the key that signs: the newest whose time has come, or the first, whose maker's clock may be ahead."""
        keys = self.of(algorithm)
        return next((key for key in reversed(keys) if key.signs_from <= now), keys[0] if keys else None)
