"""Stores that break one promise about plans each; run by test_contracts_can_fail.py."""

import dataclasses
import time

import pytest

from portula.errors import Conflict, DuplicateRecord, RecordReplayed
from portula.plugin import AccessToken, Plan, Writes
from portula_testing.contracts import PlanContract
from portula_testing.memory import MemoryStore
from portula_testing.writing import change_in, remove_from

CASES = []


class Rewriting(MemoryStore):
    """Applies something else than the plan it is given."""

    def apply(self, plan):
        other = Plan()
        other.parts += self.rewrite(plan.parts)
        return super().apply(other)


class Forgetful(Rewriting):
    def rewrite(self, parts):
        return [part for part in parts if type(part).__name__ != "Remove"]


class Unconditional(Rewriting):
    def rewrite(self, parts):
        return [dataclasses.replace(part, given={}) if hasattr(part, "given") else part for part in parts]


class Undemanding(Rewriting):
    def rewrite(self, parts):
        return [part for part in parts if type(part).__name__ != "Require"]


class Touching(Rewriting):
    """Writes what is only required."""

    def rewrite(self, parts):
        for part in parts:
            if type(part).__name__ == "Require":
                writing = Plan()
                writing.change(part.record, given=part.given, rank=1)
                yield from writing.parts
            else:
                yield part


class Believing(MemoryStore):
    """Compares what is given with the record that was given."""

    def apply(self, plan):
        for part in plan.parts:
            record = getattr(part, "record", None)
            for name, value in getattr(part, "given", {}).items():
                if record is not None and getattr(record, name) != value:
                    raise Conflict(type(record), record)
        return super().apply(plan)


class LastOnly(Rewriting):
    """Lets the last of two parts about one record win."""

    def rewrite(self, parts):
        kept = {}
        for part in parts:
            record = getattr(part, "record", None)
            key = getattr(part, "key", None) or getattr(record, "digest", None)
            kept[(type(record), key) if key is not None else id(part)] = part
        return list(kept.values())


class Unfolded(Rewriting):
    """Looks for what a plan changes among the records that are there."""

    def rewrite(self, parts):
        added = {part.record.digest for part in parts if type(part).__name__ == "Add"}
        for part in parts:
            if getattr(part, "key", None) in added:
                raise Conflict(part.cls, None)
        return parts


class Piecemeal(MemoryStore):
    """Keeps what was applied before a part failed."""

    def apply(self, plan):
        counts, seen = {}, Plan()
        for part in plan.parts:
            seen.parts.append(part)
            Writes.of(seen, self._types)
            one = Plan()
            one.parts.append(part)
            counts |= super().apply(one)
        return counts


class Uncritical(MemoryStore):
    def apply(self, plan):
        with self._write():
            for part in plan.parts:
                one = Plan()
                one.parts.append(part)
                self._apply_all(Writes.of(one, self._types))
        return {}


class Lenient(MemoryStore):
    def _check_writes(self, writes):
        pass

    def _check_change(self, cls, where, values):
        pass

    def _check_values(self, cls, values):
        pass

    def _check_anchored(self, cls, where):
        pass


class Busy(MemoryStore):
    """Leaves a trace of a plan in which nothing was."""

    def apply(self, plan):
        if not plan:
            remove_from(super(), AccessToken, authorization="authorization")
        return super().apply(plan)


class Short(MemoryStore):
    def apply(self, plan):
        if len(plan.parts) > 100:
            raise OverflowError
        return super().apply(plan)


class Miscounting(MemoryStore):
    def apply(self, plan):
        return dict.fromkeys(super().apply(plan), 1)


class Sparing(MemoryStore):
    """Meets only records that have other values."""

    def _change(self, cls, where, values):
        rows = self._matching(cls, where)
        if all(getattr(row, name) == value for row in rows for name, value in values.items()):
            return 0
        return super()._change(cls, where, values)


class AddsFirst(MemoryStore):
    def _apply_all(self, writes):
        for addition in writes.additions:
            if self._is_known(addition.record):
                raise DuplicateRecord
            self._put(type(addition.record), addition.record)
        return super()._apply_all(dataclasses.replace(writes, additions=()))


