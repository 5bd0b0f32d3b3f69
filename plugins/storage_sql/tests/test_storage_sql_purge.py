"""Purging beside others who purge: a statement that gave way is tried again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from portula.plugin import CORE_RECORDS, AccessToken, plan_to_add
from portula_storage_sql import migrate
from portula_storage_sql.engine import make_engine
from portula_storage_sql.store import SqlStore
from portula_testing.storage_samples import access_token


class Postgres(Exception):
    """An error as psycopg raises it."""

    def __init__(self, sqlstate: str) -> None:
        super().__init__("hush")
        self.sqlstate = sqlstate


@pytest.fixture
def store(tmp_path: Any) -> Iterator[SqlStore]:
    engine: Engine = make_engine(f"sqlite:///{tmp_path / 'purge.sqlite3'}")
    migrate.upgrade(engine, CORE_RECORDS)
    made = SqlStore(engine, CORE_RECORDS)
    for number in range(3):
        made.apply(plan_to_add(access_token(f"{number}")))
    yield made
    made.close()


def fail_first(store: SqlStore, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """Let the first DELETE end with an error of the database."""
    write, failures = store._connections.write, [error]

    def failing(statement: Any, parameters: Any) -> int:
        if failures and "digest" in str(statement) and "DELETE" in str(statement):
            raise OperationalError("DELETE", {}, failures.pop())
        return write(statement, parameters)

    monkeypatch.setattr(store._connections, "write", failing)


DEADLOCKS = [Postgres("40P01"), Exception(1213, "Deadlock found when trying to get lock")]


@pytest.mark.parametrize("error", DEADLOCKS, ids=["postgresql", "mariadb"])
def test_a_deadlock_with_another_purge_is_no_error(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    fail_first(store, monkeypatch, error)
    assert store.purge(AccessToken, now=2**40, limit=10) == 3


@pytest.mark.parametrize(
    "error", [Postgres("57014"), Exception(1205, "Lock wait timeout"), Exception("disk full")]
)
def test_any_other_error_is_one(store: SqlStore, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    fail_first(store, monkeypatch, error)
    with pytest.raises(OperationalError):
        store.purge(AccessToken, now=2**40, limit=10)
