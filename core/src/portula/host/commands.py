"""Names of core's commands, and the group of commands that look after a schema."""

from __future__ import annotations

import click

HOST_COMMANDS = ("init", "serve", "plugin", "plugins", "hooks", "explain", "settings", "check")
"""Commands that are core's own."""


class SchemaGroup(click.Group):
    """A group whose commands run although the storage is behind its schema: those that look after the schema."""
