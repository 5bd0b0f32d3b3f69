"""Challenges that a server gives to instances of clients (draft §6): nothing is kept until one is used."""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING

from portula.plugin import use_once
from portula_attestation.settings import AttestationSettings

if TYPE_CHECKING:
    from portula.plugin import AuthorizationServer

PURPOSE = "attestation-challenge"
"""Of the MAC, and kind of the artifacts of those that were used."""

_CHALLENGE = re.compile(r"(([0-9a-f]{1,12})\.[A-Za-z0-9_-]{22})\.([A-Za-z0-9_-]{43})")
"""When it was made, in hexadecimal seconds; what tells it from others; a MAC."""


class Challenges:
    """Challenges by a MAC under SECRET_KEYS, so that every process gives and knows them, and each is used once."""

    def __init__(self, provider: AuthorizationServer) -> None:
        """Take the provider, whose clock, keys and storage are asked for later."""
        self._provider = provider
        self._settings = provider.settings(AttestationSettings)

    @property
    def are_required(self) -> bool:
        """Whether a proof needs one."""
        return self._settings.ATTESTATION_CHALLENGE_REQUIRED

    def make(self, issuer: str) -> str:
        """Return a new one for proofs to this issuer."""
        named = f"{self._provider.now():x}.{secrets.token_urlsafe(16)}"
        return f"{named}.{self._provider.keys.digest(PURPOSE, f'{issuer} {named}')}"

    def use(self, challenge: object, issuer: str) -> bool:
        """Use a challenge up; False for one that is not ours for this issuer, is over, or was used before."""
        parts = _CHALLENGE.fullmatch(challenge) if isinstance(challenge, str) else None
        if parts is None or not self._provider.keys.verify(PURPOSE, f"{issuer} {parts[1]}", parts[3]):
            return False
        settings, now = self._settings, self._provider.now()
        ends_at = int(parts[2], 16) + settings.ATTESTATION_CHALLENGE_LIFETIME_SECONDS
        if ends_at <= now:
            return False
        # The clock of the process that made it may be ahead.
        until = max(ends_at, now) + settings.ATTESTATION_CLOCK_SKEW_SECONDS
        return use_once(self._provider, PURPOSE, parts[0], until=until)
