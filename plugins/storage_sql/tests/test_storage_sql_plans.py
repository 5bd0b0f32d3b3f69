"""Plans that the database rolls back in favour of others are tried again, a few times."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from portula.errors import StorageDown
from portula.plugin import CORE_RECORDS, AccessToken, Grant, Plan, plan_to_add
from portula_storage_sql import migrate, plans
from portula_storage_sql.engine import make_engine
from portula_storage_sql.store import SqlStore
from portula_testing.storage_samples import access_token, grant


class Postgres(Exception):
    """An error as psycopg raises it."""

    def __init__(self, sqlstate: str) -> None:
        super().__init__("hush")
        self.sqlstate = sqlstate


RETRYABLE = {
    "deadlock on PostgreSQL": Postgres("40P01"),
    "serialization on PostgreSQL": Postgres("40001"),
    "deadlock on MariaDB": Exception(1213, "Deadlock found when trying to get lock"),
    "snapshot on MariaDB": Exception(1020, "Record has changed since last read"),
}


@pytest.fixture
def store(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[SqlStore]:
    """Return a store that writes in transactions, as it does where a plan is about a deployment's own tables."""
    monkeypatch.setattr(plans, "is_combined", lambda _: False)
    engine: Engine = make_engine(f"sqlite:///{tmp_path / 'plans.sqlite3'}")
    migrate.upgrade(engine, CORE_RECORDS)
    made = SqlStore(engine, CORE_RECORDS)
    made.apply(plan_to_add(grant("code")))
    yield made
    made.close()


def redemption() -> Plan:
    """Make a plan of two statements."""
    plan = Plan()
    plan.take(grant("code"), at=1)
    plan.add(access_token("token"))
    return plan


def fail(store: SqlStore, monkeypatch: pytest.MonkeyPatch, error: Exception, times: int) -> list[Any]:
    """Let the INSERT of a plan end with an error of the database, as often; return what was tried."""
    transaction, tried = store._connections.transaction, []

    @contextmanager
    def failing() -> Iterator[Any]:
        with transaction() as write:

            def fail(statement: Any, parameters: Any) -> int:
                if "INSERT" in str(statement):
                    tried.append(statement)
                    if len(tried) <= times:
                        raise OperationalError("INSERT", {}, error)
                return write(statement, parameters)

            yield fail

    monkeypatch.setattr(store._connections, "transaction", failing)
    return tried


@pytest.mark.parametrize("error", RETRYABLE.values(), ids=RETRYABLE)
def test_a_plan_that_gave_way_is_tried_again(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    tried = fail(store, monkeypatch, error, times=plans.ATTEMPTS - 1)
    store.apply(redemption())
    assert len(tried) == plans.ATTEMPTS
    assert store.find(Grant, digest="code") == dataclasses.replace(grant("code"), taken_at=1)
    assert store.find(AccessToken, digest="token") is not None


def test_a_plan_is_not_tried_for_ever(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not applied, and whoever asked may ask again."""
    tried = fail(store, monkeypatch, Postgres("40P01"), times=1000)
    with pytest.raises(StorageDown):
        store.apply(redemption())
    assert len(tried) == plans.ATTEMPTS
    assert store.find(Grant, digest="code") == grant("code")


@pytest.mark.parametrize(
    "error", [Postgres("57014"), Exception(1205, "Lock wait timeout"), Exception("full")]
)
def test_any_other_error_is_one(store: SqlStore, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    tried = fail(store, monkeypatch, error, times=1)
    with pytest.raises((OperationalError, StorageDown)):
        store.apply(redemption())
    assert len(tried) == 1
    assert store.find(Grant, digest="code") == grant("code")
