"""Names of core's commands, and the group of commands that look after a schema."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click

from portula.model.errors import ConfigError

HOST_COMMANDS = ("init", "serve", "plugin", "plugins", "hooks", "explain", "settings", "check")
"""Commands that are core's own."""


FOR_AN_APP = (
    "`portula` is for a provider by itself, which `pip install 'portula[server]'` makes whole; "
    "for the one in a Flask application it is `flask portula`"
)
"""What may be meant where a provider by itself lacks an answer."""


class SchemaGroup(click.Group):
    """A group whose commands run although the storage is behind its schema: those that look after the schema."""


def in_an_app(text: str) -> str:
    """Return a text with the commands in it as they are typed for the provider of a Flask application."""
    return text.replace("`portula ", "`flask portula ")


@contextmanager
def commands_as_typed(*, stand_alone: bool) -> Iterator[None]:
    """Let start-up errors name commands as they are typed for this provider."""
    try:
        yield
    except ConfigError as error:
        if not stand_alone:
            error.reword(in_an_app)
        raise
