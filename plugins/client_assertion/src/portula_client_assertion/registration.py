"""Client metadata for authentication by assertions (OpenID Connect Registration §2, RFC 7591 §2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from portula import hookimpl
from portula.errors import InvalidClientMetadata
from portula.plugin import ClientMember, check_secret_signs
from portula_client_assertion.assertion import STRICT_AUDIENCE
from portula_client_assertion.methods import algorithms_in_use
from portula_client_assertion.settings import CLIENT_SECRET_JWT, PRIVATE_KEY_JWT

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import ClientRegistration

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
        check_secret_signs(registration, CLIENT_SECRET_JWT, algorithm or offered[CLIENT_SECRET_JWT][0])