class Stale(MemoryStore):
    """Raises what it knew before."""

    def apply(self, plan):
        try:
            return super().apply(plan)
        except RecordReplayed:
            record = next(part.record for part in plan.parts if hasattr(part, "at"))
            raise RecordReplayed(dataclasses.replace(record, taken_at=None, scope="stale")) from None
        except Conflict as conflict:
            raise Conflict(conflict.cls, "stale") from None


class Falsy(MemoryStore):
    """Takes 0 for no time."""

    def apply(self, plan):
        for part in plan.parts:
            if hasattr(part, "at"):
                where = {"digest": part.record.digest, "taken_at": 0}
                change_in(super(), type(part.record), where, taken_at=None)
        return super().apply(plan)


class FirstFailure(MemoryStore):
    """Raises what came up first."""

    def apply(self, plan):
        writes = Writes.of(plan, self._types)
        self._check_writes(writes)
        with self._write():
            for change in writes.changes:
                if not self._change(change.kind.cls, change.where, change.values):
                    raise Conflict(change.kind.cls, None)
            return self._apply_all(dataclasses.replace(writes, changes=()))


class Racy(MemoryStore):
    """Looks first and writes later."""

    def apply(self, plan):
        writes = Writes.of(plan, self._types)
        failure = writes.failure(self._reread)
        records = [addition.record for addition in writes.additions]
        if any(self._is_known(record) for record in records):
            raise DuplicateRecord
        time.sleep(0.02)
        if failure:
            raise failure
        with self._write():
            for change in writes.changes:
                self._change(change.kind.cls, {change.kind.keys[0]: change.key}, change.values)
            for record in records:
                self._put(type(record), record)
        return {}


class Insistent(Rewriting):
    def rewrite(self, parts):
        return [
            dataclasses.replace(part, unless_known=False) if hasattr(part, "unless_known") else part
            for part in parts
        ]


class Open(MemoryStore):
    """Shows what a plan has written so far."""

    def _put(self, cls, row):
        super()._put(cls, row)
        self._place()
        time.sleep(0.0002)


class Impatient(MemoryStore):
    """Fails where another plan is being applied."""

    def _begin(self):
        if not self._writing.acquire(timeout=0.001):
            raise OSError("busy")
        self._local.writing = True
        time.sleep(0.0002)


def plans(kind, *breaks):
    """Add a class of tests: the contract on something that breaks these of its tests, at least."""

    def make_store(self):
        return kind

    members = {"make_store": pytest.fixture(make_store), "breaks": breaks}
    CASES.append(type(f"TestPlanContract{len(CASES)}", (PlanContract,), members))


plans(MemoryStore)
plans(Forgetful, "applied_whole", "make_place")
plans(Unconditional, "changes_nothing", "cannot_hold", "one_record_hold", "met_by_whoever_ends_it")
plans(Undemanding, "left_as_it_is")
plans(Touching, "left_as_it_is")
plans(Believing, "as_it_is_kept", "required_may_be_changed")
plans(LastOnly, "both_applied", "contradict")
plans(Unfolded, "changed_before_it_is_kept")
plans(Piecemeal, "changes_nothing", "order_of_kinds", "none_of_its_parts", "cannot_hold")
plans(Uncritical, "how_many", "contradict")
plans(Lenient, "by_field_name")
plans(Busy, "empty_plan")
plans(Short, "may_be_long")
plans(Miscounting, "how_many")
plans(Sparing, "value_already_is_met")
plans(AddsFirst, "none_of_its_parts", "make_place")
plans(Stale, "replay_carries_the_record_as", "replay_carries_the_record_given", "conflict_carries")
plans(Falsy, "zero_counts")
plans(FirstFailure, "told_whatever", "rather_than_a_duplicate")
plans(Racy, "take_one_record", "no_change_is_lost", "add_one_key", "few_keys")
plans(Insistent, "what_is_known")
plans(Open, "no_reader", "changes_nothing")
plans(Impatient, "opposite_order")

globals().update({made.__name__: made for made in CASES})
