"""The contract of plans; a part of `portula_testing.storage_contract`."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from portula.errors import Conflict, RecordReplayed
from portula.plugin import AccessToken, Grant, Plan, Store
from portula_testing.plan_races_contract import PlanRacesContract
from portula_testing.plan_samples import (
    FAILURES,
    MISTAKES,
    Planning,
    attempt,
    everything,
    prepare,
    redemption,
)
from portula_testing.storage_samples import Sample, access_token, grant
from portula_testing.writing import change_in


class PlanContract(PlanRacesContract):
    """What is true of the plans of every storage."""

    @pytest.fixture
    def filled_store(self, store: Store) -> Store:
        """Return a store with a few records."""
        prepare(store)
        return store

    # --- Whole or not at all ---

    def test_a_plan_is_applied_whole(self, filled_store: Store) -> None:
        filled_store.apply(redemption())
        revoked = [dataclasses.replace(access_token(name), revoked_at=7) for name in ("old", "older")]
        assert everything(filled_store) == [
            [grant("code", taken_at=7), grant("taken", taken_at=3, code_challenge="c")],
            [access_token("new"), *revoked],
            [
                Sample(digest="a", number=1, label="label", family="f", alias="alias"),
                Sample(digest="b", number=2, family="f", names=("y",), payload={"b": [1]}),
            ],
        ]

    @pytest.mark.parametrize("first", [False, True])
    def test_a_plan_that_fails_changes_nothing(self, filled_store: Store, first: bool) -> None:
        before = everything(filled_store)
        for reason, (error, part) in FAILURES.items():
            plan = Plan()
            if first:
                part(plan)
            plan.extend(redemption())
            if not first:
                part(plan)
            raised = attempt(filled_store, plan)
            assert isinstance(raised, error), f"{reason}: {raised!r}"
            assert everything(filled_store) == before, reason
        filled_store.apply(redemption())

    def test_what_no_store_keeps_is_refused_by_field_name(self, filled_store: Store) -> None:
        before = everything(filled_store)
        for mistake, (name, part) in MISTAKES.items():
            plan = redemption()
            part(plan)
            plan.take(grant("taken"), at=9)
            raised = attempt(filled_store, plan)
            assert isinstance(raised, ValueError), f"{mistake}: {raised!r}"
            assert name in str(raised), mistake
            assert everything(filled_store) == before, mistake

    def test_an_empty_plan_changes_nothing(self, filled_store: Store) -> None:
        before = everything(filled_store)
        assert filled_store.apply(Plan()) == {}
        assert everything(filled_store) == before

    def test_a_plan_may_be_long(self, store: Store) -> None:
        store.apply(planned_samples(300))
        plan = Plan()
        for number in range(300):
            plan.change(Sample, f"{number:03}", given={"number": number}, number=number + 1)
        store.apply(plan)
        found = store.select(Sample, limit=301)
        assert [sample.number for sample in found] == [*range(1, 301)]
        plan.change(Sample, "000", given={"number": 1}, number=1)
        plan.change(Sample, "gone", number=1)
        with pytest.raises(Conflict):
            store.apply(plan)
        assert store.select(Sample, limit=301) == found

    # --- What the parts that may meet any number of records do ---

    def test_apply_says_how_many_each_part_met(self, filled_store: Store) -> None:
        plan = redemption()
        ended = plan.change_all(AccessToken, {"digest": ("old", "gone")}, scope="less")
        none = plan.change_all(Sample, {"family": "none"}, number=3)
        removed = plan.remove(Sample, digest=("a", "b", "gone"))
        counts = filled_store.apply(plan)
        assert (counts[ended], counts[none], counts[removed]) == (1, 0, 2)
        assert sorted(counts.values()) == [0, 1, 1, 2, 2]

    def test_what_has_the_value_already_is_met(self, filled_store: Store) -> None:
        plan = Plan()
        plan.change(Sample, "a", number=1, label="label")
        plan.change(Sample, "b", number=1)
        met = plan.change_all(AccessToken, {"digest": ("old", "older")}, scope="read")
        assert filled_store.apply(plan) == {met: 2}
        plan = Plan()
        plan.change(Sample, "a", number=1)
        met = plan.change_all(AccessToken, {"digest": "old"}, scope="read")
        assert filled_store.apply(plan) == {met: 1}

    def test_what_a_plan_adds_is_met_by_none_of_its_parts(self, filled_store: Store) -> None:
        plan = Plan()
        plan.add(Sample(digest="new", family="f"))
        changed = plan.change_all(Sample, {"family": "f"}, number=5)
        removed = plan.remove(Sample, family="g")
        plan.add(Sample(digest="newer", family="g"))
        counts = filled_store.apply(plan)
        assert (counts[changed], counts[removed]) == (2, 1)
        assert filled_store.find(Sample, digest="new") == Sample(digest="new", family="f")
        assert filled_store.find(Sample, digest="newer") is not None

    def test_parts_take_effect_in_the_order_of_kinds(self, filled_store: Store) -> None:
        plan = Plan()
        removed = plan.remove(Sample, family="h")
        first = plan.change_all(Sample, {"family": "g"}, family="h", rank=1)
        second = plan.change_all(Sample, {"digest": "b", "number": 7}, rank=2)
        plan.change(Sample, "a", family="g")
        plan.change(Sample, "b", number=7)
        counts = filled_store.apply(plan)
        assert (counts[removed], counts[first], counts[second]) == (2, 2, 1)
        assert [(sample.digest, sample.rank) for sample in filled_store.select(Sample)] == [("b", 2)]

    def test_a_record_may_make_place_for_another(self, filled_store: Store) -> None:
        plan = Plan()
        plan.add(Sample(digest="a", number=9))
        plan.add(Sample(digest="d", alias="alias"))
        plan.remove(Sample, digest="a")
        filled_store.apply(plan)
        assert filled_store.find(Sample, digest="a") == Sample(digest="a", number=9)
        assert filled_store.find(Sample, alias="alias") == Sample(digest="d", alias="alias")
        plan = Plan()
        plan.change(Sample, "d", alias="other")
        plan.add(Sample(digest="e", alias="alias"))
        filled_store.apply(plan)
        assert filled_store.find(Sample, alias="alias") == Sample(digest="e", alias="alias")

    @pytest.mark.parametrize("known", [{"digest": "a"}, {"digest": "new", "alias": "alias"}])
    def test_what_is_known_may_be_left_out(self, filled_store: Store, known: dict[str, Any]) -> None:
        before = filled_store.find(Sample, digest="a")
        plan = redemption()
        plan.add(Sample(label="other", **known), unless_known=True)
        plan.add(Sample(digest="unknown"), unless_known=True)
        plan.add(Sample(digest="unknown", label="again"), unless_known=True)
        filled_store.apply(plan)
        assert filled_store.find(Sample, digest="a") == before
        assert filled_store.find(Sample, digest="new") is None
        assert filled_store.find(Sample, digest="unknown") == Sample(digest="unknown")
        assert filled_store.find(AccessToken, digest="new") == access_token("new")

    # --- Conditions ---

    def test_what_is_given_is_compared_with_the_record_as_it_is_kept(self, filled_store: Store) -> None:
        plan = Plan()
        given: dict[str, Any] = {"number": 1, "label": "label", "flag": False, "rank": None, "alias": "alias"}
        plan.change(Sample(digest="a", number=8), given=given, rank=1)
        plan.change(grant("taken"), scope="other")
        filled_store.apply(plan)
        found = filled_store.find(Sample, digest="a")
        assert found is not None
        assert (found.number, found.rank) == (1, 1)
        with pytest.raises(Conflict):
            filled_store.apply(plan)

    @pytest.mark.parametrize("others", ["none", "a take", "parts of each kind"])
    def test_what_is_required_is_left_as_it_is(self, filled_store: Store, others: str) -> None:
        before = filled_store.find(Sample, digest="a")
        plan = redemption() if others == "parts of each kind" else Plan()
        if others == "a take":
            plan.take(grant("code"), at=7)
        plan.require(Sample(digest="a", label="as somebody read it"), number=1, label="label", rank=None)
        filled_store.apply(plan)
        assert filled_store.find(Sample, digest="a") == before
        assert (filled_store.find(Grant, digest="code") != grant("code")) == (others != "none")
        change_in(filled_store, Sample, {"digest": "a"}, number=2)
        plan = Plan()
        plan.add(access_token("newer"))
        plan.require(Sample(digest="a"), number=1)
        with pytest.raises(Conflict) as conflict:
            filled_store.apply(plan)
        assert conflict.value.record == filled_store.find(Sample, digest="a")
        assert filled_store.find(AccessToken, digest="newer") is None

    def test_what_is_required_may_be_changed_by_the_same_plan(self, filled_store: Store) -> None:
        plan = Plan()
        plan.require(Sample(digest="a"), number=1)
        plan.change(Sample, "a", number=2)
        plan.require(Sample(digest="a"), number=2)
        plan.remove(Sample, family="f")
        filled_store.apply(plan)
        assert filled_store.select(Sample) == [Sample(digest="c", family="g")]

    def test_a_replay_carries_the_record_as_it_stands(self, filled_store: Store) -> None:
        change_in(filled_store, Grant, {"digest": "taken"}, scope="changed")
        plan = redemption()
        plan.take(grant("taken"), at=9)
        with pytest.raises(RecordReplayed) as replayed:
            filled_store.apply(plan)
        assert replayed.value.record == grant("taken", taken_at=3, code_challenge="c", scope="changed")

    def test_a_replay_carries_the_record_given_when_it_is_gone(self, filled_store: Store) -> None:
        plan = Plan()
        plan.take(grant("gone", scope="known"), at=9)
        with pytest.raises(RecordReplayed) as replayed:
            filled_store.apply(plan)
        assert replayed.value.record == grant("gone", scope="known")

    def test_taken_at_zero_counts_as_taken(self, filled_store: Store) -> None:
        plan = Plan()
        plan.take(grant("code"), at=0)
        filled_store.apply(plan)
        with pytest.raises(RecordReplayed):
            filled_store.apply(plan)

    def test_conflict_carries_the_record_as_it_stands(self, filled_store: Store) -> None:
        plan = redemption()
        plan.change(Sample, "c", given={"number": 5}, number=6)
        with pytest.raises(Conflict) as conflict:
            filled_store.apply(plan)
        assert (conflict.value.cls, conflict.value.record) == (Sample, Sample(digest="c", family="g"))
        plan = Plan()
        plan.change(Sample(digest="gone"), number=6)
        with pytest.raises(Conflict) as conflict:
            filled_store.apply(plan)
        assert (conflict.value.cls, conflict.value.record) == (Sample, None)

    def test_a_replay_is_told_whatever_else_fails(self, filled_store: Store) -> None:
        for fail in (FAILURES["not as given"], FAILURES["changed key"], FAILURES["primary key"]):
            plan = Plan()
            fail[1](plan)
            plan.take(Sample(digest="zz"), at=1)
            with pytest.raises(RecordReplayed):
                filled_store.apply(plan)

    def test_a_conflict_is_told_rather_than_a_duplicate(self, filled_store: Store) -> None:
        plan = Plan()
        plan.change(Sample, "b", alias="alias")
        plan.change(Sample, "c", given={"number": 1}, rank=1)
        plan.add(Sample(digest="a"))
        with pytest.raises(Conflict):
            filled_store.apply(plan)

    # --- Several parts about one record ---

    def test_two_parts_about_one_record_are_both_applied(self, filled_store: Store) -> None:
        plan = Plan()
        plan.change(Sample, "b", given={"number": 1}, number=2, label="x")
        plan.take(Sample(digest="b"), at=5)
        plan.change(Sample, "b", given={"number": 2, "rank": None}, number=3, rank=1)
        filled_store.apply(plan)
        expected = Sample(digest="b", number=3, rank=1, label="x", taken_at=5, family="f", names=("x",))
        assert filled_store.find(Sample, digest="b") == expected

    def test_parts_about_one_record_hold_together(self, filled_store: Store) -> None:
        parts: list[tuple[type[Exception], Planning]] = [
            (RecordReplayed, lambda plan: plan.take(Sample(digest="c"), at=6)),
            (Conflict, lambda plan: plan.change(Sample, "c", given={"number": 9}, rank=1)),
        ]
        for error, part in parts:
            plan = Plan()
            plan.change(Sample, "c", given={"family": "g"}, taken_at=5)
            filled_store.apply(plan)
            plan = Plan()
            plan.change(Sample, "c", given={"flag": False}, note="x")
            part(plan)
            with pytest.raises(error):
                filled_store.apply(plan)
            found = filled_store.find(Sample, digest="c")
            assert found is not None
            assert (found.note, found.rank) == ("", None)

    def test_what_is_added_may_be_changed_before_it_is_kept(self, filled_store: Store) -> None:
        plan = Plan()
        plan.add(Sample(digest="new", number=1))
        plan.change(Sample, "new", given={"number": 1}, number=2, payload={"a": 1})
        plan.take(Sample(digest="new"), at=5)
        filled_store.apply(plan)
        expected = Sample(digest="new", number=2, payload={"a": 1}, taken_at=5)
        assert filled_store.find(Sample, digest="new") == expected

    def test_parts_that_contradict_each_other_are_a_mistake(self, filled_store: Store) -> None:
        def twice(plan: Plan) -> None:
            plan.take(grant("code"), at=1)
            plan.take(grant("code"), at=1)

        def two_values(plan: Plan) -> None:
            plan.change(Sample, "a", given={"number": 1}, rank=1)
            plan.change(Sample, "a", given={"number": 2}, rank=2)

        def too_late(plan: Plan) -> None:
            plan.change(Sample, "a", number=2)
            plan.change(Sample, "a", given={"number": 1}, rank=2)

        def change_an_addition(plan: Plan) -> None:
            plan.add(Sample(digest="new"))
            plan.change(Sample, "new", given={"number": 1}, rank=2)

        before = everything(filled_store)
        for name, contradict in (
            ("taken_at", twice),
            ("number", two_values),
            ("number", too_late),
            ("number", change_an_addition),
        ):
            plan = redemption()
            if contradict is twice:
                plan = Plan()
            contradict(plan)
            with pytest.raises(ValueError, match=name):
                filled_store.apply(plan)
        assert everything(filled_store) == before


def planned_samples(number: int) -> Plan:
    """Make a plan that adds this many samples."""
    plan = Plan()
    plan.extend(Sample(digest=f"{value:03}", number=value) for value in range(number))
    return plan
