"""A database that refuses, hangs or has no connection free is told as such, in time, and used again when it is back."""

from __future__ import annotations

import socket
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy.engine import URL

from portula.errors import StorageDown
from portula.plugin import CORE_RECORDS, Grant
from portula_storage_sql import connections, engine, migrate
from portula_storage_sql.connections import PoolSize
from portula_storage_sql.driver_errors import down_of
from portula_storage_sql.engine import make_engine, parse_url
from portula_storage_sql.schema import VERSION_TABLE
from portula_storage_sql.store import SqlStore
from portula_testing.storage_samples import grant
from portula_testing.writing import add_to

URL_WITH_PASSWORD = parse_url("postgresql://u:sesame@127.0.0.1:1/x")


class Postgres(Exception):
    def __init__(self, sqlstate: str | None) -> None:
        self.sqlstate = sqlstate
        super().__init__("it says sesame\nand more")


@pytest.mark.parametrize("state", ["08006", "57P01", "57P03", "53100", "53300", "57014", "25006", "58030"])
def test_what_postgresql_says_when_it_cannot_serve(state: str) -> None:
    down = down_of(Postgres(state), URL_WITH_PASSWORD)
    assert "sesame" not in str(down)
    assert "\n" not in str(down)
    assert "*** does not" not in str(down)


@pytest.mark.parametrize(
    "number", [3, 20, 1026, 1030, 1040, 1047, 1114, 1180, 1205, 1317, 1969, 2003, 2006, 2013]
)
def test_what_mariadb_says_when_it_cannot_serve(number: int) -> None:
    assert down_of(Exception(number, "a reason"), URL_WITH_PASSWORD)


@pytest.mark.parametrize(
    "error",
    [Postgres("23505"), Postgres("42P01"), Postgres(None), Exception(1062, "x"), Exception("x"), None],
)
def test_other_errors_are_none_of_that(error: Exception | None) -> None:
    assert down_of(error, URL_WITH_PASSWORD) is None


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "down.sqlite3"
    migrate.upgrade(make_engine(f"sqlite:///{path}"), CORE_RECORDS)
    return path


def test_a_file_that_somebody_holds(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "BUSY_SECONDS", 0.1)
    store = SqlStore(make_engine(f"sqlite:///{file}"), CORE_RECORDS)
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StorageDown, match="locked"):
        add_to(store, grant("code"))
    other.execute("ROLLBACK")
    other.close()
    add_to(store, grant("code"))
    store.close()


def test_a_file_that_cannot_be_opened(file: Path) -> None:
    store = SqlStore(make_engine(f"sqlite:///{file.parent}"), CORE_RECORDS)
    with pytest.raises(StorageDown):
        store.find(Grant, digest="code")
    with pytest.raises(StorageDown):
        add_to(store, grant("code"))


def test_a_file_that_is_no_database(file: Path) -> None:
    file.write_text("Ceci n'est pas une base de données.")
    store = SqlStore(make_engine(f"sqlite:///{file}"), CORE_RECORDS)
    for use in (store.ready, lambda: store.find(Grant, digest="code")):
        with pytest.raises(StorageDown, match="does not answer: file is not a database"):
            use()


def test_threads_wait_for_a_connection_and_not_for_ever(file: Path) -> None:
    store = SqlStore(make_engine(f"sqlite:///{file}"), CORE_RECORDS, pool=PoolSize(1, 0, 0.3))
    with store._connections.connection():
        began = time.monotonic()
        with pytest.raises(StorageDown, match="DATABASE_POOL_SIZE: none of 1 connections"):
            store.find(Grant, digest="code")
        assert 0.2 < time.monotonic() - began < 10
    assert store.find(Grant, digest="code") is None
    store.close()


def test_a_connection_that_is_given_back_goes_to_who_waits(file: Path) -> None:
    store = SqlStore(make_engine(f"sqlite:///{file}"), CORE_RECORDS, pool=PoolSize(1, 1, 30))
    found: list[object] = []
    threads = [
        threading.Thread(target=lambda: found.append(store.find(Grant, digest="code"))) for _ in range(20)
    ]
    with store._connections.connection(), store._connections.connection():
        for thread in threads:
            thread.start()
        time.sleep(0.1)
        assert found == []
    for thread in threads:
        thread.join(30)
    assert found == [None] * 20
    assert store._connections._pool.open == 1  # the other one was closed
    store.close()


