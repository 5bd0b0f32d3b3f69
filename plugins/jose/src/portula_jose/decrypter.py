"""Tokens that are encrypted for this provider: with a key that it publishes, or a client's secret (RFC 7516)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from portula import Plugin
from portula.errors import UntrustedToken
from portula_jose.compact import decode, json_object
from portula_jose.encryption import decrypt, secret_bytes
from portula_jose.secrets import encryption_keys

if TYPE_CHECKING:
    from jwcrypto.jwk import JWK

    from portula import Provider
    from portula.plugin import Application
    from portula_jose.settings import JoseSettings
    from portula_jose.signing_keys import KeyRing

_REFUSED_HEADERS = ("crit", "zip", "b64")
"""Nothing is decompressed, and no extension is known that may be critical (attack S42)."""


class Decrypter:
    """Decrypts with the algorithms of the settings."""

    def __init__(
        self, provider: Provider, settings: JoseSettings, ring: Callable[[], KeyRing | None]
    ) -> None:
        """Take the provider, and what says where its keys are."""
        self._provider = provider
        self._settings = settings
        self._ring = ring

    @property
    def algorithms(self) -> Sequence[str]:
        """See EncryptsTokens.decryption_algorithms."""
        ring = self._ring()
        ours = ring.decryption_algorithms() if ring is not None else ()
        enc = self._settings.CONTENT_ENCRYPTIONS[0]
        return [
            name
            for name in self._settings.ENCRYPTION_ALGORITHMS
            if name in ours or secret_bytes(name, enc) is not None
        ]

    def decrypt(self, token: str, client: Application | None) -> str:
        """See EncryptsTokens.decrypt.

        Raises:
            UntrustedToken: so it says; why would help only who guesses (RFC 7516 §11.5).
        """
        try:
            algorithm, enc, kid = self._header(token)
        except UntrustedToken:
            raise _refusal() from None
        tried = (decrypt(token, key, algorithm, enc) for key in self._keys(algorithm, enc, kid, client))
        found = next((payload for payload in tried if payload is not None), None)
        if found is None:
            raise _refusal()
        return found

    def _header(self, token: str) -> tuple[str, str, str | None]:
        """Return `alg`, `enc` and `kid` of a token that is well-formed, and whose algorithms are allowed."""
        parts = token.split(".")
        if len(token) > self._settings.JWT_MAX_BYTES or not token.isascii() or len(parts) != 5:
            raise _refusal()
        header, *_ = [decode(part) for part in parts]
        members = json_object(header)
        algorithm, enc, kid = members.get("alg"), members.get("enc"), members.get("kid")
        if (
            not members.keys().isdisjoint(_REFUSED_HEADERS)
            or algorithm not in self._settings.ENCRYPTION_ALGORITHMS
            or enc not in self._settings.CONTENT_ENCRYPTIONS
            or not isinstance(kid, str | None)
        ):
            raise _refusal()
        return algorithm, enc, kid

    def _keys(self, algorithm: str, enc: str, kid: str | None, client: Application | None) -> Iterator[JWK]:
        size, ring = secret_bytes(algorithm, enc), self._ring()
        if size is not None and client is not None:
            yield from encryption_keys(self._provider.hooks.ask(Plugin.portula_secret_hasher), client, size)
        elif size is None and ring is not None:
            yield from ring.decryption_keys(algorithm, kid)


def _refusal() -> UntrustedToken:
    return UntrustedToken("cannot be decrypted")
