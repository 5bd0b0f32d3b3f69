"""Encrypts for clients: with their keys, or with a key derived from their secret (RFC 7516)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from portula import Plugin
from portula.errors import JoseError
from portula_jose.encryption import DIRECT, encrypt, secret_bytes
from portula_jose.secrets import encryption_keys

if TYPE_CHECKING:
    from jwcrypto.jwk import JWK

    from portula import Provider
    from portula.plugin import Application
    from portula_jose.client_keys import ClientKeys
    from portula_jose.settings import JoseSettings


class Encrypter:
    """Encrypts with the algorithms of the settings."""

    def __init__(self, provider: Provider, settings: JoseSettings, client_keys: ClientKeys) -> None:
        """Take the provider, and the keys of its clients."""
        self._provider = provider
        self._client_keys = client_keys
        self.algorithms: Sequence[str] = settings.ENCRYPTION_ALGORITHMS
        self.methods: Sequence[str] = settings.CONTENT_ENCRYPTIONS

    def check(self, client: Application, algorithm: str, enc: str, *, to_client: bool) -> None:
        """See EncryptsTokens.check_encryption.

        Raises:
            JoseError: so it says.
        """
        self._require_known(algorithm, enc)
        elsewhere = not to_client or "jwks_uri" in client.metadata
        if secret_bytes(algorithm, enc) is not None or not elsewhere:
            self._key(client, algorithm, enc)

    def encrypt(self, payload: str, client: Application, algorithm: str, enc: str, cty: str) -> str:
        """See EncryptsTokens.encrypt.

        Raises:
            JoseError: so it says.
            KeysUnavailable: so it says.
        """
        self._require_known(algorithm, enc)
        kid, key = self._key(client, algorithm, enc)
        header = {"alg": algorithm, "enc": enc, "kid": kid, "cty": cty}
        return encrypt(payload.encode(), key, {name: value for name, value in header.items() if value})

    def _require_known(self, algorithm: str, enc: str) -> None:
        if algorithm not in self.algorithms or enc not in self.methods:
            raise JoseError(f"nothing here encrypts with {algorithm!r} and {enc!r}")

    def _key(self, client: Application, algorithm: str, enc: str) -> tuple[str | None, JWK]:
        """Return the key of a client, with its name if it has one."""
        size = secret_bytes(algorithm, enc)
        if size is None:
            found = self._client_keys.for_encryption(client, algorithm)
            if found is None:
                raise JoseError(f"the client has no key for {algorithm}, with the use enc, in its jwks")
            return found.kid, found.key
        keys = encryption_keys(self._provider.hooks.ask(Plugin.portula_secret_hasher), client, size)
        if not keys:
            named = f"{algorithm} with {enc}" if algorithm == DIRECT else algorithm
            raise JoseError(
                f"{named} needs a client secret that is kept encrypted and has at least {size} bytes"
            )
        return None, keys[0]