def test_after_a_refusal_nobody_tries_for_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    store = SqlStore(make_engine("postgresql://u:sesame@127.0.0.1:1/x"), CORE_RECORDS)
    tried: list[None] = []
    connect = store.engine.connect
    monkeypatch.setattr(store.engine, "connect", lambda: (tried.append(None), connect())[1])
    for _ in range(3):
        with pytest.raises(StorageDown, match="does not answer"):
            store.find(Grant, digest="code")
    assert len(tried) == 1
    monkeypatch.setattr(connections, "RETRY_SECONDS", 0.0)
    store._connections._pool.retry_at = 0.0
    with pytest.raises(StorageDown):
        store.find(Grant, digest="code")
    assert len(tried) == 2


class Between:
    """Stands between a client and a server, and hands nothing on while it hangs, as a machine does."""

    def __init__(self, target: int) -> None:
        self.target, self.flows = target, threading.Event()
        self.flows.set()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                threading.Thread(target=self._join, args=[client], daemon=True).start()

    def _join(self, client: socket.socket) -> None:
        self.flows.wait()
        with suppress(OSError), client, socket.create_connection(("127.0.0.1", self.target)) as server:
            back = threading.Thread(target=self._carry, args=[server, client], daemon=True)
            back.start()
            self._carry(client, server)
            back.join()

    def _carry(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while part := source.recv(1 << 16):
                self.flows.wait()
                sink.sendall(part)
        with suppress(OSError):
            sink.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self.flows.set()
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()


@pytest.fixture
def between(empty_url: URL) -> Iterator[Between]:
    made = Between(empty_url.port or 0)
    yield made
    made.close()


@pytest.mark.service
def test_a_server_that_hangs_is_given_up_in_time(
    empty_url: URL, between: Between, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "RETRY_SECONDS", 600)
    bounded = make_engine(empty_url.set(port=between.port), connect_timeout=2, statement_timeout=1)
    migrate.upgrade(bounded, CORE_RECORDS)
    store = SqlStore(bounded, CORE_RECORDS)
    tried: list[None] = []
    connect = store.engine.connect
    monkeypatch.setattr(store.engine, "connect", lambda: (tried.append(None), connect())[1])
    add_to(store, grant("code"))
    between.flows.clear()
    for number in (1, 2):  # on the connection that is there, and on a new one
        began = time.monotonic()
        with pytest.raises(StorageDown):
            store.find(Grant, digest="code")
        assert time.monotonic() - began < 10
        assert len(tried) == number
    with pytest.raises(StorageDown):
        add_to(store, grant("other"))
    assert len(tried) == 2, "nobody tries for a moment"
    between.flows.set()
    store._connections._pool.retry_at = 0.0
    assert store.find(Grant, digest="code") is not None
    store.close()


@pytest.mark.service
def test_a_statement_that_takes_too_long_is_ended(backend: str, empty_url: URL) -> None:
    slow = "SELECT pg_sleep(20)" if backend == "postgresql" else "SELECT SLEEP(20)"
    bounded = make_engine(empty_url, statement_timeout=0.5)
    store = SqlStore(bounded, CORE_RECORDS)
    began = time.monotonic()
    with pytest.raises(StorageDown), store._connections.connection() as connection:
        connection.exec_driver_sql(slow)
    assert time.monotonic() - began < 10
    assert store._connections._pool.open == 0
    store.close()


def test_a_newer_schema_is_served(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    with sqlite3.connect(file) as connection:
        connection.execute(f"UPDATE {VERSION_TABLE} SET version_num = '9999'")
        connection.execute("ALTER TABLE portula_grant ADD COLUMN invented VARCHAR(10)")
        connection.execute("CREATE TABLE portula_invented (id VARCHAR(10))")
    connection.close()
    made = make_engine(f"sqlite:///{file}")
    store = SqlStore(made, CORE_RECORDS)
    store.ready()
    assert "newer than this release" in caplog.text
    assert migrate.pending(made, CORE_RECORDS) == []
    assert migrate.upgrade(made, CORE_RECORDS) == []
    add_to(store, grant("code"))
    assert store.find(Grant, digest="code") is not None
    store.fits()
    store.close()


def test_a_version_that_is_none_of_ours_stops(file: Path) -> None:
    with sqlite3.connect(file) as connection:
        connection.execute(f"UPDATE {VERSION_TABLE} SET version_num = 'abcdef'")
    connection.close()
    with pytest.raises(Exception, match="no migration of portula"):
        SqlStore(make_engine(f"sqlite:///{file}"), CORE_RECORDS).ready()
