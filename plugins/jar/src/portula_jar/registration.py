"""The client metadata of request objects (OpenID Connect Dynamic Client Registration §2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from portula import Plugin, hookimpl
from portula.errors import InvalidClientMetadata, InvalidRequestError
from portula.plugin import AuthorizationExchange, ClientMember, origin_of
from portula_jar.settings import ENCRYPTION, REQUIRED, algorithms, is_on, is_required

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import Application, AuthorizationServer, ClientRegistration

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
        _check_secret(registration.provider, registration.application)
    for uri in registration.application.metadata.get("request_uris", ()):
        if not (origin_of(uri.partition("#")[0]) or "").startswith("https:"):
            raise InvalidClientMetadata(f"request_uris: {uri!r} is not an https URL")


def _check_secret(provider: AuthorizationServer, application: Application) -> None:
    """Refuse an algorithm that needs the client's secret where that cannot be read, or is too short (attack S46)."""
    algorithm = str(application.metadata.get(SIGNED_ALG))
    if not algorithm.startswith("HS"):
        return
    size = int(algorithm.removeprefix("HS")) // 8  # RFC 7518 §3.2
    unseal = provider.hooks.ask(Plugin.portula_secret_hasher).unseal
    secrets = [unseal(stored) for stored in application.secret_hashes]
    if not any(secret is not None and len(secret.encode()) >= size for secret in secrets):
        raise InvalidClientMetadata(
            f"{SIGNED_ALG} {algorithm} needs a secret that is kept encrypted (hash_secret off) and has at least "
            f"{size} bytes"
        )


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
