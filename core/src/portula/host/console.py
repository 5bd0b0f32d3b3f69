"""What commands share: options, tables for people, JSON for programs, confirmation questions.

Rooms import these names from `portula.plugin`, so that every command lists, asks and fails alike. Rich is imported by
what prints with it: a process that serves never needs it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from rich.table import Table

PIPED_WIDTH = 200
"""Columns of a table that goes into a file or another program."""
MAX_ROWS = 1000
"""Rows that one call of a command lists at the most."""

_TIMES = ("_at", "_time", "_from", "until")
"""How the names of times end."""

F = TypeVar("F", bound=Callable[..., Any])

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
yes_option = click.option("--yes", is_flag=True, help="Do it without asking.")
NAMES = {"ignore_unknown_options": True}
"""Context settings of commands whose arguments may begin with a hyphen, as one random identifier in 64 does."""
_limit_option = click.option(
    "--limit", type=click.IntRange(1, MAX_ROWS), default=50, show_default=True, help="Rows at the most."
)


def page_options(of: str) -> Callable[[F], F]:
    """Return a decorator that gives a command `--limit` and `--after`; `of` names what a row is told by."""
    after = click.option("--after", metavar=of.upper(), help=f"List what comes behind this {of}.")
    return lambda command: _limit_option(after(command))


def secret_options(name: str) -> Callable[[F], F]:
    """Return a decorator that gives a command `--NAME-stdin` and `--NAME-file`: `ps` shows a command line to everybody.

    Each reads a line, so that several secrets may come by standard input. `pop_secret` returns what was read.
    """
    from_stdin = click.option(
        f"--{name}-stdin",
        is_flag=True,
        callback=lambda _context, _parameter, value: secret_line(sys.stdin) if value else None,
        help=f"Read the {name.replace('-', ' ')} from standard input: one line.",
    )
    from_file = click.option(
        f"--{name}-file",
        type=click.File(),
        callback=lambda _context, _parameter, value: None if value is None else secret_line(value),
        help="Read it from a file: the first line.",
    )
    return lambda command: from_stdin(from_file(command))


def secret_line(stream: IO[str]) -> str:
    """Read a secret that is a line.

    Raises:
        BadParameter: there is none, or it is no text.
    """
    try:
        line = stream.readline().rstrip("\r\n")
    except UnicodeDecodeError:
        raise click.BadParameter("what is there is no UTF-8") from None
    if not line:
        raise click.BadParameter("nothing is there to read")
    return line


def pop_secret(given: MutableMapping[str, Any], name: str) -> str | None:
    """Take the parameters of `--NAME`, `--NAME-stdin` and `--NAME-file` out of all that are given; return the secret.

    Raises:
        UsageError: more than one of them gives it.
    """
    read = {each: given.pop(each, None) for each in (name, f"{name}_stdin", f"{name}_file")}
    options = [f"--{each.replace('_', '-')}" for each, secret in read.items() if secret is not None]
    if len(options) > 1:
        raise click.UsageError(f"{' and '.join(options)} exclude each other")
    return next((secret for secret in read.values() if secret is not None), None)


def confirm(question: str, *, yes: bool) -> None:
    """Ask on standard error before something ends, unless `yes`; anything but a yes aborts with exit code 1."""
    if not yes:
        click.confirm(question, abort=True, err=True)


def make_table(*columns: str) -> Table:
    """Return an empty table, whose long cells go on in the next line."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def print_table(table: Table) -> None:
    """Print a table; one that nobody looks at on a terminal is not cut to the width of one."""
    from rich.console import Console

    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = PIPED_WIDTH
    console.print(table)


def print_rows(
    rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str], *, as_json: bool, none: str = "None."
) -> None:
    """Print a list: as JSON every member of each row, as a table those of `columns`, each under its heading."""
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    if not rows:
        click.echo(none)
        return
    from rich.markup import escape

    table = make_table(*columns.values())
    for row in rows:
        table.add_row(*(escape(shown_fact(name, row[name])) for name in columns))
    print_table(table)


def print_page(
    rows: Sequence[Mapping[str, Any]],
    columns: Mapping[str, str],
    *,
    limit: int,
    key: str,
    as_json: bool,
    none: str = "None.",
) -> None:
    """Print a page of a list as `print_rows` does, and on standard error how to see the next one, if it is full."""
    print_rows(rows, columns, as_json=as_json, none=none)
    if len(rows) == limit and not as_json:
        click.echo(f"There may be more: --after {rows[-1][key]}", err=True)


def print_record(facts: Mapping[str, Any], *, as_json: bool) -> None:
    """Print what is known of one record: as JSON everything, as a table what is not empty."""
    if as_json:
        click.echo(json.dumps(facts, indent=2))
        return
    from rich.markup import escape
    from rich.table import Table

    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for name, value in facts.items():
        if value not in (None, "", (), [], {}):
            table.add_row(name, escape(shown_fact(name, value)))
    print_table(table)


def shown_fact(name: str, value: object) -> str:
    """Return a value as people read it: times in UTC, known by their names, `-` for nothing."""
    if value is None or value in ("", (), [], {}):
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int) and name.endswith(_TIMES):
        return shown_time(value)
    if isinstance(value, dict):
        return json.dumps(value)
    if not isinstance(value, list | tuple):
        return str(value)
    texts = list(map(str, value))
    return ("; " if any(" " in text for text in texts) else " ").join(texts)


def shown_time(seconds: int) -> str:
    """Return a Unix time as people read it, in UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
