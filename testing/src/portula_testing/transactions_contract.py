"""The contract of transactions and of single use; a part of `portula_testing.storage_contract`."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from portula.errors import DuplicateRecord, Replayed
from portula.plugin import AccessToken, Grant, Plan, Store
from portula_testing.storage_samples import (
    RECORDS,
    MakeStore,
    Sample,
    StoreFixtures,
    access_token,
    grant,
    in_thread,
)

THREADS = 8
RACES = 20


class TransactionContract(StoreFixtures):
    """What is true of the transactions of every storage."""

    # --- Transactions ---

    def test_a_transaction_commits_all(self, store: Store) -> None:
        with store.transaction():
            store.add(Sample(digest="1"))
            store.add(Sample(digest="2"))
            assert store.find(Sample, digest="1") is not None
        assert len(store.select(Sample)) == 2

    def test_an_exception_rolls_all_back(self, store: Store) -> None:
        store.add(Sample(digest="kept", label="old"))
        store.add(Sample(digest="removed", expires_at=1))

        def fail() -> None:
            with store.transaction():
                store.add(Sample(digest="new"))
                store.change(Sample, {"digest": "kept"}, label="new")
                store.take(Sample(digest="kept"), 5)
                assert store.purge(Sample, now=2, limit=1) == 1
                assert store.find(Sample, digest="removed") is None
                raise KeyError

        with pytest.raises(KeyError):
            fail()
        assert store.find(Sample, digest="new") is None
        assert store.find(Sample, digest="kept") == Sample(digest="kept", label="old")
        assert store.find(Sample, digest="removed") is not None
        store.add(Sample(digest="new"))
        assert in_thread(lambda: store.find(Sample, digest="new")) is not None

    def test_a_nested_transaction_joins_the_outermost(self, store: Store) -> None:
        def fail() -> None:
            with store.transaction():
                with store.transaction():
                    store.add(Sample(digest="inner"))
                assert in_thread(lambda: store.find(Sample, digest="inner")) is None
                raise KeyError

        with pytest.raises(KeyError):
            fail()
        assert store.find(Sample, digest="inner") is None
        with store.transaction(), store.transaction():
            store.add(Sample(digest="both"))
        assert in_thread(lambda: store.find(Sample, digest="both")) is not None

    def test_a_failed_nested_transaction_cannot_be_half_kept(self, store: Store) -> None:
        def fail_within() -> None:
            with store.transaction():
                store.add(Sample(digest="inner"))
                raise KeyError

        def swallow() -> None:
            with store.transaction():
                store.add(Sample(digest="outer"))
                with pytest.raises(KeyError):
                    fail_within()
                assert store.find(Sample, digest="outer") is None
                with pytest.raises(RuntimeError):
                    store.add(Sample(digest="later"))

        with pytest.raises(RuntimeError):
            swallow()
        assert store.select(Sample) == []
        store.add(Sample(digest="outer"))

    def test_a_transaction_begins_with_its_first_write(self, store: Store) -> None:
        with store.transaction():
            assert store.find(Sample, digest="d") is None
            in_thread(lambda: store.add(Sample(digest="d")))
            assert store.find(Sample, digest="d") is not None
            store.add(Sample(digest="e"))
        assert store.find(Sample, digest="e") is not None

    def test_other_threads_do_not_see_what_is_not_committed(self, store: Store) -> None:
        store.add(Sample(digest="old", family="f"))
        with store.transaction():
            store.add(Sample(digest="new", family="f"))
            store.change(Sample, {"digest": "old"}, number=1)
            assert in_thread(lambda: store.select(Sample, family="f")) == [Sample(digest="old", family="f")]
            assert len(store.select(Sample, family="f")) == 2
        assert len(in_thread(lambda: store.select(Sample, family="f"))) == 2

    def test_a_transaction_belongs_to_its_thread(self, store: Store) -> None:
        entered, leave = threading.Event(), threading.Event()

        def hold() -> None:
            with store.transaction():
                entered.set()
                leave.wait(30)

        with ThreadPoolExecutor(1) as pool:
            held = pool.submit(hold)
            entered.wait(30)
            store.add(Sample(digest="mine"))
            assert in_thread(lambda: store.find(Sample, digest="mine")) is not None
            leave.set()
            held.result()

    def test_a_plan_joins_the_transaction_around_it(self, store: Store) -> None:
        plan, code = Plan(), grant("code")
        plan.take(code, at=5)
        store.add(code)

        def fail() -> None:
            with store.transaction():
                store.add(Sample(digest="outer"))
                store.apply(plan)
                assert in_thread(lambda: store.find(Grant, digest="code")) == code
                raise KeyError

        def swallow() -> None:
            with store.transaction():
                store.add(Sample(digest="outer"))
                with pytest.raises(Replayed) as replayed:
                    store.apply(plan)
                assert replayed.value.record == grant("code", taken_at=5)
                with pytest.raises(RuntimeError):
                    store.apply(plan)

        with pytest.raises(KeyError):
            fail()
        assert store.find(Grant, digest="code") == code
        with store.transaction():
            store.apply(plan)
        with pytest.raises(RuntimeError):
            swallow()
        assert store.find(Grant, digest="code") == grant("code", taken_at=5)
        assert store.select(Sample) == []

    # --- Single use ---

    def test_a_record_is_taken_once(self, store: Store) -> None:
        code = grant("code", code_challenge="c")
        store.add(code)
        store.take(code, 100)
        with pytest.raises(Replayed) as replayed:
            store.take(code, 200)
        assert replayed.value.record == dataclasses.replace(code, taken_at=100)
        assert store.find(Grant, digest="code") == dataclasses.replace(code, taken_at=100)

    def test_replayed_carries_the_record_as_it_stands(self, store: Store) -> None:
        code = grant("code")
        store.add(code)
        store.take(code, 100)
        store.change(Grant, {"digest": "code"}, scope="changed")
        with pytest.raises(Replayed) as replayed:
            store.take(code, 200)
        assert replayed.value.record == dataclasses.replace(code, taken_at=100, scope="changed")

    def test_a_record_that_is_gone_counts_as_replayed(self, store: Store) -> None:
        code = grant("code")
        with pytest.raises(Replayed) as replayed:
            store.take(code, 100)
        assert replayed.value.record == code

    def test_taken_at_zero_is_taken(self, store: Store) -> None:
        store.add(grant("code"))
        store.take(grant("code"), 0)
        with pytest.raises(Replayed):
            store.take(grant("code"), 1)

    def test_what_has_no_taken_at_cannot_be_taken(self, store: Store) -> None:
        with pytest.raises(ValueError, match="taken_at"):
            store.take(access_token("a"), 1)

    def test_a_take_that_was_rolled_back_is_free_again(self, store: Store) -> None:
        code = grant("code")
        store.add(code)

        def fail() -> None:
            with store.transaction():
                store.take(code, 100)
                store.add(access_token("token"))
                raise KeyError

        with pytest.raises(KeyError):
            fail()
        assert store.find(AccessToken, digest="token") is None
        store.take(code, 200)
        assert store.find(Grant, digest="code") == dataclasses.replace(code, taken_at=200)

    def test_replayed_rolls_its_transaction_back(self, store: Store) -> None:
        code = grant("code", taken_at=1)
        store.add(code)

        def redeem() -> None:
            with store.transaction():
                store.add(access_token("token"))
                store.take(code, 100)

        with pytest.raises(Replayed):
            redeem()
        assert store.find(AccessToken, digest="token") is None
        with store.transaction():
            assert store.change(AccessToken, {"authorization": "authorization"}, revoked_at=100) == 0

    # --- Races ---

    def race(self, make_store: MakeStore, use: Callable[[Store, Grant, int], None]) -> list[int]:
        """Let all threads use the same codes in the same order; return how often each use succeeded."""
        stores = [make_store(RECORDS)]
        stores += [make_store(RECORDS) if self.shares else stores[0] for _ in range(THREADS - 1)]
        codes = [grant(f"code-{number}") for number in range(RACES)]
        for code in codes:
            stores[0].add(code)
        barrier = threading.Barrier(THREADS)

        def run(runner: int) -> list[bool]:
            won: list[bool] = []
            for code in codes:
                barrier.wait(30)
                with _replays(won):
                    use(stores[runner], code, runner)
            return won

        with ThreadPoolExecutor(THREADS) as pool:
            results = list(pool.map(run, range(THREADS)))
        return [sum(column) for column in zip(*results, strict=True)]

    def test_of_racing_takes_exactly_one_succeeds(self, make_store: MakeStore) -> None:
        assert self.race(make_store, lambda store, code, runner: store.take(code, 1 + runner)) == [1] * RACES

    def test_of_racing_redemptions_exactly_one_issues(self, make_store: MakeStore) -> None:
        def redeem(store: Store, code: Grant, runner: int) -> None:
            with store.transaction():
                store.take(code, 1 + runner)
                store.add(access_token(f"{code.digest}-{runner}"))

        assert self.race(make_store, redeem) == [1] * RACES
        if self.shares:
            assert len(make_store(RECORDS).select(AccessToken, authorization="authorization")) == RACES

    def test_racing_adds_of_one_key_keep_one(self, make_store: MakeStore) -> None:
        def save(store: Store, code: Grant, runner: int) -> None:
            with store.transaction():
                store.add(Sample(digest=f"{code.digest}-{runner}", alias=code.digest))

        assert self.race(make_store, save) == [1] * RACES


@contextmanager
def _replays(won: list[bool]) -> Iterator[None]:
    """Note whether what runs within was the first."""
    try:
        yield
    except (Replayed, DuplicateRecord):
        won.append(False)
    else:
        won.append(True)
