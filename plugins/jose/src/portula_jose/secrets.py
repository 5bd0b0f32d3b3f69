"""Client secrets as keys (OpenID Connect Core §10.1, §10.2), where they can be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jwcrypto.jwk import JWK

from portula_jose.algorithms import digest_size
from portula_jose.compact import encode
from portula_jose.encryption import secret_key

if TYPE_CHECKING:
    from portula.plugin import Application, SecretHasher


def secret_keys(hasher: SecretHasher, client: Application, algorithm: str) -> list[JWK]:
    """Return those secrets of a client that can be read and are as long as the digest (RFC 7518 §3.2), current first.

    A secret kept as a digest cannot be read, and its digest is never a key in its place (attack S46).
    """
    secrets = _readable(hasher, client, digest_size(algorithm))
    return [JWK(kty="oct", k=encode(secret)) for secret in secrets]


def encryption_keys(hasher: SecretHasher, client: Application, size: int) -> list[JWK]:
    """Return the keys of `size` bytes that follow from secrets of a client, current first (OpenID Connect Core §10.2).

    Only those count that can be read, and are as long as the key (attack S46).
    """
    return [secret_key(secret, size) for secret in _readable(hasher, client, size)]


def _readable(hasher: SecretHasher, client: Application, size: int) -> list[bytes]:
    found = (hasher.unseal(stored) for stored in client.secret_hashes)
    secrets = [secret.encode() for secret in found if secret is not None]
    return [secret for secret in secrets if len(secret) >= size]
