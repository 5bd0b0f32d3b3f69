"""`portula import-dot-data`."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from portula.plugin import console
from portula_import_dot.dump import WrongFile, read_dump
from portula_import_dot.taking import Outcome, Result, Taking

if TYPE_CHECKING:
    from portula import Provider


def import_dot_data_command(provider: Provider) -> click.Command:
    """Make the command for one provider."""

    @click.command("import-dot-data")
    @click.argument("dump", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="DUMP.json")
    @click.option("--user-model", default="auth.user", show_default=True, help="Model of the users.")
    @click.option(
        "--application-model",
        default="oauth2_provider.application",
        show_default=True,
        help="Model of the applications.",
    )
    @click.option("--dry-run", is_flag=True, help="Say what would be taken, and write nothing.")
    @console.json_option
    def import_dot_data(
        dump: Path, user_model: str, application_model: str, *, dry_run: bool, as_json: bool
    ) -> None:
        """Take over people, clients and refresh tokens that `manage.py dumpdata` wrote.

        What is there already is left as it is. The exit code is 1 where a row is refused.
        """
        try:
            rows = read_dump(dump)
        except WrongFile as error:
            raise click.ClickException(str(error)) from error
        taking = Taking(
            provider, rows, user_model=user_model, application_model=application_model, dry_run=dry_run
        )
        if not len(taking):
            named = ", ".join(taking.models)
            raise click.ClickException(
                f"{dump} has no row of {named}; there are options that name other models"
            )
        facts = {"issuer": provider.issuer, **_facts(taking, _run(taking), dry_run=dry_run)}
        if as_json:
            click.echo(json.dumps(facts, indent=2))
        else:
            _show(facts)
        if facts["refused"]:
            raise SystemExit(1)

    return import_dot_data


def _run(taking: Taking) -> list[Result]:
    """Take over everything, with a bar where somebody looks on."""
    terminal = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    results = []
    with Progress(*columns, console=terminal, transient=True, disable=not terminal.is_terminal) as progress:
        task = progress.add_task("", total=len(taking))
        for result in taking.run():
            progress.update(task, advance=1, description=result.kind)
            results.append(result)
    return results


def _facts(taking: Taking, results: list[Result], *, dry_run: bool) -> dict[str, Any]:
    counts = Counter((result.kind, result.outcome) for result in results)
    left = Counter((result.kind, result.text) for result in results if result.outcome is Outcome.LEFT)
    return {
        "dry_run": dry_run,
        "counts": {
            kind: {outcome.value: counts[kind, outcome] for outcome in Outcome}
            for kind, _ in taking.models.values()
        },
        "left_out": [{"kind": kind, "reason": text, "rows": rows} for (kind, text), rows in left.items()],
        "refused": [
            {"model": result.row.model, "pk": result.row.pk, "reason": result.text}
            for result in results
            if result.outcome is Outcome.REFUSED
        ],
        "settings": dict(taking.settings),
        "passed_over": dict(taking.others),
    }


def _show(facts: Mapping[str, Any]) -> None:
    if facts["refused"]:
        columns = {"model": "Model", "pk": "Key", "reason": "Why it is refused"}
        console.print_rows(facts["refused"], columns, as_json=False)
        click.echo()
    table = console.make_table("Kind", *(outcome.value.capitalize() for outcome in Outcome))
    for kind, counts in facts["counts"].items():
        table.add_row(escape(kind), *(f"{count:,}" for count in counts.values()))
    console.print_table(table)
    for row in facts["left_out"]:
        click.echo(f"Left out of {row['kind']}: {row['rows']:,} ({row['reason']}).")
    for name, clients in facts["settings"].items():
        click.echo(f"{name} = True is needed by {clients:,} of the clients.")
    if facts["passed_over"]:
        others = ", ".join(f"{rows:,} {model}" for model, rows in sorted(facts["passed_over"].items()))
        click.echo(f"Passed over: {others}.")
    if facts["issuer"] and facts["counts"]["refresh tokens"][Outcome.TAKEN.value]:
        click.echo(f"The refresh tokens count at the issuer {facts['issuer']}, and at no other.")
    if facts["dry_run"]:
        click.echo("Nothing is written: this is a dry run.")
