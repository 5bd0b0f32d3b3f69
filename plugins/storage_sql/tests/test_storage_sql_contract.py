"""The SQL store keeps the contract of every storage, on each engine."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence

import pytest
from sqlalchemy.engine import URL

from portula.plugin import RecordType, shape_of
from portula_storage_sql import migrate
from portula_storage_sql.engine import make_engine
from portula_storage_sql.store import SqlStore
from portula_storage_sql.tables import metadata_of
from portula_testing.contracts import StorageContract, WalkContract
from portula_testing.storage_samples import MakeStore


class TestSqlStore(WalkContract, StorageContract):
    """The contract, on SQL."""

    shares = True
    prepared_statements = True

    @pytest.fixture
    def make_store(self, database_url: URL, prepared: Callable[..., None]) -> Iterator[MakeStore]:
        stores: list[SqlStore] = []

        def make(records: Sequence[RecordType]) -> SqlStore:
            store = SqlStore(make_engine(database_url, prepared_statements=self.prepared_statements), records)
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
