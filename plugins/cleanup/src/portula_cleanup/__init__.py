"""Deletes what has expired: `portula cleartokens`, over every kind of record that any plugin keeps for a time.

Source: django-oauth-toolkit's command of that name.
It never counts a table, never locks more than a few hundred rows at a time, and never deletes what still counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from portula import hookimpl
from portula_cleanup.settings import CleanupSettings

__version__ = "0.1.0"

if TYPE_CHECKING:
    from collections.abc import Sequence

    import click
    from pydantic import BaseModel

    from portula import Provider


@hookimpl
def portula_settings(provider: Provider) -> Sequence[type[BaseModel]]:
    """CLEAR_EXPIRED_TOKENS_BATCH_SIZE and _INTERVAL."""
    return [CleanupSettings]


@hookimpl
def portula_commands(provider: Provider) -> Sequence[click.Command]:
    """Contribute `portula cleartokens`."""
    from portula_cleanup.commands import cleartokens_command

    return [cleartokens_command(provider)]
