"""How long threads that write wait for each other on SQLite: `bench/waits.py --threads 16 --seconds 5`.

Each thread applies plans of one access token, one after another, and times each. All threads share one store, as the
threads of one process do; a plan has been synced when `apply` returns.
"""

from __future__ import annotations

import argparse
import secrets
import statistics
import tempfile
import threading
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from portula.plugin import CORE_RECORDS, AccessToken, Plan
from portula_storage_sql import migrate
from portula_storage_sql.engine import make_engine
from portula_storage_sql.store import SqlStore


def write(store: SqlStore, until: float, waits: list[float]) -> None:
    """Apply plans until a time, and note the milliseconds of each."""
    while (begun := time.perf_counter()) < until:
        plan = Plan()
        digest = secrets.token_hex(16)
        plan.add(AccessToken(digest=digest, client_id="bench", scope="", issued_at=1, expires_at=2))
        store.apply(plan)
        waits.append((time.perf_counter() - begun) * 1000)


def measure(threads: int, seconds: float) -> list[float]:
    """Return how long each write took, in milliseconds, in order."""
    with tempfile.TemporaryDirectory() as folder:
        store = SqlStore(make_engine(f"sqlite:///{Path(folder) / 'bench.sqlite3'}"), CORE_RECORDS)
        migrate.upgrade(store.engine, CORE_RECORDS)
        until, waits = time.perf_counter() + seconds, [list[float]() for _ in range(threads)]
        running = [threading.Thread(target=write, args=(store, until, mine)) for mine in waits]
        for thread in running:
            thread.start()
        for thread in running:
            thread.join()
        store.close()
    return sorted(wait for mine in waits for wait in mine)


def main() -> None:
    """Print the figures for one thread and for many."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=5)
    options = parser.parse_args()
    table = Table("threads", "writes a second", "median ms", "99 % ms", "longest ms")
    for threads in (1, options.threads):
        waits = measure(threads, options.seconds)
        figures = (statistics.median(waits), waits[len(waits) * 99 // 100], waits[-1])
        table.add_row(
            str(threads), f"{len(waits) / options.seconds:.0f}", *(f"{figure:.1f}" for figure in figures)
        )
    Console().print(table)


if __name__ == "__main__":
    main()
