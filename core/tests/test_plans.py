"""Plans as values, and their way through a storage of several stores."""

import dataclasses

import pytest

from portula.errors import Conflict, DuplicateRecord, RecordReplayed
from portula.plugin import CORE_RECORDS, AccessToken, Application, Artifact, Grant, Plan, Storage
from portula_testing.memory import MemoryStore
from portula_testing.storage_samples import access_token, grant
from portula_testing.writing import add_to


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Tenanted(Application):
    """A class of clients that stands for core's."""

    tenant: str = "none"


class Listening(MemoryStore):
    """Notes the plans it applies."""

    def __init__(self, records, applied):
        super().__init__(records)
        self.applied = applied

    def apply(self, plan):
        self.applied.append(self)
        return super().apply(plan)


@pytest.fixture
def applied():
    """The stores that applied something, in this order."""
    return []


@pytest.fixture
def stores(applied):
    """A store for each of core's record types, by class; clients are of a class of the deployment's own."""
    kinds = [
        dataclasses.replace(kind, cls=Tenanted) if kind.cls is Application else kind for kind in CORE_RECORDS
    ]
    return {kind.cls: Listening([kind], applied) for kind in kinds}


@pytest.fixture
def storage(stores):
    return Storage({**stores, Application: stores[Tenanted]}, {Application: Tenanted})


def test_a_plan_knows_what_it_adds():
    plan, more = Plan(), Plan()
    assert not plan
    plan.add(access_token("a"))
    more.add(grant("b"))
    plan.extend(more)
    plan.extend([access_token("c")])
    plan.take(grant("d"), at=1)
    plan.change(access_token("e"), revoked_at=1)
    assert plan
    assert plan.additions(AccessToken) == [access_token("a"), access_token("c")]
    assert plan.additions(Grant) == [grant("b")]
    assert plan.additions(Application) == []
    plan.add(Tenanted(client_id="f"))
    assert plan.additions(Application) == [Tenanted(client_id="f")]


def test_a_change_says_of_which_record():
    with pytest.raises(TypeError, match="AccessToken"):
        Plan().change(AccessToken, revoked_at=1)


def test_each_store_is_given_its_part(storage):
    add_to(storage, grant("code"))
    plan = Plan()
    plan.take(grant("code"), at=1)
    plan.add(access_token("token"))
    removed = plan.remove(Grant, authorization="none")
    changed = plan.change_all(Artifact, {"family": None}, client_id="c")
    assert storage.apply(plan) == {removed: 0, changed: 0}
    assert storage.find(Grant, digest="code").taken_at == 1
    assert storage.find(AccessToken, digest="token") is not None


def test_a_class_that_stands_for_another_is_what_is_kept(storage):
    plan = Plan()
    plan.add(Application(client_id="a"))
    plan.add(Tenanted(client_id="b", tenant="t"))
    plan.change(Application(client_id="a"), tenant="u")
    plan.change(Application, "b", given={"tenant": "t"}, name="B")
    storage.apply(plan)
    found = [Tenanted(client_id="a", tenant="u"), Tenanted(client_id="b", tenant="t", name="B")]
    assert storage.select(Application) == found
    plan = Plan()
    changed = plan.change_all(Application, {"client_id": ("a", "b", "c")}, name="C")
    plan.change(found[0], given={"name": "other"}, name="D")
    with pytest.raises(Conflict):
        storage.apply(plan)
    plan.parts.pop()
    removed = plan.remove(Application, client_id="a")
    assert storage.apply(plan) == {changed: 2, removed: 1}


def test_a_record_of_no_class_here_is_refused(storage):
    plan = Plan()
    plan.add(object())
    with pytest.raises(TypeError, match="object"):
        storage.apply(plan)


def test_the_store_where_most_may_fail_comes_first(storage, stores, applied):
    add_to(storage, grant("code"))
    applied.clear()
    plan = Plan()
    plan.remove(Artifact, family="f")
    plan.add(access_token("token"))
    plan.take(grant("code"), at=1)
    storage.apply(plan)
    assert applied == [stores[Grant], stores[AccessToken], stores[Artifact]]


def test_what_fails_first_leaves_the_other_stores_alone(storage, applied):
    add_to(storage, grant("code", taken_at=1))
    applied.clear()
    plan = Plan()
    plan.add(access_token("token"))
    plan.take(grant("code"), at=1)
    with pytest.raises(RecordReplayed):
        storage.apply(plan)
    assert len(applied) == 1
    assert storage.find(AccessToken, digest="token") is None


def test_what_is_only_required_of_one_store_is_compared_before_another_takes(storage, stores, applied):
    add_to(storage, grant("code"))
    add_to(storage, Application(client_id="a"))
    for version, error in ((1, Conflict), (0, None)):
        applied.clear()
        plan = Plan()
        plan.take(grant("code"), at=1)
        plan.require(Application(client_id="a"), version=version)
        if error is None:
            storage.apply(plan)
            assert applied == [stores[Tenanted], stores[Grant]]
        else:
            with pytest.raises(error):
                storage.apply(plan)
            assert applied == [stores[Tenanted]]
        assert (storage.find(Grant, digest="code").taken_at is None) == (error is not None)


def test_what_is_required_is_compared_before_another_store_takes_although_its_store_writes_too(storage):
    add_to(storage, grant("code"))
    add_to(storage, Application(client_id="a"))
    plan = Plan()
    plan.take(grant("code"), at=1)
    plan.change(Application(client_id="a"), name="A")
    plan.require(Application(client_id="a"), version=1)
    plan.add(Application(client_id="b"))
    with pytest.raises(Conflict):
        storage.apply(plan)
    assert storage.find(Grant, digest="code").taken_at is None
    assert [known.client_id for known in storage.select(Application)] == ["a"]


def test_what_an_earlier_store_applied_stays_when_a_later_one_fails(storage):
    add_to(storage, grant("code"))
    add_to(storage, access_token("token"))
    plan = Plan()
    plan.take(grant("code"), at=1)
    plan.add(access_token("token"))
    with pytest.raises(DuplicateRecord):
        storage.apply(plan)
    assert storage.find(Grant, digest="code").taken_at == 1
