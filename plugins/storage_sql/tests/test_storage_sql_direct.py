"""Statements that go to the driver itself answer as those that SQLAlchemy executes, and fail as those."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import Engine, event, text
from sqlalchemy.exc import DBAPIError

from portula.plugin import AccessToken, Plan
from portula_storage_sql import migrate
from portula_storage_sql.store import SqlStore
from portula_testing.storage_samples import RECORDS, Sample, access_token
from portula_testing.writing import add_to

SAMPLES = [
    Sample(digest="plain", flag=True, choice=False, payload={"a": [1]}, extra={}),
    Sample(digest="ü 日 % %(w_digest)s :v_number ?", family="f", number=2**62, names=("ü", "b"), more=()),
    Sample(digest="quoted ' \" \\", family="f", number=-1),
]

Reading = Callable[[SqlStore], object]

READINGS: dict[str, Reading] = {
    "find": lambda store: [store.find(Sample, digest=sample.digest) for sample in SAMPLES],
    "find nothing": lambda store: store.find(Sample, digest="other"),
    "find a token": lambda store: store.find(AccessToken, digest="token"),
    "select": lambda store: store.select(Sample, family="f"),
    "select a page": lambda store: store.select(Sample, family="f", limit=1, after="quoted ' \" \\"),
    "select by several": lambda store: store.select(Sample, digest=("plain", "other")),
    "count": lambda store: store.count_expired(AccessToken, now=10**10, limit=5),
}


@pytest.fixture
def store(empty_engine: Engine) -> SqlStore:
    migrate.upgrade(empty_engine, RECORDS)
    return SqlStore(empty_engine, RECORDS)


def listen(engine: Engine) -> list[str]:
    """Collect what SQLAlchemy executes from now on."""
    seen: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *given: seen.append(given[2]))
    return seen


@pytest.mark.parametrize("reading", READINGS.values(), ids=READINGS)
def test_what_is_read_is_the_same_when_somebody_listens_to_the_engine(
    store: SqlStore, reading: Reading
) -> None:
    for record in (*SAMPLES, access_token("token")):
        add_to(store, record)
    before = reading(store)
    seen = listen(store.engine)
    assert reading(store) == before
    assert seen, "instruments of SQLAlchemy see each statement"


def test_what_is_written_is_read_back(store: SqlStore) -> None:
    for sample in SAMPLES:
        add_to(store, sample)
        assert store.find(Sample, digest=sample.digest) == sample
    plan = Plan()
    counted = plan.change_all(Sample, {"family": "f"}, number=7)
    assert store.apply(plan)[counted] == 2
    assert {sample.number for sample in store.select(Sample, family="f")} == {7}


@pytest.mark.parametrize("listens", [False, True], ids=["to the driver", "by SQLAlchemy"])
def test_an_error_of_the_driver_shows_no_parameter(store: SqlStore, *, listens: bool) -> None:
    if listens:
        listen(store.engine)
    with store.engine.connect() as connection:
        connection.execute(text("DROP TABLE portula_sample"))
    with pytest.raises(DBAPIError) as raised:
        store.find(Sample, digest="a secret value")
    assert "portula_sample" in str(raised.value)
    assert "a secret value" not in str(raised.value)
    store.answers()
