"""CPU time of an operation beside a bare Flask application: `make bench ARGS="--quick --json figures.json"`."""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from measure import cpu_ms, floor, in_turn, shortened, spread, statements
from rich.console import Console
from rich.progress import track
from rich.table import Table
from workloads import OPERATIONS, Deployment, Operation, deployments

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

BATCH = 40
ROUNDS = 25
QUICK_ROUNDS = 5
PACKAGES = ("Flask", "oauthlib", "SQLAlchemy", "pluggy")


@dataclass
class Case:
    """One operation through one door on one storage, and its batches."""

    operation: Operation
    deployment: Deployment
    door: str
    milliseconds: list[float] = field(default_factory=list)
    queries: list[str] | None = None
    """Statements of one request, in order; None where there is no SQL."""

    def run(self) -> None:
        """Time one batch."""
        batch = self.operation.batch(self.deployment, BATCH)
        self.milliseconds.append(cpu_ms(self.deployment.doors[self.door], batch))

    def count(self) -> None:
        """Note the statements of one request; the timed passes are over by then."""
        if self.deployment.engine is None:
            return
        batch = self.operation.batch(self.deployment, 1)
        self.deployment.provider.stores["storage_sql"].close()
        with statements(self.deployment.engine) as seen:
            cpu_ms(self.deployment.doors[self.door], batch)
        self.queries = [shortened(statement) for statement in seen if not statement.startswith("PRAGMA")]


@dataclass
class Floor:
    """The bare Flask application for one operation, and its batches."""

    operation: Operation
    deployment: Deployment
    milliseconds: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Learn path and size of the answer."""
        sample = self.operation.batch(self.deployment, 1)[0]
        size = self.operation.answer_size(self.deployment)
        self.application: WSGIApplication = floor(sample["PATH_INFO"], size)

    def run(self) -> None:
        """Time one batch of the same requests."""
        self.milliseconds.append(cpu_ms(self.application, self.operation.batch(self.deployment, BATCH)))


def measured(made: Sequence[Deployment], rounds: int, console: Console) -> tuple[list[Floor], list[Case]]:
    """Measure every case, after one batch of each that does not count."""
    floors = [Floor(operation, made[0]) for operation in OPERATIONS]
    cases = [
        Case(operation, deployment, door)
        for operation in OPERATIONS
        for door in made[0].doors
        for deployment in made
    ]
    everything = [*floors, *cases]
    for entry in everything:
        entry.run()
        entry.milliseconds.clear()
    turns = in_turn(rounds, [entry.run for entry in everything])
    for _ in track(turns, "measuring", total=rounds, console=console, transient=True):
        pass
    for case in cases:
        case.count()
    return floors, cases


def figures(floors: Sequence[Floor], cases: Sequence[Case]) -> list[dict[str, Any]]:
    """Return a row a case. The ratio is the median of the rounds' ratios: what slows a round slows both sides."""
    beside = {entry.operation.key: entry.milliseconds for entry in floors}
    rows = []
    for case in cases:
        lowest = beside[case.operation.key]
        ratios = [mine / theirs for mine, theirs in zip(case.milliseconds, lowest, strict=True)]
        rows.append(
            {
                "operation": f"{case.operation.key} {case.operation.name}",
                "door": case.door,
                "storage": case.deployment.storage,
                "milliseconds": round(statistics.median(case.milliseconds), 4),
                "spread": round(spread(case.milliseconds), 3),
                "floor_milliseconds": round(statistics.median(lowest), 4),
                "times_floor": round(statistics.median(ratios), 2),
                "queries": case.queries,
            }
        )
    return rows


def counted(queries: list[str] | None) -> str:
    """Return how many statements there are, and how many of them only begin and end a transaction."""
    if queries is None:
        return "-"
    brackets = sum(" " not in query for query in queries)
    return f"{len(queries) - brackets} + {brackets}" if brackets else str(len(queries))


def shown(rows: Sequence[dict[str, Any]]) -> Table:
    """Return the table."""
    table = Table(title="CPU milliseconds an operation")
    for heading in ("operation and door", "storage"):
        table.add_column(heading, no_wrap=True)
    for heading in ("ms CPU", "±", "x floor", "queries"):
        table.add_column(heading, justify="right")
    last = None
    for row in rows:
        if row["operation"] != last:
            last = row["operation"]
            table.add_section()
            table.add_row(f"[bold]{last}")
            table.add_row("  bare Flask", "-", f"{row['floor_milliseconds']:.3f}", "", "1", "-")
        table.add_row(
            f"  {row['door']}",
            row["storage"],
            f"{row['milliseconds']:.3f}",
            f"{row['spread']:.0%}",
            f"{row['times_floor']:.1f}",
            counted(row["queries"]),
        )
    return table


def circumstances() -> dict[str, Any]:
    """Return what the figures depend on, besides the machine."""
    return {
        "python": platform.python_version(),
        "packages": {package: version(package) for package in PACKAGES},
        "batch": BATCH,
    }


def main() -> None:
    """Measure, print, and write JSON where that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds: seconds instead of minutes")
    parser.add_argument("--rounds", type=int, default=None, help=f"{ROUNDS} unless told otherwise")
    parser.add_argument("--queries", action="store_true", help="print the statements of each operation")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    options = parser.parse_args()
    rounds = max(2, options.rounds or (QUICK_ROUNDS if options.quick else ROUNDS))
    console = Console()
    with tempfile.TemporaryDirectory(prefix="portula-bench-") as folder, deployments(Path(folder)) as made:
        rows = figures(*measured(made, rounds, console))
    console.print(shown(rows))
    if options.queries:
        listed = {row["operation"]: row["queries"] for row in rows if row["queries"]}
        for operation, queries in listed.items():
            console.print(f"[bold]{operation}[/]", *queries, sep="\n  ", highlight=False)
    if options.json:
        report = {**circumstances(), "rounds": rounds, "operations": rows}
        options.json.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
