"""`portula cleartokens`."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from portula_cleanup.sweep import Sweep

if TYPE_CHECKING:
    from portula import Provider


def cleartokens_command(provider: Provider) -> click.Command:
    """Make the command for one provider."""

    @click.command("cleartokens")
    @click.option("--dry-run", is_flag=True, help="Delete nothing; say how much there is, up to one batch.")
    @click.option(
        "--time-limit",
        type=click.FloatRange(min=0, min_open=True),
        metavar="SECONDS",
        help="Begin no further batch after this time.",
    )
    @click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
    def clear(*, dry_run: bool, time_limit: float | None, as_json: bool) -> None:
        """Delete expired codes, tokens and other records. May run at any time, twice at once, and be killed."""
        sweep = Sweep(provider, time_limit=time_limit)
        began = time.monotonic()
        found = _count(sweep) if dry_run else _swept(sweep, quiet=as_json)
        facts = {
            "dry_run": dry_run,
            "complete": sweep.complete,
            "seconds": round(time.monotonic() - began, 3),
            ("expired" if dry_run else "deleted"): found,
        }
        if as_json:
            click.echo(json.dumps({**facts, **({"counted_to": sweep.batch_size} if dry_run else {})}))
        else:
            _show(sweep, facts, found, dry_run=dry_run)

    return clear


def _count(sweep: Sweep) -> dict[str, int]:
    return {batch.kind: batch.deleted for batch in sweep.look()}


def _swept(sweep: Sweep, *, quiet: bool) -> dict[str, int]:
    """Run to the end; on a terminal, show for each kind how many went, and how fast."""
    console = Console(stderr=True)
    deleted = dict.fromkeys((kind.name for kind in sweep.kinds), 0)
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        TextColumn("{task.completed:,.0f} deleted"),
        TextColumn("{task.fields[rate]}", style="dim"),
        TimeElapsedColumn(),
    )
    shown = console.is_terminal and not quiet
    with Progress(*columns, console=console, transient=True, disable=not shown) as progress:
        tasks: dict[str, tuple[TaskID, float]] = {}
        for batch in sweep.run():
            now = time.monotonic()
            if batch.kind not in tasks:
                # Without a total the bar only moves: to know it would need a COUNT.
                tasks[batch.kind] = (progress.add_task(batch.kind, total=None, rate=""), now)
            task, since = tasks[batch.kind]
            deleted[batch.kind] += batch.deleted
            rate = f"{deleted[batch.kind] / (now - since):,.0f}/s" if now > since else ""
            progress.update(task, advance=batch.deleted, rate=rate)
    return deleted


def _show(sweep: Sweep, facts: dict[str, Any], found: dict[str, int], *, dry_run: bool) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("Record")
    table.add_column("Expired" if dry_run else "Deleted", justify="right")
    for kind, number in found.items():
        more = " or more" if dry_run and number == sweep.batch_size else ""
        table.add_row(kind, f"{number:,}{more}")
    console = Console(highlight=False)
    console.print(table)
    if dry_run:
        console.print("Nothing was deleted.")
    elif facts["complete"]:
        console.print(f"[green]Nothing expired is left[/] after {facts['seconds']:.1f} seconds.")
    else:
        console.print(
            f"[yellow]Stopped by --time-limit[/] after {facts['seconds']:.1f} seconds; run it again."
        )
