"""What an operation costs when there is much of everything: `.venv/bin/python bench/growth.py`.

CPU time of this process and, on PostgreSQL, of the backends beside it (`/proc/…/schedstat`, so the server has to be on
this machine). Every figure stands beside that of the same operation where there is nothing, measured in turns with it.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compare import server_seconds
from growth_filling import fill_clients, fill_tokens, load_person
from growth_people import Person
from measure import in_turn, sent_json
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from sqlalchemy import Engine, func, select
from start import plugins
from workloads import POSTGRESQL, Deployment, database

from portula.plugin import revoke_person
from portula_storage_sql.engine import make_engine

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

BATCH = 20
ROUNDS = 15
ROWS = (100_000, 1_000_000)
CLIENTS = 100_000
TOKENS, CONSENTS = 5_000, 500
REFRESHES = 1_500
NOTHING = "none"
STORAGES = ("SQLite", "PostgreSQL")

Send = Callable[[], object]
Make = Callable[[], Sequence[Send]]
"""Makes a batch of requests that were never sent before."""


@dataclass
class Case:
    """An operation with much, or nothing, of something."""

    scenario: str
    storage: str
    operation: str
    variant: str
    make: Make
    admin: Engine | None
    taken: list[float] = field(default_factory=list)

    def run(self) -> None:
        """Measure one batch: CPU milliseconds a request, of process and database server together."""
        sends = self.make()
        gc.collect()
        gc.freeze()
        there, here = server_seconds(self.admin), time.process_time()
        for send in sends:
            send()
        spent = time.process_time() - here + server_seconds(self.admin) - there
        self.taken.append(spent * 1000 / len(sends))


class Bench:
    """Deployments of each storage, and what was measured on them."""

    def __init__(self, stack: ExitStack, options: argparse.Namespace, progress: Progress) -> None:
        """Begin with none."""
        self.stack, self.options, self.progress = stack, options, progress
        self.address = os.environ.get(POSTGRESQL)
        known = STORAGES if self.address else STORAGES[:1]
        self.storages = [storage for storage in known if options.storage in {None, storage}]
        self.cases: list[Case] = []
        self.facts: dict[str, dict[str, dict[str, float]]] = {}

    def deployment(self, storage: str, *more: object) -> tuple[Deployment, Engine | None]:
        """Start a provider on a database of its own; return what sees the server's work as well."""
        folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory(prefix="portula-bench-")))
        settings: dict[str, Any] = {"DELIVERY_THREADS": 0}
        url = None
        if storage == "PostgreSQL" and self.address is not None:
            url = settings["DATABASE_URL"] = self.stack.enter_context(database(self.address))
        made = Deployment(storage, folder, more, settings)
        self.stack.callback(made.provider.stores["storage_sql"].close)  # type: ignore[attr-defined]
        return made, make_engine(url) if url else None

    def add(
        self, scenario: str, variant: str, where: tuple[Deployment, Engine | None], makes: Mapping[str, Make]
    ) -> None:
        """Have operations measured."""
        made, admin = where
        self.cases += [
            Case(scenario, made.storage, operation, variant, make, admin) for operation, make in makes.items()
        ]

    def note(self, scenario: str, storage: str, **facts: float) -> None:
        """Keep figures that are no times a request."""
        self.facts.setdefault(scenario, {}).setdefault(storage, {}).update(facts)

    def measure(self) -> None:
        """Measure all cases in turns; the first round warms up."""
        task = self.progress.add_task("measuring", total=self.options.rounds + 1)
        for done in in_turn(self.options.rounds + 1, [case.run for case in self.cases]):
            if done == 1:
                for case in self.cases:
                    case.taken.clear()
            self.progress.advance(task)


def requests_of(made: Deployment, person: Person) -> dict[str, Make]:
    """Return what the app of a person asks of the machine endpoints."""

    def make(request: Callable[[], WSGIEnvironment]) -> Sequence[Send]:
        return [partial(sent_json, made.doors["fast"], request()) for _ in range(BATCH)]

    return {name: partial(make, request) for name, request in person.requests.items()}


