"""`portula db`: look at the schema and bring it up to date."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.markup import escape

from portula.commands import SchemaGroup
from portula.errors import ConfigError
from portula_storage_sql import migrate
from portula_storage_sql.store import SqlStore

if TYPE_CHECKING:
    from portula import Provider


def database_group(provider: Provider) -> click.Group:
    """Make the group `db` for one provider."""

    @click.group("db", cls=SchemaGroup)
    def database() -> None:
        """Schema of the SQL database."""

    @database.command()
    @click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
    def status(*, as_json: bool) -> None:
        """Say whether the schema is up to date; exit code 1 when it is behind."""
        store = _store(provider)
        version, pending = _current(store), _pending(store)
        if as_json:
            click.echo(json.dumps({"database": _url(store), "version": version, "pending": pending}))
        else:
            console = Console()
            console.print(f"[bold]{escape(_url(store))}[/]  version {version or 'none'}")
            for line in pending:
                console.print(f"  [yellow]pending[/] {escape(line)}")
            console.print("  [green]up to date[/]" if not pending else "  run [bold]portula db upgrade[/]")
        raise SystemExit(1 if pending else 0)

    @database.command()
    @click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
    def upgrade(*, as_json: bool) -> None:
        """Bring the schema up to date; never drops anything, may be repeated."""
        store = _store(provider)
        console = Console(quiet=as_json)
        console.print(f"[bold]{escape(_url(store))}[/]")
        with console.status("waiting for the database"):
            done = _reported(store, console)
        if as_json:
            click.echo(json.dumps({"database": _url(store), "version": _current(store), "done": done}))
        else:
            console.print(f"  [green]up to date[/], version {_current(store)}")

    return database
