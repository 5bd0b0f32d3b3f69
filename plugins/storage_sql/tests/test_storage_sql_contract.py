"""The SQL store keeps the contract of every storage, on each engine."""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable, Iterator, Sequence

import pytest
from sqlalchemy import Engine
from sqlalchemy.engine import URL
from support.databases import galera_nodes

from portula.plugin import RecordType, shape_of
from portula_storage_sql import migrate
from portula_storage_sql import prepared_statements as prepared_module
from portula_storage_sql.engine import make_engine
from portula_storage_sql.store import SqlStore
from portula_storage_sql.tables import metadata_of
from portula_testing.contracts import StorageContract, WalkContract
from portula_testing.plans_contract import PlanContract
from portula_testing.storage_samples import MakeStore


class SqlStores:
    """Makes the stores of a contract, on SQL."""

    shares = True
    prepared_statements = True

    @pytest.fixture(autouse=True)
    def prepared_at_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let PostgreSQL prepare each statement when it is first executed, and not the fifth time."""
        monkeypatch.setattr(prepared_module, "EXECUTIONS", 1)

    @pytest.fixture
    def nodes(self, database_url: URL) -> Sequence[URL]:
        """Return where stores connect to, one after the other."""
        return [database_url]

    @pytest.fixture
    def make_store(
        self, database_url: URL, nodes: Sequence[URL], prepared: Callable[..., None]
    ) -> Iterator[MakeStore]:
        stores: list[SqlStore] = []

        def make(records: Sequence[RecordType]) -> SqlStore:
            node = nodes[len(stores) % len(nodes)]
            store = SqlStore(make_engine(node, prepared_statements=self.prepared_statements), records)
            if not stores:
                prepared(store.engine, tuple(records), lambda: migrate.upgrade(store.engine, records))
                if database_url.get_backend_name() != "sqlite":  # a file is new
                    with store.engine.connect() as connection:
                        for table in metadata_of(map(shape_of, records)).sorted_tables:
                            connection.execute(table.delete())
            stores.append(store)
            return store

        yield make
        for store in stores:
            store.close()


class TestSqlStore(SqlStores, WalkContract, StorageContract):
    """The contract, on SQL."""


@pytest.mark.service
class TestSqlStoreBehindPgbouncer(TestSqlStore):
    """The contract, on PostgreSQL behind a proxy that gives the connection away after each transaction."""

    prepared_statements = False

    @pytest.fixture
    def database_url(self, shared_database: Callable[[str], URL]) -> URL:
        port = os.environ.get("PORTULA_TEST_PGBOUNCER_PORT")
        if port is None:
            pytest.fail("PORTULA_TEST_PGBOUNCER_PORT is not set: start the services first")
        return shared_database("postgresql").set(port=int(port))


@pytest.mark.service
class TestSqlStoresOnGalera(SqlStores, PlanContract):
    """What is true of plans, on a cluster of MariaDB: each store is at another node, where a test has several."""

    @pytest.fixture
    def database_url(self, shared_database: Callable[[str], URL]) -> URL:
        return shared_database("galera")

    @pytest.fixture
    def nodes(self, database_url: URL) -> Sequence[URL]:
        """Return all nodes."""
        return galera_nodes(database_url)

    @pytest.fixture(scope="class")
    @classmethod
    def prepared(cls) -> Callable[[Engine, Hashable, Callable[[], object]], None]:
        """Return a function that makes the tables once: no other test has this database."""
        known: set[Hashable] = set()

        def prepare(_: Engine, key: Hashable, make: Callable[[], object]) -> None:
            if key not in known:
                make()
            known.add(key)

        return prepare
