"""Statements that PostgreSQL has prepared: they answer, and fail, as those that a cursor sends."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from psycopg import capabilities
from sqlalchemy import Executable, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import ProgrammingError
from support.children import wait_until

from portula.errors import DuplicateRecord, RecordReplayed, StorageDown
from portula.plugin import CORE_RECORDS, Grant, Plan
from portula_storage_sql import migrate
from portula_storage_sql import prepared_statements as prepared_module
from portula_storage_sql.connections import PoolSize, Write
from portula_storage_sql.engine import make_engine
from portula_storage_sql.prepared_statements import EXECUTIONS, NumberedStatement
from portula_storage_sql.store import SqlStore
from portula_testing.storage_samples import grant
from portula_testing.writing import add_to, take_from

pytestmark = pytest.mark.service

Open = Callable[..., SqlStore]


@pytest.fixture
def url(create_database: Callable[[str], URL]) -> URL:
    return create_database("postgresql")


@pytest.fixture
def open_store(url: URL) -> Iterator[Open]:
    """Return a function that opens a store of one connection on a database of this test."""
    opened: list[SqlStore] = []

    def open_one(**options: Any) -> SqlStore:
        store = SqlStore(make_engine(url, **options), CORE_RECORDS, pool=PoolSize(1))
        migrate.upgrade(store.engine, CORE_RECORDS)
        store.close()
        opened.append(store)
        return store

    yield open_one
    for store in opened:
        store.close()


@contextmanager
def driver_of(store: SqlStore) -> Iterator[Any]:
    """Lend the one connection of a store."""
    with store._connections.connection() as connection:
        yield connection.connection.driver_connection


def names_of(store: SqlStore) -> list[str]:
    """Return what the server has prepared on the one connection of a store."""
    with driver_of(store) as driver:
        return [row[0] for row in driver.execute("SELECT name FROM pg_prepared_statements").fetchall()]


def test_a_statement_is_prepared_once_it_is_executed_often(open_store: Open) -> None:
    store = open_store()
    add_to(store, grant("code"))
    for _ in range(EXECUTIONS - 1):
        assert store.find(Grant, digest="code") == grant("code")
    assert names_of(store) == []
    for digest in ("code", "other", "code"):
        assert (store.find(Grant, digest=digest) is None) == (digest == "other")
    assert [name.rpartition("_")[2] for name in names_of(store)] == ["1"]
    store.close()
    assert store.find(Grant, digest="code") == grant("code"), "a new connection has prepared nothing"
    assert names_of(store) == []


def test_nothing_is_prepared_where_the_setting_says_so(open_store: Open) -> None:
    store = open_store(prepared_statements=False)
    add_to(store, grant("code"))
    for _ in range(EXECUTIONS + 2):
        assert store.find(Grant, digest="code") == grant("code")
    assert names_of(store) == []


def test_no_connection_has_more_than_so_many(open_store: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepared_module, "EXECUTIONS", 1)
    monkeypatch.setattr(prepared_module, "MOST", 1)
    store = open_store()
    add_to(store, grant("code"))
    for _ in range(3):
        assert store.find(Grant, digest="code") == grant("code")
        assert store.select(Grant) == [grant("code")]
    assert len(names_of(store)) == 1


@pytest.fixture
def store(open_store: Open, monkeypatch: pytest.MonkeyPatch) -> SqlStore:
    monkeypatch.setattr(prepared_module, "EXECUTIONS", 1)
    return open_store()


@pytest.mark.parametrize(
    "value", ["", "ü 日 \U0010ffff", "$1 %s %(w_digest)s :x ? \\ ' \"", "x" * 100_000, "\n\t\r "]
)
def test_text_comes_back_as_it_was(store: SqlStore, value: str) -> None:
    record = grant("code", redirect_uri=value)
    add_to(store, record)
    for _ in range(2):
        found = store.find(Grant, digest="code")
        assert found is not None
        assert found == record


@pytest.mark.parametrize("value", ["a\0b", "\0"])
def test_a_value_that_cannot_be_sent_is_refused_and_the_connection_goes_on(
    store: SqlStore, value: str
) -> None:
    statement = NumberedStatement(b"SELECT $1::VARCHAR", ("a",))
    for _ in range(2):
        with driver_of(store) as driver, pytest.raises(psycopg.DataError):
            driver.execute_prepared(statement, {"a": value})
    with driver_of(store) as driver:
        for given in ("a", None, True, 12):
            (row,) = driver.execute_prepared(statement, {"a": given}).rows
            assert row == (None if given is None else {True: "t"}.get(given, str(given)),)


def test_a_key_that_is_taken_and_a_condition_that_does_not_hold_are_told(store: SqlStore) -> None:
    add_to(store, grant("code"))
    for _ in range(3):
        with pytest.raises(DuplicateRecord):
            add_to(store, grant("code"))
    take_from(store, grant("code"), 2)
    for _ in range(3):
        with pytest.raises(RecordReplayed):
            take_from(store, grant("code"), 3)
    assert store._connections._pool.open == 1


@pytest.mark.parametrize("value", [1.5, Decimal(7), uuid.UUID(int=7)], ids=str)
def test_a_value_of_another_type_is_left_to_psycopg(open_store: Open, value: Any) -> None:
    store = open_store()
    add_to(store, grant("code"))
    for _ in range(EXECUTIONS + 2):
        plan = Plan()
        plan.change(
            Grant,
            "code",
            **({"redirect_uri": value} if isinstance(value, uuid.UUID) else {"taken_at": value}),
        )
        store.apply(plan)
    assert store.find(Grant, digest="code") is not None


def _write_and_fail(write: Write, find: Executable) -> None:
    write(find, {"w_digest": "code"})
    raise KeyError


def test_a_transaction_that_is_rolled_back_takes_nothing_with_it(store: SqlStore) -> None:
    add_to(store, grant("code"))
    find = store.statements(Grant).find((("digest", "="),))
    for _ in range(EXECUTIONS + 2):
        with pytest.raises(KeyError), store._connections.transaction() as write:
            _write_and_fail(write, find)
        before = names_of(store)
        assert store.find(Grant, digest="code") == grant("code")
        assert names_of(store) == before != []


@pytest.mark.parametrize("encoding", ["latin1", "utf8"])
def test_text_is_sent_in_the_encoding_of_the_connection(open_store: Open, url: URL, encoding: str) -> None:
    open_store()
    store = SqlStore(
        make_engine(url.update_query_dict({"client_encoding": encoding})), CORE_RECORDS, pool=PoolSize(1)
    )
    for number in range(EXECUTIONS + 2):
        record = grant(f"code{number}", redirect_uri="https://é.example/ü")
        add_to(store, record)
        assert store.find(Grant, digest=f"code{number}") == record
    ours = [name for name in names_of(store) if name.startswith("portula_")]
    assert bool(ours) == (encoding == "utf8")
    store.close()


def test_what_is_stale_does_not_stay_at_the_server(store: SqlStore) -> None:
    add_to(store, grant("code"))
    for number in range(5):
        assert store.find(Grant, digest="code") == grant("code")
        with driver_of(store) as driver:
            driver.execute(f"ALTER TABLE portula_grant ALTER COLUMN scope TYPE VARCHAR({9000 + number})")
    assert len(names_of(store)) == 2, "one for the plan, one for the search"


@pytest.mark.parametrize(
    "change", ["ALTER TABLE portula_grant ALTER COLUMN scope TYPE VARCHAR(9999)", "DEALLOCATE ALL"]
)
def test_what_the_server_no_longer_has_is_prepared_anew(store: SqlStore, change: str) -> None:
    add_to(store, grant("code"))
    assert store.find(Grant, digest="code") == grant("code")
    with driver_of(store) as driver:
        driver.execute(change)
    for _ in range(2):
        assert store.find(Grant, digest="code") == grant("code")
    with driver_of(store) as driver:
        driver.execute("ALTER TABLE portula_grant ALTER COLUMN scope TYPE TEXT")
    find = store.statements(Grant).find((("digest", "="),))
    with store._connections.transaction() as write:
        driver.execute("DEALLOCATE ALL")
        with pytest.raises(ProgrammingError):
            write(find, {"w_digest": "code"})
    assert store.find(Grant, digest="code") == grant("code")


def test_a_statement_that_cannot_be_prepared_is_an_error_each_time(store: SqlStore) -> None:
    statement = NumberedStatement(b"SELECT nothing FROM nowhere WHERE a = $1", ("a",))
    for _ in range(2):
        with driver_of(store) as driver, pytest.raises(psycopg.errors.UndefinedTable):
            driver.execute_prepared(statement, {"a": "a"})
    add_to(store, grant("code"))
    assert store.find(Grant, digest="code") is not None


def test_a_read_is_sent_once_more_on_a_new_connection(store: SqlStore) -> None:
    add_to(store, grant("code"))
    assert store.find(Grant, digest="code") is not None
    cut(store)
    assert store.find(Grant, digest="code") is not None


def test_a_write_finds_a_connection_that_is_there(store: SqlStore) -> None:
    add_to(store, grant("code"))
    add_to(store, grant("second"))
    cut(store)
    add_to(store, grant("third"))
    assert store.find(Grant, digest="third") is not None


def cut(store: SqlStore, which: str = "true") -> int:
    """Let the server end connections to the database; return how many."""
    admin = make_engine(store.engine.url)
    with admin.connect() as connection:
        ended = connection.execute(
            text(
                "SELECT pg_terminate_backend(pid, 9000) FROM pg_stat_activity "
                f"WHERE datname = current_database() AND pid <> pg_backend_pid() AND {which}"
            )
        ).all()
    admin.dispose()
    return len(ended)


@contextmanager
def held(store: SqlStore) -> Iterator[None]:
    """Keep others from writing grants."""
    other = make_engine(store.engine.url)
    with other.connect() as connection:
        connection.exec_driver_sql("BEGIN")
        connection.exec_driver_sql("LOCK TABLE portula_grant IN EXCLUSIVE MODE")
        try:
            yield
        finally:
            connection.invalidate()
    other.dispose()


def test_a_write_that_is_not_answered_in_time_is_given_up(open_store: Open, store: SqlStore) -> None:
    hasty = open_store(statement_timeout=1)
    add_to(hasty, grant("code"))
    with held(store):
        began = time.monotonic()
        with pytest.raises(StorageDown, match="no answer within 1 s"):
            add_to(hasty, grant("late"))
        assert time.monotonic() - began < 10
        assert hasty._connections._pool.open == 0
    if (
        capabilities.has_cancel_safe()
    ):  # else the server goes on by itself, and nobody knows what became of the write
        assert store.find(Grant, digest="late") is None
        add_to(store, grant("late"))


def test_a_write_whose_connection_is_cut_is_not_sent_again(open_store: Open) -> None:
    store = open_store()
    add_to(store, grant("code"))
    failures: list[BaseException] = []

    def write() -> None:
        try:
            add_to(store, grant("cut"))
        except StorageDown as error:
            failures.append(error)

    with held(store):
        thread = threading.Thread(target=write)
        thread.start()
        wait_until(lambda: cut(store, "wait_event_type = 'Lock'") == 1)
        thread.join(10)
    assert len(failures) == 1
    assert store.find(Grant, digest="cut") is None
    add_to(store, grant("cut"))


def test_a_statement_and_an_answer_that_are_longer_than_the_buffers_of_a_socket(store: SqlStore) -> None:
    statement = NumberedStatement(b"SELECT $1::VARCHAR || $2::VARCHAR", ("a", "b"))
    long = "x" * 8_000_000
    with driver_of(store) as driver:
        (row,) = driver.execute_prepared(statement, {"a": long, "b": "y"}).rows
        assert row == (f"{long}y",)
