"""The contract of realms, records that are apart on one store; a part of `portula_testing.storage_contract`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import pytest

from portula.errors import Conflict, DuplicateRecord, RecordReplayed
from portula.plugin import Plan, Pointer, Storage, Store
from portula_testing.storage_samples import NamedSample, Sample, StoreFixtures
from portula_testing.writing import add_to, change_in, remove_from, take_from

TO_NAMED = Pointer("family", NamedSample, "name")

Writing = Callable[[Storage], object]

EVERY_WRITE: dict[str, Writing] = {
    "take": lambda realm: take_from(realm, NamedSample(name="a"), at=9),
    "change": lambda realm: _change(realm, "a", number=9),
    "change all": lambda realm: change_in(realm, NamedSample, {"family": "a"}, number=9),
    "change all of a name": lambda realm: change_in(realm, NamedSample, {"name": ("a", "b")}, number=9),
    "remove": lambda realm: remove_from(realm, NamedSample, family="a"),
    "remove a name": lambda realm: remove_from(realm, NamedSample, name="a"),
    "add": lambda realm: add_to(realm, NamedSample(name="new")),
    "purge": lambda realm: realm.purge(NamedSample, now=100, limit=10),
}


class Realms(NamedTuple):
    """Two realms on one store."""

    north: Storage
    south: Storage


def of_realm(store: Store, name: str) -> Storage:
    """Return the storage of a provider of a realm."""
    return Storage({NamedSample: store, Sample: store}, realms={NamedSample: name})


def everything(realm: Storage) -> list[NamedSample]:
    """Return all records of a realm."""
    return realm.select(NamedSample)


def _change(realm: Storage, name: str, /, **values: Any) -> None:
    plan = Plan()
    plan.change(NamedSample, name, **values)
    realm.apply(plan)


class RealmsContract(StoreFixtures):
    """What is true of records that belong to realms."""

    @pytest.fixture
    def realms(self, store: Store) -> Realms:
        """Two realms with records of the same names."""
        realms = Realms(of_realm(store, "north"), of_realm(store, "south"))
        for number, realm in enumerate(realms):
            add_to(realm, NamedSample(name="a", alias="x", family="a", number=number, expires_at=10))
            add_to(realm, NamedSample(name="b", alias="y", number=number))
        return realms

    def test_one_name_in_two_realms_is_two_records(self, realms: Realms) -> None:
        for number, (name, realm) in enumerate(zip(("north", "south"), realms, strict=True)):
            for found in (
                realm.find(NamedSample, name="a"),
                realm.find(NamedSample, alias="x", name=("a", "b")),
            ):
                assert found == NamedSample(
                    name="a", realm=name, alias="x", family="a", number=number, expires_at=10
                )
            assert realm.select(NamedSample, family="a") == [realm.find(NamedSample, name="a")]
            assert [record.name for record in everything(realm)] == ["a", "b"]
            assert [record.name for record in realm.select(NamedSample, after="a")] == ["b"]
            assert realm.count_expired(NamedSample, now=100, limit=10) == 1

    def test_a_name_is_taken_once_in_a_realm(self, realms: Realms) -> None:
        for taken in (NamedSample(name="a"), NamedSample(name="new", alias="x")):
            with pytest.raises(DuplicateRecord):
                add_to(realms.north, taken)
        add_to(realms.north, NamedSample(name="new", alias="z"))
        assert realms.south.find(NamedSample, name="new") is None
        assert realms.south.find(NamedSample, alias="z") is None
        add_to(realms.south, NamedSample(name="new", alias="z"))
        for alias in ("z", "x"):
            with pytest.raises(DuplicateRecord):
                _change(realms.south, "b", alias=alias)
        plan = Plan()
        plan.add(NamedSample(name="new", number=9), unless_known=True)
        plan.add(NamedSample(name="other", number=9), unless_known=True)
        realms.north.apply(plan)
        numbers = {record.name: record.number for record in everything(realms.north)}
        assert numbers == {"a": 0, "b": 0, "new": 0, "other": 9}
        assert realms.south.find(NamedSample, name="other") is None

    @pytest.mark.parametrize("write", EVERY_WRITE.values(), ids=EVERY_WRITE)
    def test_what_is_written_in_one_realm_changes_nothing_in_another(
        self, realms: Realms, write: Writing
    ) -> None:
        north, south = everything(realms.north), everything(realms.south)
        write(realms.south)
        assert everything(realms.north) == north
        assert everything(realms.south) != south

    def test_a_plan_of_several_parts_keeps_to_its_realm(self, realms: Realms) -> None:
        before = everything(realms.north)
        plan = Plan()
        plan.take(NamedSample(name="a"), at=9)
        plan.change(NamedSample, "b", number=7)
        changed = plan.change_all(NamedSample, {"family": "a"}, alias=None)
        plan.add(NamedSample(name="c", alias="x"))
        plan.add(Sample(digest="s"))
        counts = realms.south.apply(plan)
        assert counts[changed] == 1
        assert [(record.name, record.alias, record.taken_at) for record in everything(realms.south)] == [
            ("a", None, 9),
            ("b", "y", None),
            ("c", "x", None),
        ]
        assert everything(realms.north) == before

    def test_what_a_failure_carries_is_of_its_realm(self, realms: Realms) -> None:
        take_from(realms.south, NamedSample(name="a"), at=9)
        with pytest.raises(RecordReplayed) as replayed:
            take_from(realms.south, NamedSample(name="a"), at=10)
        assert replayed.value.record == realms.south.find(NamedSample, name="a")
        take_from(realms.north, NamedSample(name="a"), at=11)
        plan = Plan()
        plan.change(NamedSample, "b", given={"number": 5}, number=6)
        plan.change(NamedSample, "a", number=6)
        with pytest.raises(Conflict) as conflict:
            realms.south.apply(plan)
        assert conflict.value.record == realms.south.find(NamedSample, name="b")

    def test_a_record_that_only_another_realm_has_is_gone(self, realms: Realms) -> None:
        add_to(realms.north, NamedSample(name="only"))
        only = realms.north.find(NamedSample, name="only")
        assert only is not None
        with pytest.raises(RecordReplayed):
            take_from(realms.south, only, at=9)
        plan = Plan()
        plan.change(only, number=9)
        with pytest.raises(Conflict):
            realms.south.apply(plan)
        assert realms.north.find(NamedSample, name="only") == only

    def test_purging_stops_at_the_realm(self, realms: Realms) -> None:
        for number in range(5):
            add_to(realms.north, NamedSample(name=f"{number}", expires_at=number))
        assert realms.south.purge(NamedSample, now=100, limit=10) == 1
        assert realms.south.count_expired(NamedSample, now=100, limit=10) == 0
        assert realms.north.count_expired(NamedSample, now=100, limit=10) == 6
        assert realms.north.purge(NamedSample, now=100, limit=2) == 2
        assert [record.name for record in everything(realms.north)] == ["2", "3", "4", "a", "b"]

    def test_a_realm_alone_is_no_condition(self, realms: Realms) -> None:
        removal, change = Plan(), Plan()
        removal.remove(NamedSample)
        change.change_all(NamedSample, {"alias": "x"}, number=9)
        change.change_all(NamedSample, {"number": 0}, number=9)
        for plan in (removal, change):
            with pytest.raises(ValueError, match="named"):
                realms.north.apply(plan)
        assert [(record.name, record.number) for record in everything(realms.north)] == [("a", 0), ("b", 0)]

    def test_the_realm_of_a_record_never_changes(self, realms: Realms) -> None:
        with pytest.raises(ValueError, match="realm"):
            _change(realms.north, "a", realm="south")
        with pytest.raises(ValueError, match="realm"):
            change_in(realms.north, NamedSample, {"name": "a"}, realm="south")
        record = realms.south.find(NamedSample, name="b")
        assert record is not None
        add_to(realms.north, replace(record, name="copy", alias=None))
        assert realms.south.find(NamedSample, name="copy") is None
        assert realms.north.find(NamedSample, name="copy") is not None

    def test_a_record_is_read_with_those_of_its_realm(self, realms: Realms) -> None:
        add_to(realms.north, Sample(digest="s", family="b"))
        for number, realm in enumerate(realms):
            found = realm.find_along(Sample, TO_NAMED, digest="s")
            assert found is not None
            assert (found[1].name, found[1].number) == ("b", number)
            by_value = TO_NAMED._replace(field="", value="a")
            found = realm.find_along(Sample, TO_NAMED, by_value, by_value._replace(value="gone"), digest="s")
            assert found is not None
            assert [named and (named.name, named.number) for named in found[1:]] == [
                ("b", number),
                ("a", number),
                None,
            ]
        remove_from(realms.south, NamedSample, name="b")
        assert realms.south.find_along(Sample, TO_NAMED, digest="s") == (
            Sample(digest="s", family="b"),
            None,
        )

    def test_the_realm_without_a_name_is_one_too(self, store: Store, realms: Realms) -> None:
        unnamed = of_realm(store, "")
        assert everything(unnamed) == []
        add_to(unnamed, NamedSample(name="a", alias="x"))
        assert remove_from(unnamed, NamedSample, name=("a", "b")) == 1
        assert [len(everything(realm)) for realm in realms] == [2, 2]
