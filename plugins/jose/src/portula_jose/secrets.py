"""Client secrets as keys for HMAC (OpenID Connect Core §10.1), where they can be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jwcrypto.jwk import JWK

from portula_jose.algorithms import digest_size
from portula_jose.compact import encoded

if TYPE_CHECKING:
    from portula.plugin import Application, SecretHasher


def secret_keys(hasher: SecretHasher, client: Application, algorithm: str) -> list[JWK]:
    """Return those secrets of a client that can be read and are as long as the digest (RFC 7518 §3.2), current first.

    A secret kept as a digest cannot be read, and its digest is never a key in its place (attack S46).
    """
    found = (hasher.unseal(stored) for stored in client.secret_hashes)
    secrets = [secret.encode() for secret in found if secret is not None]
    return [JWK(kty="oct", k=encoded(secret)) for secret in secrets if len(secret) >= digest_size(algorithm)]
