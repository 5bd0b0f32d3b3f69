"""Threads that write to SQLite at the same time share a commit, and each hears of its own plan."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from portula.errors import Conflict, DuplicateRecord, StorageDown
from portula.plugin import Plan, plan_to_add
from portula_storage_sql import engine as engines
from portula_storage_sql import migrate
from portula_storage_sql.engine import make_engine
from portula_storage_sql.store import SqlStore
from portula_testing.storage_samples import RECORDS, Sample
from portula_testing.writing import add_to


class World:
    """A store, and another connection that holds the file while plans gather."""

    def __init__(self, file: Path) -> None:
        self.file, self.sent = file, []
        self.store = SqlStore(make_engine(f"sqlite:///{file}"), RECORDS)
        self.pages: int | None = None
        event.listen(self.store.engine, "connect", self._connected)
        migrate.upgrade(self.store.engine, RECORDS)
        self.store.close()

    def _connected(self, driver: Any, _: object) -> None:
        driver.set_trace_callback(self.sent.append)
        if self.pages is not None:
            driver.execute(f"PRAGMA max_page_count={self.pages}")

    def together(self, plans: Sequence[Plan], to_the_end: bool = False) -> list[Future[Any]]:
        """Apply the first plan while the file is locked, and the others while it waits; or all while it stays so."""
        other = sqlite3.connect(self.file, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        futures = []
        with ThreadPoolExecutor(len(plans)) as pool:
            for number, plan in enumerate(plans):
                futures.append(pool.submit(self.store.apply, plan))
                if not to_the_end:
                    self._wait_for(number + 1)
            if to_the_end:
                wait(futures, 30)
            other.execute("ROLLBACK")
        other.close()
        return futures

    def _wait_for(self, number: int) -> None:
        queue, deadline = self.store._plans._combining._queue, time.monotonic() + 30  # type: ignore[union-attr]
        while len(queue.waiting) < number:
            assert time.monotonic() < deadline
            time.sleep(0.001)

    @property
    def commits(self) -> int:
        return sum(statement.startswith("COMMIT") for statement in self.sent)

    @property
    def found(self) -> list[str]:
        return [sample.digest for sample in self.store.select(Sample)]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path / "combined.sqlite3")
    yield made
    made.store.close()


def pair(name: str, **fields: Any) -> Plan:
    """Make a plan of two statements."""
    return plan_to_add(Sample(digest=f"{name}-1", **fields), Sample(digest=f"{name}-2"))


def test_plans_that_wait_are_committed_at_once(world: World) -> None:
    world.sent.clear()
    futures = world.together([pair(str(number)) for number in range(8)])
    assert [future.result() for future in futures] == [{}] * 8
    assert world.commits == 2
    assert len(world.found) == 16


def test_a_plan_that_fails_hurts_no_other(world: World) -> None:
    add_to(world.store, Sample(digest="known"))
    unmet = pair("unmet")
    unmet.change(Sample, "known", given={"number": 1}, number=2)
    met = Plan()
    counted = met.change_all(Sample, {"digest": "known"}, number=5)
    plans = [
        pair("a"),
        pair("b"),
        plan_to_add(Sample(digest="c-1"), Sample(digest="known")),
        unmet,
        plan_to_add(Sample(digest="d", payload={"not": object()})),
        met,
        pair("e"),
    ]
    world.sent.clear()
    futures = world.together(plans)
    ends = [future.exception() for future in futures]
    assert [type(end) for end in ends] == [
        type(None),
        type(None),
        DuplicateRecord,
        Conflict,
        TypeError,
        type(None),
        type(None),
    ]
    assert futures[5].result() == {counted: 1}
    assert world.found == ["a-1", "a-2", "b-1", "b-2", "e-1", "e-2", "known"]
    assert world.commits == 2


def test_where_the_disk_is_full_the_others_are_kept(world: World) -> None:
    with closing(sqlite3.connect(world.file)) as connection:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
    world.pages = pages + 50
    futures = world.together([pair("a"), pair("b"), pair("big", note="x" * 1_000_000), pair("c")])
    ends = [future.exception() for future in futures]
    assert [type(end) for end in ends] == [type(None), type(None), StorageDown, type(None)]
    assert "full" in str(ends[2])
    assert world.found == ["a-1", "a-2", "b-1", "b-2", "c-1", "c-2"]


def test_where_the_file_stays_locked_each_plan_fails(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "BUSY_SECONDS", 0.2)
    impatient = World(world.file)
    futures = impatient.together([pair(str(number)) for number in range(4)], to_the_end=True)
    assert [type(future.exception()) for future in futures] == [StorageDown] * 4
    assert impatient.found == []
    add_to(impatient.store, Sample(digest="later"))
    assert impatient.found == ["later"]
    impatient.store.close()


class Interrupting(dict[str, Any]):
    """What ends the thread that writes it down."""

    def items(self) -> Any:
        raise KeyboardInterrupt


def test_nobody_waits_for_a_thread_that_was_interrupted(world: World) -> None:
    broken = plan_to_add(Sample(digest="broken", payload=Interrupting(a=1)))
    futures = world.together([pair("a"), pair("b"), broken, pair("c")])
    ends = [type(future.exception()) for future in futures]
    assert ends == [type(None), KeyboardInterrupt, RuntimeError, RuntimeError]
    add_to(world.store, Sample(digest="later"))
    assert world.found == ["a-1", "a-2", "later"]


def test_many_threads_are_all_served(world: World) -> None:
    """More than one transaction takes."""
    ready = threading.Barrier(80)

    def write(number: int) -> None:
        ready.wait(30)
        for turn in range(3):
            world.store.apply(pair(f"{number}-{turn}"))

    with ThreadPoolExecutor(80) as pool:
        list(pool.map(write, range(80)))
    assert len(world.store.select(Sample, limit=1000)) == 480
