"""The client metadata of request objects (OpenID Connect Dynamic Client Registration §2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from portula import hookimpl
from portula.errors import InvalidClientMetadata, InvalidRequestError
from portula.plugin import AuthorizationExchange, ClientMember, check_secret_signs, origin_of
from portula_jar.settings import ENCRYPTION, REQUIRED, algorithms, is_on, is_required

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import ClientRegistration

SIGNED_ALG = "request_object_signing_alg"


@hookimpl
def portula_client_metadata(provider: Provider) -> list[ClientMember]:
    """Return the members that this room understands."""
    if not is_on(provider):
        return []
    return [
        ClientMember(SIGNED_ALG, Literal[tuple(algorithms(provider))]),
        *ENCRYPTION.members(provider),
        ClientMember("request_uris", list[str]),
        ClientMember(
            REQUIRED,
            bool,
            label="Has to sign its requests",
            hint="Authorization requests that are no signed request object (RFC 9101) are refused.",
        ),
    ]


@hookimpl
def portula_validate_client_registration(registration: ClientRegistration) -> None:
    """Refuse request URIs that are not https, and signatures and encryption that nothing here reads.

    A fragment may tell versions of a URI apart (OpenID Connect Core §6.2).

    Raises:
        InvalidClientMetadata: names the URI or the member.
    """
    if is_on(registration.provider):
        ENCRYPTION.check(registration)
        algorithm = str(registration.application.metadata.get(SIGNED_ALG))
        if algorithm.startswith("HS"):
            check_secret_signs(registration, SIGNED_ALG, algorithm)
    for uri in registration.application.metadata.get("request_uris", ()):
        if not (origin_of(uri.partition("#")[0]) or "").startswith("https:"):
            raise InvalidClientMetadata(f"request_uris: {uri!r} is not an https URL")


@hookimpl
def portula_validate_authorization_request(exchange: AuthorizationExchange) -> None:
    """Refuse what is no signed request object where the server or the client says that all is (RFC 9101 §10.5).

    What no browser brings, such as the request of a device, has no response type, and is no such request.

    Raises:
        InvalidRequestError: it is none.
    """
    is_signed = dict(exchange.pairs).get("request", "none") != "none"
    if exchange.response_type and not is_signed and is_required(exchange.provider, exchange.client):
        raise InvalidRequestError(description="Send a signed request object (RFC 9101).")
