"""`portula try`, and its pages in a demo: a client of each grant that is installed explains what it sends and gets.

Sources: those of the grants. It asks the provider over HTTP alone, as any client does.
It never keeps a client for good, and shows secrets and tokens shortened unless they are to be shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from portula import hookimpl
from portula.plugin import HookDeclarations
from portula_playground.hooks import PlaygroundHooks
from portula_playground.page import portula_blueprints, portula_demo, portula_demo_links

if TYPE_CHECKING:
    import click

    from portula import Provider

__all__ = ["portula_blueprints", "portula_demo", "portula_demo_links"]
__version__ = "0.1.0"


@hookimpl
def portula_declarations(provider: Provider) -> list[type[HookDeclarations]]:
    """Return the hook by which rooms say how their grants are played."""
    return [PlaygroundHooks]


@hookimpl
def portula_commands(provider: Provider) -> list[click.Command]:
    """Return `portula try`."""
    from portula_playground.commands import try_command

    return [try_command(provider)]
