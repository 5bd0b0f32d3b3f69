"""The slot that keeps client secrets and passwords, and compares with what is kept."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

LONG_SECRET = 32
"""Characters from which on nobody tries all secrets of a length."""


class SecretHasher(ABC):
    """Keeps client secrets and passwords."""

    @abstractmethod
    def hash_generated(self, secret: str) -> str:
        """Return what to store of a generated secret of full entropy: one keyed digest."""

    @abstractmethod
    def hash_chosen(self, secret: str) -> str:
        """Return what to store of a secret chosen by a person: argon2id."""

    @abstractmethod
    def seal(self, secret: str) -> str:
        """Return a secret encrypted, for the rare client whose secret must be read again (HMAC signatures)."""

    @abstractmethod
    def unseal(self, stored: str) -> str | None:
        """Return a secret that `seal` stored; None for what is kept in any other way (attack S46)."""

    @abstractmethod
    def verify(self, secret: str, stored: str) -> bool:
        """Compare in constant time; False for anything malformed."""

    @abstractmethod
    def verify_nothing(self, secret: str) -> None:
        """Spend the time of a comparison, so that an unknown name is not faster than a wrong secret (S51)."""

    def verify_any(
        self, secret: str, stored: Sequence[str], *, client_id: str, client_address: str
    ) -> str | None:
        """Return which of the stored secrets of a client this one is, for somebody at an address; None for none.

        Without any, because the client has none or does not exist, it takes the time of a wrong one.

        Raises:
            RetryLater: somebody there was wrong too often, whether there is such a client or not.
        """
        if not stored:
            self.verify_nothing(secret)
        return next((each for each in stored if self.verify(secret, each)), None)

    def hash_by_length(self, secret: str) -> str:
        """Return what to store of a secret of elsewhere: one keyed digest where nobody tries all that are so long."""
        return self.hash_generated(secret) if len(secret) >= LONG_SECRET else self.hash_chosen(secret)

    def reads_foreign(self, stored: str) -> bool:
        """Say whether `verify` compares with this form, which another program stored."""
        return False

    def verify_foreign(self, secret: str, stored: str | None) -> bool:
        """Compare with what another program stored; one that reads no such form refuses.

        Without a stored form, or with one that is not read, it takes the time of the longest comparison there was, so
        that an unknown name is not faster than a wrong secret (S51).
        """
        return False

    def renewal(self, secret: str, stored: str) -> str | None:
        """Return what to store in place of a form of another program, whose secret was right; None for our own."""
        return None
