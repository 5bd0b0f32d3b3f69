"""Whatever is done to both, the SQL store answers as the store in memory does."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, rule

from portula.errors import Conflict, DuplicateRecord, RecordReplayed
from portula.plugin import Plan, Store
from portula_storage_sql import migrate
from portula_storage_sql.engine import make_engine
from portula_storage_sql.store import SqlStore
from portula_testing.memory import MemoryStore
from portula_testing.storage_samples import SAMPLE, Sample
from portula_testing.writing import add_to, change_in, remove_from, take_from

pytestmark = pytest.mark.thorough

DIGESTS = st.sampled_from(["a", "A", "b", "ä"])
FAMILIES = st.none() | st.sampled_from(["f", "g"])
TIMES = st.none() | st.integers(0, 3)
PAYLOADS = st.dictionaries(
    st.text(max_size=3), st.none() | st.booleans() | st.integers() | st.text(max_size=3), max_size=2
)
SAMPLES = st.builds(
    Sample,
    digest=DIGESTS,
    alias=FAMILIES,
    family=FAMILIES,
    rank=TIMES,
    expires_at=TIMES,
    taken_at=TIMES,
    choice=st.none() | st.booleans(),
    note=st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=5),
    names=st.lists(st.text(max_size=2), max_size=2).map(tuple),
    payload=PAYLOADS,
    extra=st.none() | PAYLOADS,
)
VALUES = st.fixed_dictionaries(
    {}, optional={"alias": FAMILIES, "family": FAMILIES, "label": FAMILIES, "payload": PAYLOADS}
)
WHERE = st.fixed_dictionaries(
    {},
    optional={
        "digest": DIGESTS | st.lists(DIGESTS, max_size=3).map(tuple),
        "family": FAMILIES | st.lists(st.sampled_from(["f", "g"]), max_size=2).map(tuple),
        "rank": TIMES,
        "label": FAMILIES,
    },
)


PARTS = st.one_of(
    st.tuples(st.just("take"), DIGESTS, st.integers(0, 9)),
    st.tuples(st.just("change"), DIGESTS, st.dictionaries(st.just("label"), FAMILIES), VALUES.filter(bool)),
    st.tuples(st.just("change_all"), WHERE, VALUES.filter(bool)),
    st.tuples(st.just("remove"), WHERE),
    st.tuples(st.just("add"), SAMPLES, st.booleans()),
)


class TwoStores(RuleBasedStateMachine):
    """Does the same to both stores and compares the answers."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        engine = make_engine(f"sqlite:///{Path(self.folder.name) / 'portula.sqlite3'}")
        migrate.upgrade(engine, [SAMPLE])
        self.sql = SqlStore(engine, [SAMPLE])
        self.stores: list[Store] = [MemoryStore([SAMPLE]), self.sql]

    def teardown(self) -> None:
        """Compare once more what was kept."""
        self.compare(lambda store: store.select(Sample))
        self.sql.close()
        self.folder.cleanup()

    def compare(self, act: Callable[[Store], Any]) -> None:
        """Do one thing to both stores."""
        first, second = (answer(act, store) for store in self.stores)
        assert first == second

    @rule(sample=SAMPLES)
    def add(self, sample: Sample) -> None:
        self.compare(lambda store: add_to(store, sample))

    @rule(digest=DIGESTS, at=st.integers(0, 9))
    def take(self, digest: str, at: int) -> None:
        self.compare(lambda store: take_from(store, Sample(digest=digest), at))

    @rule(where=WHERE, limit=st.integers(1, 3), after=st.none() | DIGESTS)
    def select(self, where: dict[str, Any], limit: int, after: str | None) -> None:
        self.compare(lambda store: store.select(Sample, limit=limit, after=after, **where))

    @rule(
        order=st.sampled_from([("rank",), ("label",), ("family", "number"), ("digest",), ("note",)]),
        family=FAMILIES,
        descending=st.booleans(),
        after=st.none() | st.tuples(st.integers(0, 3), DIGESTS),
    )
    def walk(
        self, order: tuple[str, ...], family: str | None, descending: bool, after: tuple[int, str] | None
    ) -> None:
        where = {"family": family} if order[0] == "family" else {}
        by = order[-1]
        place = None if after is None else (after[0] if by in ("rank", "number") else after[1], after[1])
        self.compare(lambda store: store.walk(Sample, by, descending=descending, after=place, **where))

    @rule(where=WHERE, digest=DIGESTS)
    def find(self, where: dict[str, Any], digest: str) -> None:
        self.compare(lambda store: store.find(Sample, **{**where, "digest": digest}))

    @rule(alias=FAMILIES.filter(bool))
    def find_by_alias(self, alias: str) -> None:
        self.compare(lambda store: store.find(Sample, alias=alias))

    @rule(where=WHERE, values=VALUES.filter(bool))
    def change(self, where: dict[str, Any], values: dict[str, Any]) -> None:
        self.compare(lambda store: change_in(store, Sample, where, **values))

    @rule(where=WHERE)
    def remove(self, where: dict[str, Any]) -> None:
        self.compare(lambda store: remove_from(store, Sample, **where))

    @rule(parts=st.lists(PARTS, max_size=4))
    def apply(self, parts: list[tuple[Any, ...]]) -> None:
        self.compare(lambda store: list(store.apply(planned(parts)).values()))

    @rule(now=st.integers(0, 4))
    def purge(self, now: int) -> None:
        self.compare(lambda store: store.purge(Sample, now=now, limit=100))


def planned(parts: list[tuple[Any, ...]]) -> Plan:
    """Make a plan of its parts."""
    plan = Plan()
    for kind, *arguments in parts:
        match kind, arguments:
            case "take", [digest, at]:
                plan.take(Sample(digest=digest), at=at)
            case "change", [digest, given, values]:
                plan.change(Sample, digest, given=given, **values)
            case "change_all", [where, values]:
                plan.change_all(Sample, where, **values)
            case "remove", [where]:
                plan.remove(Sample, **where)
            case _:
                plan.add(arguments[0], unless_known=arguments[1])
    return plan


def answer(act: Callable[[Any], Any], subject: object) -> Any:
    """Return what an act returns, or what it raises in comparable form."""
    try:
        return act(subject)
    except RecordReplayed as error:
        return "RecordReplayed", dataclasses.asdict(error.record)  # type: ignore[call-overload]
    except Conflict as error:
        return "Conflict", error.cls, error.record
    except (DuplicateRecord, ValueError) as error:
        return type(error).__name__, str(error)


TestTwoStores = TwoStores.TestCase
TestTwoStores.settings = settings(
    max_examples=settings.default.max_examples // 2,
    stateful_step_count=25,
    deadline=None,
    phases=[Phase.reuse, Phase.generate],  # each step of shrinking would make a database
    suppress_health_check=[HealthCheck.too_slow],
)
