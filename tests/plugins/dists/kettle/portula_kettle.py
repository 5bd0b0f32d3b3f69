"""A grant for kettles: a client gets a token when it names its own serial number, which its registration must have."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from portula import hookimpl
from portula.errors import InvalidClientMetadata, InvalidGrantError
from portula.plugin import Application, ExtensionGrant

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import ClientRegistration, Exchange, GrantFactory

GRANT_TYPE = "urn:example:kettle"


class KettleGrant(ExtensionGrant):
    """Client credentials and a serial number."""

    def check(self, exchange: Exchange) -> None:
        client = exchange.client
        if client is None or exchange.parameter("serial") != client.metadata["kettle_serial"]:
            raise InvalidGrantError(description="This is not your serial number.")


@hookimpl
def portula_grant_types(provider: Provider) -> Mapping[str, GrantFactory]:
    return {GRANT_TYPE: KettleGrant}


@hookimpl
def portula_metadata(provider: Provider) -> Mapping[str, Any]:
    return {"kettle_serial_required": True}


@hookimpl
def portula_validate_client_registration(registration: ClientRegistration) -> None:
    if GRANT_TYPE in registration.application.grant_types and not registration.application.metadata.get(
        "kettle_serial"
    ):
        raise InvalidClientMetadata("a kettle needs kettle_serial")


@hookimpl
def portula_commands(provider: Provider) -> Sequence[click.Command]:
    @click.command("createkettle")
    @click.argument("serial")
    @click.option("--json", is_flag=True)
    def create(serial: str, **_: Any) -> None:
        """Register a kettle."""
        client, secret = provider.clients.create(
            Application(client_id="", grant_types=(GRANT_TYPE,), metadata={"kettle_serial": serial})
        )
        click.echo(json.dumps({"client_id": client.client_id, "client_secret": secret}))

    return [create]
