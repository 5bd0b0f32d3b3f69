"""What is true of plans that are applied at the same time; a part of `portula_testing.plans_contract`."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from portula.errors import Conflict, DuplicateRecord, RecordReplayed
from portula.plugin import AccessToken, Artifact, Grant, Plan, Store
from portula_testing.storage_samples import RECORDS, MakeStore, Sample, StoreFixtures, access_token, grant
from portula_testing.writing import add_to

THREADS = 20
ROUNDS = 10

Failure = RecordReplayed | Conflict | DuplicateRecord


class PlanRacesContract(StoreFixtures):
    """Plans of several threads on the same records."""

    @pytest.fixture
    def stores(self, make_store: MakeStore) -> list[Store]:
        """Return a store a thread; all are handles on the same data."""
        first = make_store(RECORDS)
        return [first, *(make_store(RECORDS) if self.shares else first for _ in range(THREADS - 1))]

    def race_plans(self, stores: list[Store], plan: Callable[[int, int], Plan]) -> list[list[Failure | None]]:
        """Apply the plans of all threads for each round at once; return how each ended, a list a round."""
        barrier = threading.Barrier(THREADS)

        def run(runner: int) -> list[Failure | None]:
            ends: list[Failure | None] = []
            for number in range(ROUNDS):
                made = plan(number, runner)
                barrier.wait(30)
                try:
                    stores[runner].apply(made)
                except (RecordReplayed, Conflict, DuplicateRecord) as error:
                    ends.append(error)
                except BaseException:
                    barrier.abort()  # so that nobody waits for this thread
                    raise
                else:
                    ends.append(None)
            return ends

        with ThreadPoolExecutor(THREADS) as pool:
            ends = list(pool.map(run, range(THREADS)))
        return [list(column) for column in zip(*ends, strict=True)]

    def test_of_racing_plans_that_take_one_record_exactly_one_is_applied(self, stores: list[Store]) -> None:
        for number in range(ROUNDS):
            add_to(stores[0], grant(f"{number}"))

        def redeem(number: int, runner: int) -> Plan:
            plan = Plan()
            plan.take(grant(f"{number}"), at=1 + runner)
            plan.add(access_token(f"{number}-{runner}"))
            return plan

        ends = self.race_plans(stores, redeem)
        assert [column.count(None) for column in ends] == [1] * ROUNDS
        for number, column in enumerate(ends):
            taken = grant(f"{number}", taken_at=1 + column.index(None))
            records = [end.record for end in column if isinstance(end, RecordReplayed)]
            assert records == [taken] * (THREADS - 1)
        tokens = stores[0].select(AccessToken, limit=1000)
        assert sorted(token.digest for token in tokens) == sorted(
            f"{number}-{column.index(None)}" for number, column in enumerate(ends)
        )

    def test_of_racing_plans_of_which_one_condition_cannot_hold_none_is_applied(
        self, stores: list[Store]
    ) -> None:
        add_to(stores[0], Sample(digest="other"))
        for number in range(ROUNDS):
            add_to(stores[0], grant(f"{number}"))

        def redeem(number: int, runner: int) -> Plan:
            plan = Plan()
            plan.add(access_token(f"{number}-{runner}"))
            plan.take(grant(f"{number}"), at=1 + runner)
            plan.change(Sample, "other", given={"number": number % 2}, label="x")
            return plan

        ends = self.race_plans(stores, redeem)
        assert [column.count(None) for column in ends] == [1, 0] * (ROUNDS // 2)
        taken = [code.digest for code in stores[0].select(Grant) if code.taken_at is not None]
        assert taken == [f"{number}" for number in range(0, ROUNDS, 2)]
        assert len(stores[0].select(AccessToken)) == ROUNDS // 2

    def test_what_is_added_under_a_condition_is_met_by_whoever_ends_it(self, stores: list[Store]) -> None:
        """Some set what is there already, a condition all the same; one ends it, and changes all that they added."""
        for number in range(ROUNDS):
            add_to(stores[0], Sample(digest=f"{number}"))

        def plan(number: int, runner: int) -> Plan:
            plan = Plan()
            if runner == number % THREADS:
                plan.change(Sample, f"{number}", given={"rank": None}, rank=1)
                plan.change_all(AccessToken, {"authorization": f"{number}", "revoked_at": None}, revoked_at=7)
            else:
                plan.change(Sample, f"{number}", given={"rank": None}, number=0)
                plan.add(replace(access_token(f"{number}-{runner}"), authorization=f"{number}"))
            return plan

        ends = self.race_plans(stores, plan)
        assert {type(end) for column in ends for end in column} <= {type(None), Conflict}
        assert [column[number % THREADS] for number, column in enumerate(ends)] == [None] * ROUNDS
        for number, column in enumerate(ends):
            tokens = stores[0].select(AccessToken, authorization=f"{number}")
            assert len(tokens) == column.count(None) - 1
            assert {token.revoked_at for token in tokens} <= {7}

    def test_no_change_is_lost(self, stores: list[Store]) -> None:
        """Each adds one to what it read, and reads again where another was faster."""
        add_to(stores[0], Sample(digest="counter"))

        stale: list[bool] = []

        def add_one(store: Store) -> None:
            while True:
                read = store.find(Sample, digest="counter")
                assert read is not None
                plan = Plan()
                plan.change(read, given={"number": read.number}, number=read.number + 1)
                try:
                    store.apply(plan)
                except Conflict as conflict:
                    stale.append(getattr(conflict.record, "number", -1) <= read.number)
                else:
                    return

        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(add_one, stores))
        counter = stores[0].find(Sample, digest="counter")
        assert counter is not None
        assert counter.number == THREADS
        assert not any(stale)

    def test_plans_on_the_same_records_in_opposite_order_all_succeed(self, stores: list[Store]) -> None:
        records = [
            *(access_token(f"{number}") for number in range(3)),
            *(Sample(digest=f"{number}", family="f") for number in range(3)),
            Artifact(digest="0", kind="k", payload={}, issued_at=1),
        ]
        filling = Plan()
        filling.extend(records)
        stores[0].apply(filling)

        def touch(number: int, runner: int) -> Plan:
            plan = Plan()
            for record in records if runner % 2 else records[::-1]:
                values: dict[str, Any] = {"number" if isinstance(record, Sample) else "issued_at": runner}
                plan.change(record, **values)
            if number % 2:
                plan.change_all(Sample, {"family": "f"}, rank=runner)
                plan.change_all(AccessToken, {"authorization": "authorization"}, revoked_at=runner)
            return plan

        assert self.race_plans(stores, touch) == [[None] * THREADS] * ROUNDS

    def test_of_racing_plans_that_add_one_key_exactly_one_is_applied(self, stores: list[Store]) -> None:
        add_to(stores[0], Sample(digest="total"))

        def add(number: int, runner: int) -> Plan:
            plan = Plan()
            plan.add(access_token(f"{number}-{runner}"))
            plan.add(Sample(digest=f"{number}-{runner}", alias=f"{number}"))
            return plan

        ends = self.race_plans(stores, add)
        assert [column.count(None) for column in ends] == [1] * ROUNDS
        assert {type(end) for column in ends for end in column} == {type(None), DuplicateRecord}
        assert len(stores[0].select(AccessToken, limit=1000)) == ROUNDS

    def test_a_few_keys_are_given_to_as_many(self, stores: list[Store]) -> None:
        """Each takes the first key that is free, and tries the next where another was faster."""
        places = THREADS // 4

        def claim(runner: int) -> bool:
            for number in range(places):
                plan = Plan()
                plan.add(access_token(f"{runner}"))
                plan.add(Sample(digest=f"place {number}"))
                try:
                    stores[runner].apply(plan)
                except DuplicateRecord:
                    continue
                return True
            return False

        with ThreadPoolExecutor(THREADS) as pool:
            assert sum(pool.map(claim, range(THREADS))) == places
        assert len(stores[0].select(Sample)) == len(stores[0].select(AccessToken)) == places

    def test_no_reader_sees_a_part_of_a_plan(self, stores: list[Store]) -> None:
        plan, done = Plan(), threading.Event()
        plan.extend(Sample(digest=f"{number}", family="f") for number in range(5))
        plan.add(Sample(digest="first", family="g"))
        stores[0].apply(plan)

        def write() -> None:
            for turn in range(1, 5 * ROUNDS):
                plan = Plan()
                for number in range(5):
                    plan.change(Sample, f"{number}", number=turn)
                plan.remove(Sample, family="g")
                plan.add(Sample(digest=f"turn {turn}", family="g"))
                stores[0].apply(plan)

        def read(store: Store) -> list[set[int]]:
            seen: list[set[int]] = []
            while not done.is_set():
                seen.append({sample.number for sample in store.select(Sample, family="f")})
                seen.append({len(store.select(Sample, family="g"))})
            return seen

        with ThreadPoolExecutor(4) as pool:
            readers = [pool.submit(read, store) for store in stores[1:4]]
            try:
                write()
            finally:
                done.set()
            found = [reader.result() for reader in readers]
        assert {len(numbers) for seen in found for numbers in seen[::2]} == {1}
        assert {count for seen in found for counts in seen[1::2] for count in counts} == {1}