def pages_of(person: Person) -> dict[str, Make]:
    """Return what a person does in a browser."""
    return {
        name: lambda send=send: [send] * (BATCH // 2)  # type: ignore[misc]
        for name, send in person.pages.items()
    }


def rows(bench: Bench) -> None:
    """Access tokens and authorizations of others."""
    for storage in bench.storages:
        for count in (0, *bench.options.rows):
            made, admin = bench.deployment(storage)
            if count:
                fill_tokens(made, count, bench.progress)
            variant = f"{count:,} tokens" if count else NOTHING
            ann = Person(made, "ann")
            operations = {**requests_of(made, ann), **pages_of(ann)}
            bench.add("rows", variant, (made, admin), operations)


def clients(bench: Bench) -> None:
    """Clients that somebody registered."""
    for storage in bench.storages:
        for count in (0, bench.options.clients):
            made, admin = bench.deployment(storage)
            if count:
                fill_clients(made, count, bench.progress)
            variant = f"{count:,} clients" if count else NOTHING
            bench.add("clients", variant, (made, admin), requests_of(made, Person(made, "ann")))


def person(bench: Bench) -> None:
    """One person with very many live tokens and consents, beside one with none."""
    for storage in bench.storages:
        made, admin = bench.deployment(storage)
        few, many = Person(made, "few"), Person(made, "many")
        load_person(made, many.subject, TOKENS, CONSENTS, bench.progress)
        bench.add("person", NOTHING, (made, admin), pages_of(few))
        bench.add("person", f"{TOKENS:,} tokens, {CONSENTS} consents", (made, admin), pages_of(many))


def revoked(bench: Bench) -> None:
    """Revoke everything of a person: what one of their authorizations costs, of few and of many."""
    for storage in bench.storages:
        made, admin = bench.deployment(storage)
        for number in (50, TOKENS):
            subject = f"person of {number}"
            load_person(made, subject, number, 0, bench.progress)
            there, here = server_seconds(admin), time.process_time()
            revoke_person(made.provider, subject)
            spent = time.process_time() - here + server_seconds(admin) - there
            bench.note("revoke all", storage, **{f"ms, {number:,} authorizations": spent * 1000})


def refreshes(bench: Bench) -> None:
    """One authorization that was refreshed very often, beside fresh ones."""
    for storage in bench.storages:
        made, admin = bench.deployment(storage)
        ann = Person(made, "ann")
        before = _rows_of(made)
        old = [str(ann.tokens()["refresh_token"])]
        task = bench.progress.add_task(f"refreshing ({storage})", total=REFRESHES)
        for _ in range(REFRESHES):
            old.append(ann.refreshed(old.pop()))
            bench.progress.advance(task)
        bench.note("refreshes", storage, **_grown(before, _rows_of(made)))

        def again(old: list[str] = old, ann: Person = ann) -> None:
            old.append(ann.refreshed(old.pop()))

        def fresh(ann: Person = ann) -> Sequence[Send]:
            return [partial(ann.refreshed, str(ann.tokens()["refresh_token"])) for _ in range(BATCH)]

        bench.add("refreshes", NOTHING, (made, admin), {"refresh": fresh})
        bench.add(
            "refreshes",
            f"after {REFRESHES:,}",
            (made, admin),
            {"refresh": lambda again=again: [again] * BATCH},  # type: ignore[misc]
        )


def idle_plugins(bench: Bench) -> None:
    """Plugins of which a request hears nothing."""
    for storage in bench.storages:
        for kind in ("none", "bystanders"):
            where = bench.deployment(storage, *plugins(kind))
            variant = NOTHING if kind == "none" else "200 idle"
            bench.add("plugins", variant, where, requests_of(where[0], Person(where[0], "ann")))


SCENARIOS: dict[str, Callable[[Bench], None]] = {
    "rows": rows,
    "clients": clients,
    "person": person,
    "refreshes": refreshes,
    "plugins": idle_plugins,
    "revoke": revoked,
}


def _rows_of(made: Deployment) -> dict[str, float]:
    """Count the rows of each table, and the bytes of a SQLite database."""
    store: Any = made.provider.stores["storage_sql"]
    with store.engine.connect() as connection:
        found: dict[str, float] = {
            record.name: connection.execute(
                select(func.count()).select_from(store.statements(record.cls).table)
            ).scalar_one()
            for record in store.records
        }
        if made.storage == "SQLite":
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
            found["KiB of the file"] = (
                pages * connection.exec_driver_sql("PRAGMA page_size").scalar_one() // 1024
            )
    return found


def _grown(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    return {name: after[name] - before[name] for name in after if after[name] != before[name]}


def report_of(bench: Bench) -> list[dict[str, Any]]:
    """Return the medians, each with the median of its rounds' ratios to nothing."""
    plain = {
        (case.scenario, case.storage, case.operation): case for case in bench.cases if case.variant == NOTHING
    }
    found = []
    for case in bench.cases:
        beside = plain[case.scenario, case.storage, case.operation].taken
        ratios = [one / other for one, other in zip(case.taken, beside, strict=True)]
        found.append(
            {
                **{name: getattr(case, name) for name in ("scenario", "storage", "operation", "variant")},
                "ms": statistics.median(case.taken),
                "ratio": statistics.median(ratios),
            }
        )
    return found


def show(console: Console, report: Sequence[Mapping[str, Any]], facts: Mapping[str, Any]) -> None:
    """Print a table a scenario, and the other facts."""
    for scenario in dict.fromkeys(row["scenario"] for row in report):
        rows_ = [row for row in report if row["scenario"] == scenario]
        variants = list(dict.fromkeys(row["variant"] for row in rows_))
        table = Table(
            "operation", "storage", *variants, title=f"{scenario}: CPU ms a request, x none", box=None
        )
        for operation, storage in dict.fromkeys((row["operation"], row["storage"]) for row in rows_):
            cells = {
                row["variant"]: row
                for row in rows_
                if (row["operation"], row["storage"]) == (operation, storage)
            }
            shown = [f"{cells[name]['ms']:.3f} (x{cells[name]['ratio']:.2f})" for name in variants]
            table.add_row(operation, storage, *shown)
        console.print(table)
    for scenario, by_storage in facts.items():
        for storage, figures in by_storage.items():
            console.print(f"{scenario}, {storage}: " + ", ".join(f"{k} {v:,.0f}" for k, v in figures.items()))


def main() -> None:
    """Fill, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenarios", nargs="*", help="which; all unless named")
    parser.add_argument("--rows", type=int, nargs="+", default=ROWS, help="tokens, up to 10_000_000")
    parser.add_argument("--clients", type=int, default=CLIENTS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--storage", choices=STORAGES, help="one alone")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    options = parser.parse_args()
    console = Console(highlight=False)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    report: list[dict[str, Any]] = []
    facts: dict[str, Any] = {}
    for name in options.scenarios or SCENARIOS:
        with (
            ExitStack() as stack,
            Progress(*columns, console=Console(stderr=True), transient=True) as progress,
        ):
            bench = Bench(stack, options, progress)
            SCENARIOS[name](bench)
            if bench.cases:
                bench.measure()
            report += report_of(bench)
            facts |= bench.facts
    show(console, report, facts)
    if options.json:
        options.json.write_text(json.dumps({"figures": report, "facts": facts}, indent=2) + "\n")


if __name__ == "__main__":
    main()
