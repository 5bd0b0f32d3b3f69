"""`portula db stats`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.filesize import decimal
from rich.markup import escape
from rich.table import Table
from sqlalchemy.exc import DBAPIError

from portula.errors import StorageDown
from portula_storage_sql.driver_errors import down_of, safe_url
from portula_storage_sql.estimates import database_bytes
from portula_storage_sql.schema import current
from portula_storage_sql.stats import DAY, Stats, Usage
from portula_storage_sql.store import SqlStore

if TYPE_CHECKING:
    from portula import Provider

LIMIT = 1_000_000
HEADINGS = ("Record", "Rows", "Expired", "A day", "Lives", "Comes to", "Size")
UNITS = ((DAY, "d"), (3600, "h"), (60, "min"), (1, "s"))


def stats_command(provider: Provider) -> click.Command:
    """Make the command for one provider."""

    @click.command()
    @click.option(
        "--limit",
        type=click.IntRange(min=1),
        default=LIMIT,
        show_default=True,
        metavar="RECORDS",
        help="Count no further; beyond that the engine estimates.",
    )
    @click.option(
        "--days",
        type=click.IntRange(min=1, max=3650),
        default=7,
        show_default=True,
        help="Take the growth of so many days.",
    )
    @click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
    def stats(*, limit: int, days: int, as_json: bool) -> None:
        """Say how many records there are, how many have expired, how fast they grow and what that comes to."""
        try:
            others = _others(provider)
        except StorageDown as down:
            raise click.ClickException(str(down)) from down
        store = next((store for store in provider.stores.values() if isinstance(store, SqlStore)), None)
        if store is None and not any(others.values()):
            names = ", ".join(provider.stores) or "none"
            raise click.ClickException(f"no store here can say how much it keeps ({names})")
        with Console(stderr=True).status("counting"):
            usages, file = ([], None) if store is None else _collect(provider, store, limit, days)
        if as_json:
            click.echo(json.dumps(_facts(store, usages, file, others)))
        else:
            _show(Console(highlight=False), store, usages, file)
            _show_others(Console(highlight=False), others)

    return stats


def _collect(
    provider: Provider, store: SqlStore, limit: int, days: int
) -> tuple[list[Usage], tuple[int, int] | None]:
    try:
        if current(store.engine) is None:
            raise click.ClickException("there is no schema yet; run `portula db upgrade`")
        usages = list(Stats(provider, store, limit=limit, days=days).usages())
        with store.engine.connect() as connection:
            return usages, database_bytes(connection)
    except StorageDown as error:
        raise click.ClickException(str(error)) from error
    except DBAPIError as error:
        down = down_of(error.orig, store.engine.url)
        if down is None:
            raise
        raise click.ClickException(f"{down}; if it took too long, count less: --limit") from error


def _others(provider: Provider) -> dict[str, Mapping[str, int] | None]:
    """Return what stores that are none of SQL say of their size; None for one that says nothing."""
    others = {name: store for name, store in provider.stores.items() if not isinstance(store, SqlStore)}
    return {name: store.usage() if hasattr(store, "usage") else None for name, store in others.items()}


def _facts(
    store: SqlStore | None,
    usages: Sequence[Usage],
    file: tuple[int, int] | None,
    others: Mapping[str, Mapping[str, int] | None],
) -> dict[str, Any]:
    def facts(usage: Usage) -> dict[str, Any]:
        kinds = [facts(kind) for kind in usage.kinds]
        return {**asdict(usage), "steady_rows": usage.steady_rows, "kinds": kinds}

    return {
        "database": None if store is None else safe_url(store.engine.url),
        "file_bytes": file and file[0],
        "free_bytes": file and file[1],
        "expired": sum(usage.expired or 0 for usage in usages),
        "records": [facts(usage) for usage in usages],
        "stores": dict(others),
    }


def _show(
    console: Console, store: SqlStore | None, usages: Sequence[Usage], file: tuple[int, int] | None
) -> None:
    if store is None:
        return
    size = f"  {decimal(file[0])}, {decimal(file[1])} of it free" if file else ""
    console.print(f"[bold]{escape(safe_url(store.engine.url))}[/]{size}", soft_wrap=True)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in HEADINGS:
        table.add_column(heading, justify="left" if heading == HEADINGS[0] else "right", no_wrap=True)
    for usage in usages:
        table.add_row(*_cells(usage))
        for kind in sorted(usage.kinds, key=lambda kind: -kind.rows):
            table.add_row(f"  {escape(kind.name)}", *_cells(kind)[1:], style="dim")
    console.print(table)
    about = "≈ " if any("expired" in usage.estimated for usage in usages) else ""
    expired = sum(usage.expired or 0 for usage in usages)
    console.print(f"`cleartokens` deletes {about}{expired:,} records now.")


def _show_others(console: Console, others: Mapping[str, Mapping[str, int] | None]) -> None:
    for name, usage in others.items():
        said = ", ".join(
            f"{key} {decimal(value) if key == 'bytes' else f'{value:,}'}"
            for key, value in (usage or {}).items()
        )
        console.print(f"[bold]{escape(name)}[/]  {said or 'does not say how much it keeps'}")


def _cells(usage: Usage) -> list[str]:
    def number(name: str, value: float | None) -> str:
        if value is None:
            return "-"
        return f"{'≈ ' if name in usage.estimated else ''}{value:,.{0 if value >= 10 or value == int(value) else 1}f}"

    is_timed = usage.per_day is not None
    return [
        usage.name,
        number("rows", usage.rows),
        number("expired", usage.expired),
        number("per_day", usage.per_day),
        _duration(usage.lifetime) if is_timed else "-",
        number("per_day", usage.steady_rows)
        if usage.steady_rows is not None
        else "more"
        if is_timed
        else "-",
        "-" if usage.bytes is None else decimal(usage.bytes),
    ]


def _duration(seconds: int | None) -> str:
    """Return a time in the largest unit of which it has two, or one and nothing else."""
    if seconds is None:
        return "for ever"
    size, unit = next((size, unit) for size, unit in UNITS if seconds >= 2 * size or size in {seconds, 1})
    return f"{seconds / size:.0f} {unit}"
