"""Tokens that are signed for a client, and by one: which algorithms it can be registered with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portula.flow.service_hooks import ServiceHooks
from portula.host.declarations import HostHooks
from portula.model.errors import InvalidClientMetadata, JoseError

if TYPE_CHECKING:
    from collections.abc import Collection

    from portula.flow.registration import ClientRegistration


def check_signed_response_alg(
    registration: ClientRegistration, member: str, algorithms: Collection[str]
) -> None:
    """Refuse an algorithm by which nothing here signs for the client.

    One that needs its secret is tried, since that may be hashed or too short (RFC 7518 §3.2).

    Args:
        registration: what is to be saved.
        member: of client metadata, whose name ends in `_signed_response_alg`.
        algorithms: those in use.

    Raises:
        InvalidClientMetadata: names the member.
    """
    algorithm = registration.application.metadata.get(member)
    if algorithm is None:
        return
    if algorithm not in algorithms:
        raise InvalidClientMetadata(f"{member} {algorithm!r} is none of this provider's")
    if str(algorithm).startswith("HS"):
        jose = registration.provider.hooks.ask(ServiceHooks.portula_jose)
        try:
            jose.sign({}, typ="JWT", algorithm=algorithm, client=registration.application)
        except JoseError as error:
            raise InvalidClientMetadata(f"{member}: {error}") from None


def check_secret_signs(registration: ClientRegistration, what: str, algorithm: str) -> None:
    """Refuse a secret that cannot be a key of the client's signatures: a digest of it never is one.

    Args:
        registration: what is to be saved.
        what: names, for the error, what is signed so.
        algorithm: of HMAC, e.g. `HS256`, whose digest no key is shorter than (RFC 7518 §3.2).

    Raises:
        InvalidClientMetadata: no secret of the client can be read and is long enough.
    """
    size = int(algorithm.removeprefix("HS")) // 8
    unseal = registration.provider.hooks.ask(HostHooks.portula_secret_hasher).unseal
    secrets = [unseal(stored) for stored in registration.application.secret_hashes]
    if not any(secret is not None and len(secret.encode()) >= size for secret in secrets):
        raise InvalidClientMetadata(
            f"{what} needs a secret that is kept encrypted (--no-hash-client-secret, in Python hash_secret=False) and "
            f"has at least {size} bytes for {algorithm}; a secret kept as a digest cannot verify signatures"
        )
