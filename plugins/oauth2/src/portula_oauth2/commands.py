"""The commands about clients and their tokens; `createapplication` has the options of django-oauth-toolkit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from portula import hookimpl
from portula_oauth2.client_commands import make_client_commands
from portula_oauth2.creating import make_create_command
from portula_oauth2.token_commands import make_tokens_group

if TYPE_CHECKING:
    from portula import Provider


@hookimpl
def portula_commands(provider: Provider) -> list[click.Command]:
    """Contribute the groups `clients` and `tokens`, and createapplication."""
    create = make_create_command(provider)

    @click.group("clients")
    def clients() -> None:
        """Clients: the apps that may ask for tokens."""

    clients.add_command(create, "create")
    for command in make_client_commands(provider):
        clients.add_command(command)
    return [create, clients, make_tokens_group(provider)]
