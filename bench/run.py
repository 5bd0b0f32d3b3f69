"""CPU time of whole HTTP servers, portula's and others, measured from outside: `make bench ARGS="--quick"`.

Servers run on one core, the client on another; what the database computes is told apart. bench/README.md explains the
table.
"""

from __future__ import annotations

import argparse
import json
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from measure import in_turn
from rich.console import Console
from rich.progress import Progress
from servers import report
from servers.cpu import LOAD_CORE, on_core
from servers.engines import ENGINES, Engine, EngineMissing
from servers.installing import install_node, install_python
from servers.measured import Case
from servers.process import Running, ServerFailed, free_port, fresh_folder, prepared, running
from servers.sides import SIDES, SQLITE, Place, Side
from servers.workloads import WORKLOADS, Workload

ROUNDS, QUICK_ROUNDS = 15, 2
BATCH, QUICK_BATCH = 30, 6
STARTS, QUICK_STARTS = 3, 1
WIDTH = 110
"""Characters of a line where no terminal says how many it has."""
CONNECTIONS_A_WORKER = 4
"""Where there are several workers, so that each of them has something to do."""


def options_of(words: Sequence[str] | None = None) -> argparse.Namespace:
    """Return what is asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--quick", action="store_true", help="few rounds of few: to see whether something broke"
    )
    parser.add_argument(
        "--peers", action="store_true", help="measure oidc-provider, Authlib, django-oauth-toolkit too"
    )
    parser.add_argument("--only", type=names, metavar="W1,W3", help="these workloads")
    parser.add_argument("--sides", type=names, metavar="NAME,…", help="these sides")
    parser.add_argument("--workers", type=int, default=1, help="processes of each server")
    parser.add_argument(
        "--connections", type=int, help=f"at once; 1, or {CONNECTIONS_A_WORKER} for each of several workers"
    )
    parser.add_argument("--rounds", type=int, help=f"{ROUNDS} unless told otherwise")
    parser.add_argument("--batch", type=int, help=f"operations of a round; {BATCH} unless told otherwise")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures of every round there")
    parser.add_argument(
        "--markdown", type=Path, metavar="FILE", help="write the table of docs/performance.md there"
    )
    options = parser.parse_args(words)
    options.rounds = options.rounds or (QUICK_ROUNDS if options.quick else ROUNDS)
    options.batch = options.batch or (QUICK_BATCH if options.quick else BATCH)
    several = CONNECTIONS_A_WORKER * options.workers if options.workers > 1 else 1
    options.connections = options.connections or several
    unknown = set(options.only or ()) - {each.key for each in WORKLOADS}
    unknown |= set(options.sides or ()) - {each.name for each in SIDES}
    if unknown:
        known = (*(each.key for each in WORKLOADS), *(each.name for each in SIDES))
        parser.error(f"{', '.join(sorted(unknown))}: not one of {', '.join(known)}")
    return options


def names(text: str) -> list[str]:
    """Read names between commas."""
    return [name.strip() for name in text.split(",") if name.strip()]


def chosen(options: argparse.Namespace, console: Console) -> tuple[list[Side], dict[str, Engine]]:
    """Return the sides that can take part, and their engines; say which cannot, and why."""
    wanted = [
        side
        for side in SIDES
        if (side.name in options.sides if options.sides else options.peers or not side.peer)
    ]
    engines: dict[str, Engine] = {}
    for name in dict.fromkeys(side.engine for side in wanted if side.engine != SQLITE):
        engine = ENGINES[name]()
        try:
            commits = engine.durability()
        except EngineMissing as error:
            warn(console, f"{name} is left out: {error}")
        else:
            engines[name] = engine
            console.print(f"{name} commits with {commits}", highlight=False, markup=False)
    return [side for side in wanted if side.engine == SQLITE or side.engine in engines], engines


def warn(console: Console, text: str) -> None:
    """Print what the table will lack."""
    console.print(text, style="yellow", highlight=False, markup=False)


def installed(sides: Sequence[Side], console: Console) -> list[Side]:
    """Install the peers among these; return those that could be."""
    peers = {side for side in sides if side.peer}
    missing: set[Side] = set()
    try:
        with console.status("installing what is measured beside"):
            if peers:
                missing = peers
                install_python()
                missing = {side for side in peers if side.name == report.RIVAL}
            if missing:
                install_node()
                missing = set()
    except ServerFailed as error:
        warn(console, f"{', '.join(side.name for side in missing)} left out: {error}")
    return [side for side in sides if side not in missing]


class Bench:
    """All servers, up until the end."""

    def __init__(self, options: argparse.Namespace, console: Console, stack: ExitStack) -> None:
        """Begin with none."""
        self.options, self.console, self._stack = options, console, stack
        self.root = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="portula-bench-")))
        self.servers: list[Running] = []
        self.starts: list[report.Start] = []

    def start(self, side: Side, engine: Engine | None) -> None:
        """Prepare a side, start it several times, and leave it running."""
        folder = fresh_folder(self.root, side)
        embedded = f"sqlite:///{folder}/bench.sqlite3"
        url = self._stack.enter_context(engine.place()) if engine else embedded
        place = Place(folder, free_port(), url, self.options.workers)
        site = prepared(side, place)
        begun = []
        for _ in range((QUICK_STARTS if self.options.quick else STARTS) - 1):
            with running(side, site, place) as server:
                begun.append((server.start_wall, server.start_cpu))
        server = self._stack.enter_context(running(side, site, place))
        begun.append((server.start_wall, server.start_cpu))
        wall, cpu = (statistics.median(column) for column in zip(*begun, strict=True))
        self.servers.append(server)
        self._stack.callback(self.tell_to_stop)
        self.starts.append(report.Start(side.name, wall, cpu, server.mib(), processes=len(server.pids)))

    def tell_to_stop(self) -> None:
        """Begin to end all servers at once; each takes a second to answer what was begun."""
        for server in self.servers:
            server.process.terminate()

    def measure(self, workloads: Sequence[Workload], engines: dict[str, Engine]) -> list[Case]:
        """Measure every workload on every server, in turn."""
        options = self.options
        cases = [
            Case(workload, server, engines.get(server.side.engine), options.batch, options.connections)
            for workload in workloads
            for server in self.servers
        ]
        with Progress(console=self.console, transient=True) as progress:
            task = progress.add_task("warming up", total=len(cases))
            for case in cases:
                case.warm_up()
                progress.advance(task)
            task = progress.add_task("measuring", total=len(cases) * options.rounds)

            def step(case: Case) -> Callable[[], None]:
                def run() -> None:
                    case.run()
                    progress.advance(task)

                return run

            for _ in in_turn(options.rounds if cases else 0, [step(case) for case in cases]):
                pass
        for start, server in zip(self.starts, self.servers, strict=True):
            start.mib_loaded = server.mib()
        return cases


def main(words: Sequence[str] | None = None) -> int:
    """Measure and print; return 1 when a server answered wrongly or did not start."""
    options, console = options_of(words), Console()
    if not console.is_terminal:
        console = Console(width=WIDTH)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that servers are ended
    sides, engines = chosen(options, console)
    sides = installed(sides, console)
    if not sides:
        warn(console, "Nothing is left to be measured.")
        return 2
    workloads = [each for each in WORKLOADS if not options.only or each.key in options.only]
    failures = []
    with ExitStack() as stack:
        stack.enter_context(on_core(LOAD_CORE))
        bench = Bench(options, console, stack)
        with Progress(console=console, transient=True) as progress:
            for side in progress.track(sides, description="starting"):
                try:
                    bench.start(side, engines.get(side.engine))
                except ServerFailed as error:
                    failures.append(str(error))
        cases = bench.measure(workloads, engines)
        commits = {name: engine.durability() for name, engine in engines.items()}
    rows = report.rows_of(cases)
    console.print(report.shown(rows), report.starts_shown(bench.starts))
    for side in sides:
        console.print(f"{side.name}: {side.what}", highlight=False)
    failures += [f"{row.workload} on {row.side}: {row.failure}" for row in rows if row.failure]
    for failure in failures:
        warn(console, failure)
    write(options, rows, bench.starts, cases, commits)
    return 1 if failures else 0


def write(
    options: argparse.Namespace,
    rows: Sequence[report.Row],
    starts: Sequence[report.Start],
    cases: Sequence[Case],
    commits: dict[str, dict[str, str]],
) -> None:
    """Write the files that were asked for."""
    if options.markdown:
        options.markdown.write_text(report.markdown(rows, starts) + "\n", encoding="utf-8")
    if options.json:
        given = {name: getattr(options, name) for name in ("rounds", "batch", "workers", "connections")}
        known = report.circumstances(commits, date=time.strftime("%Y-%m-%d"), **given)
        text = json.dumps(report.record(rows, starts, cases, known), indent=2)
        options.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("stopped; the servers were ended")
