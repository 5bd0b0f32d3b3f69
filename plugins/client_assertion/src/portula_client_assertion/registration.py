"""What a client needs that authenticates by assertions (OpenID Connect Registration §2, RFC 7591 §2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from portula import Plugin, hookimpl
from portula.errors import InvalidClientMetadata
from portula.plugin import ClientMember
from portula_client_assertion.assertion import STRICT_AUDIENCE
from portula_client_assertion.methods import algorithms_in_use
from portula_client_assertion.settings import CLIENT_SECRET_JWT, PRIVATE_KEY_JWT

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import Application, AuthorizationServer, ClientRegistration

_ALGORITHM = "token_endpoint_auth_signing_alg"


@hookimpl
def portula_client_metadata(provider: Provider) -> list[ClientMember]:
    """Return the members about the signature of assertions; keys are another's."""
    known = tuple(name for algorithms in algorithms_in_use(provider).values() for name in algorithms)
    if not known:
        return []
    return [ClientMember(_ALGORITHM, Literal[known]), ClientMember(STRICT_AUDIENCE, Literal["issuer"])]


@hookimpl
def portula_validate_client_registration(registration: ClientRegistration) -> None:
    """Refuse a client whose assertions nobody could verify.

    Raises:
        InvalidClientMetadata: names what is missing.
    """
    method, offered = (
        registration.application.token_endpoint_auth_method,
        algorithms_in_use(registration.provider),
    )
    algorithm = registration.application.metadata.get(_ALGORITHM)
    if method in (PRIVATE_KEY_JWT, CLIENT_SECRET_JWT):
        if method not in offered:
            raise InvalidClientMetadata(f"{method} is switched off, or nothing here verifies signatures")
        if registration.application.client_type != "confidential":
            raise InvalidClientMetadata(f"{method} is for confidential clients")
        offered = {method: offered[method]}
    if algorithm is not None and not any(algorithm in algorithms for algorithms in offered.values()):
        raise InvalidClientMetadata(
            f"{_ALGORITHM} {algorithm!r} is not one of this method or of this provider"
        )
    if method == PRIVATE_KEY_JWT and not ({"jwks", "jwks_uri"} & registration.application.metadata.keys()):
        raise InvalidClientMetadata(f"{PRIVATE_KEY_JWT} needs the client's public keys: jwks or jwks_uri")
    if method == CLIENT_SECRET_JWT:
        _check_secret(
            registration.provider, registration.application, algorithm or offered[CLIENT_SECRET_JWT][0]
        )


def _check_secret(provider: AuthorizationServer, application: Application, algorithm: str) -> None:
    """Refuse a secret that cannot be a key: a digest of it never is one (attack S46)."""
    size = int(algorithm.removeprefix("HS")) // 8  # RFC 7518 §3.2
    unseal = provider.hooks.ask(Plugin.portula_secret_hasher).unseal
    secrets = [unseal(stored) for stored in application.secret_hashes]
    if not any(secret is not None and len(secret.encode()) >= size for secret in secrets):
        raise InvalidClientMetadata(
            f"{CLIENT_SECRET_JWT} needs a secret that is kept encrypted (hash_secret off) and has at least {size} "
            f"bytes for {algorithm}; a secret kept as a digest cannot verify signatures"
        )
