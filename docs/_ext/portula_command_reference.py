"""Writes click commands as Markdown."""

# ruff: noqa: INP001 - Sphinx imports it by path
from __future__ import annotations

import inspect

import click


def command_markdown(path: str, command: click.Command) -> str:
    """Return the section of one command: usage, help, options."""
    context = click.Context(command, info_name=path)
    usage = " ".join(piece for piece in (path, *command.collect_usage_pieces(context)))
    rows = [_row(option) for option in command.params if isinstance(option, click.Option)]
    table = ["| option | meaning |", "|---|---|", *rows, ""] if rows else []
    target = path.replace(" ", "-")
    text = inspect.cleandoc(command.help or "")
    return "\n".join([f"({target})=", f"## `{path}`", "", text, "", f"    {usage}", "", *table])


def _row(option: click.Option) -> str:
    names = ", ".join(f"`{name}`" for name in (*option.opts, *option.secondary_opts))
    if not option.is_flag:
        choices = option.type.choices if isinstance(option.type, click.Choice) else None
        value = "\\|".join(map(str, choices)) if choices else option.metavar or option.type.name.upper()
        names += f" *{value}*"
    default = f" Default: `{option.default}`." if option.show_default and option.default is not None else ""
    return f"| {names} | {(option.help or '').replace('|', chr(92) + '|')}{default} |"
