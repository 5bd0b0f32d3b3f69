"""The grant type by which a device polls for its tokens (RFC 8628 §3.4, §3.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portula import hookimpl
from portula.errors import InvalidGrantError
from portula.plugin import PollingGrant, verifies_challenge
from portula_device import codes

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import Artifact, AuthorizationServer, GrantFactory, TokenExchange

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:device_code"


class DeviceGrant(PollingGrant):
    """Gives a device what its person allowed, once."""

    parameter = "device_code"
    with_id_token = True

    def find(self, provider: AuthorizationServer, value: str) -> Artifact | None:
        """Return the record of a code."""
        return codes.of_device(provider, value)

    def prove(self, exchange: TokenExchange, pending: Artifact) -> None:
        """Ask for the verifier of the challenge that came with the request, if one did (RFC 7636 §4.6)."""
        challenge, method = pending.payload[codes.CHALLENGE], pending.payload[codes.METHOD]
        if not verifies_challenge(exchange.parameter("code_verifier"), challenge, method):
            raise InvalidGrantError(
                description="code_verifier is missing, or wrong.", request=exchange.request
            )


@hookimpl
def portula_grant_types(provider: Provider) -> dict[str, GrantFactory]:
    """Return the grant type."""
    return {GRANT_TYPE: DeviceGrant}
