"""Client metadata of signed introspection responses (RFC 9701 §6): the algorithms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from portula import Plugin, hookimpl
from portula.plugin import ClientMember, TokenEncryption, check_signed_response_alg

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import Application, AuthorizationServer, ClientRegistration

SIGNED_ALG = "introspection_signed_response_alg"
ENCRYPTION = TokenEncryption("introspection")


def is_on(provider: AuthorizationServer) -> bool:
    """Say whether somebody signs JWTs here."""
    return provider.hooks.ruling(Plugin.portula_jose).answer is not None


def algorithms(provider: AuthorizationServer) -> list[str]:
    """Return the algorithms that an answer may be signed with (introspection_signing_alg_values_supported)."""
    return list(provider.hooks.ask(Plugin.portula_jose).algorithms_for_clients())


def algorithm_for(provider: AuthorizationServer, client: Application) -> str:
    """Return the algorithm for a client: the one that it is registered with, else RS256, unless its profile has it out.

    Raises:
        JoseError: nothing here signs for it.
    """
    registered: str | None = client.metadata.get(SIGNED_ALG)
    return registered or provider.hooks.ask(Plugin.portula_jose).default_algorithm(client)


def is_registered(client: Application) -> bool:
    """Say whether a client is registered for JWTs, and so for nothing else."""
    return bool(client.metadata.get(SIGNED_ALG)) or ENCRYPTION.is_registered(client)


@hookimpl
def portula_client_metadata(provider: Provider) -> list[ClientMember]:
    """Return the members that this room understands; the algorithm `none` is not one."""
    if not is_on(provider):
        return []
    return [ClientMember(SIGNED_ALG, Literal[tuple(algorithms(provider))]), *ENCRYPTION.members(provider)]


@hookimpl
def portula_validate_client_registration(registration: ClientRegistration) -> None:
    """Refuse algorithms that nothing here signs with (attack S46), or encrypts with, for this client.

    Raises:
        InvalidClientMetadata: names the member.
    """
    provider = registration.provider
    if not is_on(provider):
        return
    check_signed_response_alg(registration, SIGNED_ALG, algorithms(provider))
    ENCRYPTION.check(registration)
