"""`portula import-dot`."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import nullcontext, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from portula_import_dot import reading
from portula_import_dot.judging import Outcome, Verdict, judge
from portula_import_dot.writing import write

if TYPE_CHECKING:
    from portula import Provider

PIPED_WIDTH = 200
"""Columns of a table that goes into a file or another program."""

_COLOURS = {Outcome.KEPT: "green", Outcome.DEFAULT: "green", Outcome.HAND: "yellow", Outcome.GONE: "red"}


def import_dot_command(provider: Provider) -> click.Command:
    """Make the command for one provider."""

    @click.command("import-dot")
    @click.argument(
        "settings", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="SETTINGS.py"
    )
    @click.option(
        "--write", "target", type=click.Path(path_type=Path), metavar="FILE", help="Write a configuration."
    )
    @click.option("--execute", is_flag=True, help="Run the file, and import the classes that it names.")
    @click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
    def import_dot(settings: Path, target: Path | None, *, execute: bool, as_json: bool) -> None:
        """Read a django-oauth-toolkit configuration and say what each setting becomes."""
        try:
            # What the file prints is no part of the answer.
            with redirect_stdout(sys.stderr), reading.modules_of_the_project() if execute else nullcontext():
                found = reading.run(settings) if execute else reading.read(settings)
                verdicts = judge(provider, found, importing=execute)
        except reading.UnreadableFile as error:
            raise click.ClickException(str(error)) from error
        if target is not None:
            try:
                write(target, verdicts, str(settings))
            except OSError as error:
                raise click.ClickException(f"{target}: {error.strerror}") from error
        if as_json:
            written = None if target is None else str(target)
            click.echo(json.dumps({"settings": list(map(_facts, verdicts)), "written": written}, indent=2))
        else:
            _show(verdicts, target)

    return import_dot


def _facts(verdict: Verdict) -> dict[str, Any]:
    return {
        "name": verdict.given.name,
        "line": verdict.given.line,
        "value": verdict.display_value,
        "outcome": verdict.outcome.value,
        "room": verdict.room,
        "text": verdict.text,
    }


def _show(verdicts: Sequence[Verdict], target: Path | None) -> None:
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = PIPED_WIDTH
    if not verdicts:
        console.print("No setting of django-oauth-toolkit was found; its name is OAUTH2_PROVIDER.")
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("Setting", "Line", "Becomes", "Room", "Why"):
        table.add_column(column, overflow="fold")
    for verdict in verdicts:
        colour = _COLOURS[verdict.outcome]
        line = "" if verdict.given.line is None else str(verdict.given.line)
        outcome = f"[{colour}]{verdict.outcome.value}[/]"
        table.add_row(escape(verdict.given.name or "?"), line, outcome, verdict.room, escape(verdict.text))
    if verdicts:
        console.print(table)
        counts = Counter(verdict.outcome for verdict in verdicts)
        console.print(
            "\n" + ", ".join(f"{counts[outcome]} {outcome.value}" for outcome in Outcome if counts[outcome])
        )
    if target is not None:
        console.print(
            f"Written: {escape(str(target))}. Start with `portula serve --config {escape(str(target))}`."
        )
