"""`make soak`: providers under load on bad days; fails where what was acknowledged is lost or doubled.

make soak ARGS="--minutes 15 --seed 1 --engines sqlite,postgresql,galera,redis_cluster --races 1000"
"""

import json
import platform
import secrets
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from soak.engines import ENGINES
from soak.run import soaked

COLUMNS = ("engine", "requests", "acknowledged", "lost", "doubled", "unknown", "503", "no answer", "500")
COLUMNS += ("recovery, s", "ms, 99 %")
BARS = (
    TextColumn("{task.fields[engine]:14}"),
    BarColumn(),
    TimeElapsedColumn(),
    TextColumn("{task.description}"),
)
DEFAULT = "sqlite,postgresql,galera,redis_cluster"


@click.command()
@click.option(
    "--minutes",
    type=click.FloatRange(0, 24 * 60),
    default=10,
    show_default=True,
    help="Of load, over all engines; 0 for races alone.",
)
@click.option(
    "--seed", type=int, default=None, help="Repeats what clients do and in which order days are bad."
)
@click.option("--engines", default=DEFAULT, show_default=True, help=f"Of {', '.join(ENGINES)}.")
@click.option(
    "--races",
    type=click.IntRange(0, 100_000),
    default=50,
    show_default=True,
    help="Codes, and refresh tokens, to race for on each engine.",
)
@click.option("--tries", type=click.IntRange(4, 200), default=20, show_default=True, help="For each of them.")
@click.option("--calm", is_flag=True, help="Without bad days: for the memory of workers over a long time.")
@click.option(
    "--json", "path", type=click.Path(dir_okay=False, path_type=Path), help="Write the report there too."
)
@click.option("--keep", is_flag=True, help="Keep the folder with the logs of the nodes.")
def main(
    minutes: float,
    seed: int | None,
    engines: str,
    races: int,
    tries: int,
    calm: bool,
    path: Path | None,
    keep: bool,
) -> None:
    """Run, report, and exit with 1 if anything happened that must not."""
    names = _known(engines.split(","))
    seed = secrets.randbelow(10**6) if seed is None else seed
    folder = Path(tempfile.mkdtemp(prefix="portula-soak-"))
    folder.chmod(0o755)  # servers that run as users of their own reach theirs
    console = Console()
    console.print(f"seed {seed}, logs in {folder}")
    report: dict[str, Any] = {
        "seed": seed,
        "machine": platform.platform(),
        "python": platform.python_version(),
        "engines": {},
    }
    began = time.monotonic()
    with Progress(*BARS, console=console, refresh_per_second=2) as progress:
        for name in names:
            seconds = minutes * 60 / len(names)
            task = progress.add_task("", engine=name, total=1)
            (folder / name).mkdir(mode=0o755)

            def tell(what: str, task: Any = task, name: str = name) -> None:
                progress.update(task, description=what)
                if not console.is_terminal:
                    console.print(f"{time.monotonic() - began:6.0f} s  {name}: {what}")

            try:
                told = soaked(name, folder / name, seconds, seed, tell, (races, tries - tries % 4), calm=calm)
            except Exception as error:  # noqa: BLE001 - the other engines go on
                console.print_exception()
                told = {"faults": [f"{type(error).__name__}: {error}"], "bad days": []}
            report["engines"][name] = told
            progress.update(task, completed=1, description="done")
            if path is not None:
                path.write_text(json.dumps(report, indent=2) + "\n")
    _show(console, report)
    if not keep:
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(1 if any(map(_failed, report["engines"].values())) else 0)


def _known(names: list[str]) -> list[str]:
    unknown = [name for name in names if name not in ENGINES]
    if unknown:
        raise click.BadParameter(f"no engine {unknown[0]}; there are {', '.join(ENGINES)}")
    return names


def _failed(told: dict[str, Any]) -> bool:
    races = [
        set(race["winners"]) != {"1"} or set(race["others"]) - {"400"}
        for race in told.get("races", {}).values()
    ]
    return bool(told["faults"]) or any(races)


def _show(console: Console, report: dict[str, Any]) -> None:
    table = Table(*COLUMNS)
    ended = {name: told for name, told in report["engines"].items() if "answers" in told}
    for name, told in ended.items():
        counts: dict[str, int] = {}
        for statuses in told["answers"].values():
            for status, count in statuses.items():
                counts[status] = counts.get(status, 0) + count
        slowest = max((max(day["recovered after"].values()) for day in told["bad days"]), default=0)
        table.add_row(
            name,
            *map(str, (told["requests"], sum(told["acknowledged"].values()))),
            *map(str, (told["lost"] + told["revocations lost"], told["doubled"], told["outcomes unknown"])),
            *(str(counts.get(status, 0)) for status in ("503", "none", "500")),
            *map(str, (slowest, told["milliseconds"]["99 %"])),
        )
    console.print(table)
    for name, told in report["engines"].items():
        for day in told["bad days"]:
            console.print(
                f"{name}: {day['day']}: recovered after {day['recovered after']}, not answered {day['not answered']}"
            )
        for kind, race in told.get("races", {}).items():
            console.print(f"{name}: races for {kind}: {race}")
        for process, weights in told.get("MiB", {}).items():
            console.print(f"{name}: MiB of {process}: {weights}")
        for fault in told["faults"][:30]:
            console.print(f"[red]{name}: {fault}[/red]", highlight=False)


if __name__ == "__main__":
    main()
