"""`portula db`: look at the schema, bring it up to date, and see how much it keeps."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.markup import escape

from portula.errors import ConfigError
from portula.plugin import SchemaGroup
from portula_storage_sql.checks import STORE
from portula_storage_sql.driver_errors import safe_url
from portula_storage_sql.schema import current, head, lacking, newer
from portula_storage_sql.stats_command import stats_command
from portula_storage_sql.store import SqlStore

if TYPE_CHECKING:
    from portula import Provider

as_json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


def database_group(provider: Provider) -> click.Group:
    """Make the group `db` for one provider."""

    @click.group("db", cls=SchemaGroup)
    def database() -> None:
        """Schema of the SQL database."""

    @database.command()
    @as_json_option
    def status(*, as_json: bool) -> None:
        """Say whether the schema is up to date; exit code 1 when it is behind, or a table of your own models is."""
        with _store(provider) as store:
            version, pending = current(store.engine), _pending(store)
            lacks = lacking(store.engine, store.records)
        if as_json:
            facts = {"database": safe_url(store.engine.url), "version": version, "newer": newer(version)}
            click.echo(json.dumps({**facts, "pending": pending, "models": _models(store), "lacking": lacks}))
        else:
            console = _headed_console(store)
            for name, table in _models(store).items():
                console.print(f"  [cyan]yours[/]    {escape(f'{name}: table {table}')}")
            for line in pending:
                console.print(f"  [yellow]pending[/]  {escape(line)}")
            for line in lacks:
                console.print(f"  [yellow]lacking[/]  {escape(line)}: run your own migrations")
            console.print(_due(provider) if pending else _up_to_date(version))
        raise SystemExit(1 if pending or lacks else 0)

    @database.command()
    @as_json_option
    def upgrade(*, as_json: bool) -> None:
        """Bring the schema up to date; never drops anything, may be repeated, leaves your own models alone."""
        from portula_storage_sql import migrate

        with _store(provider) as store:
            console = _headed_console(store, quiet=as_json)
            with console.status("migrating"):
                done = migrate.upgrade(
                    store.engine,
                    store.records,
                    lambda line: console.print(f"  [cyan]applied[/]  {escape(line)}"),
                )
            version = current(store.engine)
        if as_json:
            click.echo(json.dumps({"database": safe_url(store.engine.url), "version": version, "done": done}))
        else:
            console.print(_up_to_date(version))

    database.add_command(stats_command(provider))
    return database


def _due(provider: Provider) -> str:
    return f"  [yellow]run[/]      {'' if provider.stand_alone else 'flask '}portula db upgrade"


@contextmanager
def _store(provider: Provider) -> Iterator[SqlStore]:
    store = provider.stores.get(STORE)
    if not isinstance(store, SqlStore):
        raise click.ClickException(f"STORAGE does not choose {STORE}, so there is no schema to look after")
    try:
        yield store
    except ConfigError as error:
        raise click.ClickException(str(error)) from error


def _pending(store: SqlStore) -> list[str]:
    from portula_storage_sql.migrate import pending

    return pending(store.engine, store.records)


def _headed_console(store: SqlStore, *, quiet: bool = False) -> Console:
    console = Console(quiet=quiet)
    console.soft_wrap = not console.is_terminal  # a line stays one in a file or another program
    console.print(f"[bold]{escape(safe_url(store.engine.url))}[/]", soft_wrap=True)
    return console


def _models(store: SqlStore) -> dict[str, str]:
    """Return the table of each record type that has a model of the deployment's own."""
    return {
        record.name: record.model.__table__.fullname for record in store.records if record.model is not None
    }


def _up_to_date(version: str | None) -> str:
    if newer(version):
        return f"  [yellow]newer[/]    version {version}; this release knows {head()}, and runs beside it"
    return f"  [green]up to date[/]  version {version}"
