"""Deletes what has expired, of every kind that any plugin keeps for a time: at a command, and a little beside requests.

Source: django-oauth-toolkit's command of that name.
It never counts a table, never locks more than a few hundred rows at a time, and never deletes what still counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from portula import hookimpl
from portula.plugin import BackgroundTask
from portula_cleanup.settings import CleanupSettings
from portula_cleanup.turns import Turns

__version__ = "0.1.0"

if TYPE_CHECKING:
    from collections.abc import Sequence

    import click
    from pydantic import BaseModel

    from portula import Provider


@hookimpl
def portula_settings(provider: Provider) -> Sequence[type[BaseModel]]:
    """CLEAR_EXPIRED_TOKENS_BATCH_SIZE and its companions."""
    return [CleanupSettings]


@hookimpl
def portula_commands(provider: Provider) -> Sequence[click.Command]:
    """Contribute `portula cleartokens`."""
    from portula_cleanup.commands import cleartokens_command

    return [cleartokens_command(provider)]


@hookimpl
def portula_background_tasks(provider: Provider) -> Sequence[BackgroundTask]:
    """Delete some of what has expired, beside requests."""
    every = provider.settings(CleanupSettings).CLEAR_EXPIRED_TOKENS_AFTER_WRITES
    return [BackgroundTask(what="deleting what has expired", every=every, run=Turns(provider).take)]
