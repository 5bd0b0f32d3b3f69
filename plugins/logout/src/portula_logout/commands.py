"""`portula logout deliver`: what the threads of serving processes do, by hand or as a job."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from portula_logout.outbox import Outbox

if TYPE_CHECKING:
    from portula import Provider


def make_commands(provider: Provider) -> list[click.Command]:
    """Return the commands of one provider."""

    @click.group("logout")
    def group() -> None:
        """Tell apps of sessions that ended."""

    @group.command("deliver")
    @click.option("--all", "impatient", is_flag=True, help="Try also what waits for a later attempt.")
    @click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
    def deliver(*, impatient: bool, as_json: bool) -> None:
        """Tell the servers of apps that have not heard yet; each is tried once."""
        tally = Outbox(provider).deliver(impatient=impatient)
        if as_json:
            click.echo(json.dumps(asdict(tally)))
        else:
            click.echo(
                f"{tally.delivered} delivered, {tally.failed} to be tried again, {tally.given_up} given up."
            )

    return [group]
