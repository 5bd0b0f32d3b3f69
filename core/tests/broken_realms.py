"""Stores that mix realms up, each in its own way; run by test_contracts_can_fail.py."""

import dataclasses

import pytest

from portula.plugin import Plan
from portula_testing.contracts import RealmsContract
from portula_testing.memory import MemoryStore

CASES = []


def unscoped(where):
    """Return conditions without that of the realm."""
    return {name: value for name, value in where.items() if name != "realm"}


class Blind(MemoryStore):
    """Does not compare the realm where it reads."""

    def find(self, cls, /, **keys):
        return super().find(cls, **unscoped(keys))

    def select(self, cls, /, *, limit=100, after=None, **where):
        return super().select(cls, limit=limit, after=after, **unscoped(where))


class Reaching(MemoryStore):
    """Does not compare the realm where it writes."""

    def apply(self, plan):
        other = Plan()
        for part in plan.parts:
            changes = {
                name: unscoped(getattr(part, name)) for name in ("given", "where") if hasattr(part, name)
            }
            other.parts.append(dataclasses.replace(part, **changes))
        return super().apply(other)


class Sweeping(MemoryStore):
    """Purges every realm."""

    def purge(self, cls, /, *, now, limit, realm=None):
        return super().purge(cls, now=now, limit=limit)


class Loose(MemoryStore):
    """Keeps a second record of the same name."""

    def _is_known(self, record):
        return False


class Lenient(MemoryStore):
    """Takes the realm for an index."""

    def _check_anchored(self, cls, where):
        if "realm" not in where:
            super()._check_anchored(cls, where)


class Renaming(MemoryStore):
    """Keeps records of no realm."""

    def _put(self, cls, row):
        super()._put(cls, dataclasses.replace(row, realm="north") if hasattr(row, "realm") else row)


def realms(kind, *breaks):
    """Add a class of tests: the contract on something that breaks these of its tests, at least."""

    def make_store(self):
        return kind

    members = {"make_store": pytest.fixture(make_store), "breaks": breaks}
    CASES.append(type(f"TestRealmsContract{len(CASES)}", (RealmsContract,), members))


realms(MemoryStore)
realms(Blind, "two_records", "failure_carries", "with_those_of_its_realm", "without_a_name")
realms(Reaching, "nothing_in_another", "keeps_to_its_realm", "is_gone", "without_a_name")
realms(Sweeping, "nothing_in_another", "stops_at_the_realm")
realms(Loose, "taken_once")
realms(Lenient, "no_condition")
realms(Renaming, "never_changes")

globals().update({made.__name__: made for made in CASES})
