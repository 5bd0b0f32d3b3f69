"""Nonces that a server gives to its clients (RFC 9449 §8, §9): nothing of them is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portula_dpop.settings import DpopSettings

if TYPE_CHECKING:
    from portula import Provider


class Nonces:
    """Nonces that follow from the time and SECRET_KEYS, so that every process gives and knows the same ones."""

    def __init__(self, provider: Provider, use: str) -> None:
        """Take the provider, and what they are for: one of another use does not count."""
        self._provider = provider
        self._purpose = f"dpop-nonce {use}"
        self._seconds = provider.settings(DpopSettings).DPOP_NONCE_LIFETIME_SECONDS // 2

    @property
    def current(self) -> str:
        """The nonce of now."""
        return self._provider.keys.digest(self._purpose, str(self._step))

    def accepts(self, nonce: object) -> bool:
        """Say whether a nonce is that of now or of the step before; or of the next, by the clock of another process."""
        keys, step = self._provider.keys, self._step
        return isinstance(nonce, str) and any(
            keys.verify(self._purpose, str(near), nonce) for near in (step - 1, step, step + 1)
        )

    @property
    def _step(self) -> int:
        return self._provider.now() // self._seconds
