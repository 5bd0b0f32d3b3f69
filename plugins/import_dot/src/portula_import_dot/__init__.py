"""Moving over: `portula import-dot SETTINGS.py` reads a django-oauth-toolkit configuration and says what it becomes.

`portula import-dot-data DUMP.json` takes over people, clients and refresh tokens.

Source: the settings page of django-oauth-toolkit, 2.3 to 3.x; what exists here is asked of the provider.
It never runs the file unless told to, never shows a secret, and never passes over a setting in silence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from portula import hookimpl

if TYPE_CHECKING:
    from collections.abc import Sequence

    import click

    from portula import Provider

__version__ = "0.1.0"


@hookimpl
def portula_commands(provider: Provider) -> Sequence[click.Command]:
    """Contribute `portula import-dot` and `portula import-dot-data`."""
    from portula_import_dot.commands import import_dot_command
    from portula_import_dot.data_command import import_dot_data_command

    return [import_dot_command(provider), import_dot_data_command(provider)]
