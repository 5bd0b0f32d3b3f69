"""`portula logout deliver`: the deliveries of this room by hand or as a job."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from portula.plugin import deliver_command
from portula_logout.back_channel import KIND

if TYPE_CHECKING:
    from portula import Provider


def make_commands(provider: Provider) -> list[click.Command]:
    """Return the commands of one provider."""

    @click.group("logout")
    def group() -> None:
        """Tell apps of sessions that ended."""

    group.add_command(deliver_command(provider, (KIND,)))
    return [group]
