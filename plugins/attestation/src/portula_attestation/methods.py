"""The methods of client authentication (draft §7.5, §8), one for each kind of proof."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from portula import Plugin, hookimpl
from portula.plugin import ClientAuthenticationFailed, ClientAuthMethod, exchange_of
from portula_attestation.errors import InvalidClientAttestation
from portula_attestation.instances import ROOM, Instances
from portula_attestation.settings import is_method, is_on

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import Application, OAuthRequest


@hookimpl
def portula_client_auth_methods(provider: Provider) -> list[ClientAuthMethod]:
    """Return the methods; none while nobody is trusted."""
    if not is_on(provider):
        return []
    instances = Instances(provider)
    return [
        ClientAuthMethod(
            name,
            partial(_presents, provider, instances, name),
            partial(_client_of, provider, instances, name),
        )
        for name in instances.methods
    ]


def _presents(provider: Provider, instances: Instances, name: str, request: OAuthRequest) -> bool:
    """Say whether a request authenticates so.

    An attestation beside other credentials, or of a client that is registered for another method, is no more than a
    sign of which instance it is (§7.6), and judged as that.
    """
    if instances.method_of(exchange_of(request, provider).message.headers) != name:
        return False
    others = (each for each in provider.client_auth_methods.values() if not is_method(each.name))
    if any(each.presented(request) for each in others):
        return False
    client = provider.clients.find(request.client_id) if request.client_id else None
    return client is None or is_method(client.token_endpoint_auth_method)


def _client_of(
    provider: Provider, instances: Instances, name: str, request: OAuthRequest
) -> Application | None:
    """Return the client whose instance a request proves to come from; None for one that is not registered for that.

    An attester says no more than whose instance it is: whether a client authenticates so is the client's to say.
    """
    exchange = exchange_of(request, provider)
    try:
        attestation = instances.attestation_of(exchange)
        client = provider.clients.find(attestation.client_id)
        if (
            client is None
            or client.client_type != "confidential"
            or client.token_endpoint_auth_method != name
        ):
            exchange.reason = "the attestation is of no client that is registered for it"
            return None
        instances.prove(exchange, attestation, client)
    except InvalidClientAttestation as error:
        exchange.reason, exchange.is_told = error.reason, True
        failed = ClientAuthenticationFailed(
            provider=provider, client_id=request.client_id, method=name, reason=error.reason
        )
        provider.hooks.tell(Plugin.portula_client_authentication_failed, failed)
        raise
    exchange.memo[ROOM,] = attestation.thumbprint
    return client
