"""Client metadata of signed responses (JARM §3, FAPI 2.0 Message Signing §5.3.3), and what it demands of requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from portula import hookimpl
from portula.errors import InvalidClientMetadata, InvalidRequestError
from portula.plugin import AuthorizationExchange, ClientMember, check_signed_response_alg, in_front_channel
from portula_jarm.modes import (
    ENCRYPTION,
    SHORTCUT,
    SIGNED_ALG,
    algorithms,
    effective,
    is_on,
)

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import ClientRegistration

MODES = "response_modes"


@hookimpl
def portula_client_metadata(provider: Provider) -> list[ClientMember]:
    """Return the members that this room understands; the algorithm `none` is not one (JARM §3)."""
    if not is_on(provider):
        return []
    return [
        ClientMember(SIGNED_ALG, Literal[tuple(algorithms(provider))]),
        *ENCRYPTION.members(provider),
        ClientMember(MODES, list[str]),
    ]


@hookimpl
def portula_validate_client_registration(registration: ClientRegistration) -> None:
    """Refuse algorithms that are not for this client (attack S46), and modes that nobody writes.

    Raises:
        InvalidClientMetadata: names the member.
    """
    provider, metadata = registration.provider, registration.application.metadata
    if not is_on(provider):
        return
    check_signed_response_alg(registration, SIGNED_ALG, algorithms(provider))
    ENCRYPTION.check(registration)
    unknown = [name for name in metadata.get(MODES, ()) if name not in provider.response_modes]
    if unknown:
        raise InvalidClientMetadata(f"{MODES}: {unknown[0]!r} is none of this provider's")


@hookimpl
def portula_validate_authorization_request(exchange: AuthorizationExchange) -> None:
    """Refuse a mode that the client is not registered with, and tokens in a query that is not encrypted (JARM §2.3.1).

    Raises:
        InvalidRequestError: the request is for one of these.
    """
    response_type, client = exchange.response_type, exchange.client
    if not response_type:  # no browser carries the answer
        return
    encrypted = client is not None and ENCRYPTION.is_registered(client)
    mode = effective(exchange.request.response_mode, response_type)
    if mode == f"query.{SHORTCUT}" and in_front_channel(response_type) and not encrypted:
        raise InvalidRequestError(description="Tokens are not sent in a query, unless they are encrypted.")
    registered = client.metadata.get(MODES) if client is not None else None
    if registered is not None and mode not in {effective(name, response_type) for name in registered}:
        raise InvalidRequestError(description="The client is not registered with this response_mode.")
