"""`portula deliver`: what the threads of serving processes do, by hand or as a job."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from portula.flow.authorization_server import AuthorizationServer


def deliver_command(provider: AuthorizationServer, kinds: Collection[str] | None = None) -> click.Command:
    """Return the command `deliver` for some kinds of deliveries, None for all."""

    @click.command("deliver")
    @click.option("--all", "impatient", is_flag=True, help="Try also what waits for a later attempt.")
    @click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
    def deliver(*, impatient: bool, as_json: bool) -> None:
        """Tell other servers what they have not heard yet; each message is tried once."""
        tally = provider.deliveries.deliver(kinds=kinds, impatient=impatient)
        if as_json:
            click.echo(json.dumps(asdict(tally)))
        else:
            click.echo(
                f"{tally.delivered} delivered, {tally.failed} to be tried again, {tally.given_up} given up."
            )

    return deliver
