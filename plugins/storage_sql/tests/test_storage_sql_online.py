"""A schema that grows while others write."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest
from sqlalchemy import Engine, event, inspect, text
from sqlalchemy.exc import DBAPIError
from support.children import wait_until

from portula.plugin import CORE_RECORDS, RecordType
from portula_storage_sql import migrate, online
from portula_storage_sql.engine import make_engine
from portula_storage_sql.store import SqlStore
from portula_testing.writing import add_to

INDEX = "ix_portula_contributed_label"


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    digest: str
    label: str = "x"
    about: str = "y"


PLAIN = (*CORE_RECORDS, RecordType("contributed", Note, keys=("digest",)))
INDEXED = (*CORE_RECORDS, RecordType("contributed", Note, keys=("digest",), indexes=("label",)))
UNIQUE = (*CORE_RECORDS, RecordType("contributed", Note, keys=("digest", "label")))


@pytest.fixture
def engine(empty_engine: Engine) -> Engine:
    """Return an engine on a database with rows in a table that lacks an index."""
    migrate.upgrade(empty_engine, PLAIN)
    store = SqlStore(empty_engine, PLAIN)
    for number in range(3):
        add_to(store, Note(digest=str(number)))
    store.close()
    return empty_engine


def said(engine: Engine) -> list[str]:
    """Return the statements that the engine sends from now on."""
    statements: list[str] = []

    @event.listens_for(engine, "before_cursor_execute")
    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    return statements


def test_an_index_of_a_table_with_rows_is_made_while_others_write(engine: Engine, backend: str) -> None:
    statements = said(engine)
    assert migrate.pending(engine, INDEXED) == [f"index {INDEX}"]
    assert migrate.upgrade(engine, INDEXED) == [f"index {INDEX}"]
    assert migrate.pending(engine, INDEXED) == []
    (made,) = [statement for statement in statements if statement.startswith("CREATE INDEX")]
    how = {"sqlite": "CREATE INDEX ix", "postgresql": "CONCURRENTLY", "mariadb": online.WITHOUT_LOCK}
    assert how[backend] in made


def test_a_new_table_gets_its_indexes_with_it(empty_engine: Engine) -> None:
    migrate.upgrade(empty_engine, CORE_RECORDS)
    statements = said(empty_engine)
    assert "table portula_contributed" in migrate.upgrade(empty_engine, INDEXED)
    assert not any("CONCURRENTLY" in made or online.WITHOUT_LOCK in made for made in statements)
    assert migrate.pending(empty_engine, INDEXED) == []


@pytest.mark.service
def test_of_several_that_upgrade_at_once_each_succeeds(engine: Engine) -> None:
    """Two that build an index of one table at the same time wait for each other on PostgreSQL."""
    note = RecordType("contributed", Note, keys=("digest",), indexes=("label", "about"))
    engines = [make_engine(engine.url) for _ in range(3)]
    for _ in range(6):
        together = threading.Barrier(3)

        def upgrade(own: Engine, together: threading.Barrier = together) -> None:
            together.wait(30)
            migrate.upgrade(own, (*CORE_RECORDS, note))

        with ThreadPoolExecutor(3) as pool:
            list(pool.map(upgrade, engines))
        assert migrate.pending(engine, (*CORE_RECORDS, note)) == []
        with engine.begin() as connection:
            for name in (INDEX, "ix_portula_contributed_about"):
                of_table = " ON portula_contributed" if engine.dialect.name == "mariadb" else ""
                connection.exec_driver_sql(f"DROP INDEX {name}{of_table}")
    for own in engines:
        own.dispose()


@pytest.mark.service
def test_nobody_waits_for_an_index_that_waits(engine: Engine, backend: str) -> None:
    """PostgreSQL waits for transactions that were open before; who comes after them writes all the same."""
    if backend != "postgresql":
        return
    with engine.connect() as slow, engine.connect() as other, ThreadPoolExecutor(1) as pool:
        slow.exec_driver_sql("BEGIN")
        slow.execute(text("INSERT INTO portula_contributed VALUES ('slow', 'x', 'y')"))
        upgrade = pool.submit(migrate.upgrade, engine, INDEXED)
        # With its number the index is in the catalogue, too.
        building = text("SELECT count(*) FROM pg_stat_progress_create_index WHERE index_relid <> 0")
        wait_until(lambda: other.execute(building).scalar())
        assert not upgrade.done()
        other.exec_driver_sql("SET lock_timeout = 10000")
        other.execute(text("INSERT INTO portula_contributed VALUES ('other', 'x', 'y')"))
        assert migrate.pending(engine, INDEXED) == []  # somebody is at it
        slow.exec_driver_sql("COMMIT")
        assert upgrade.result() == [f"index {INDEX}"]
    assert migrate.pending(engine, INDEXED) == []


@pytest.mark.service
def test_what_a_build_left_behind_is_made_anew(engine: Engine, backend: str) -> None:
    with pytest.raises(DBAPIError):
        migrate.upgrade(engine, UNIQUE)  # three rows have one label
    assert migrate.pending(engine, UNIQUE) == [f"index {INDEX}"]
    with engine.connect() as connection:
        connection.execute(text("UPDATE portula_contributed SET label = digest"))
    assert migrate.upgrade(engine, UNIQUE) == [f"index {INDEX}"]
    assert migrate.pending(engine, UNIQUE) == []
    (index,) = [
        index for index in inspect(engine).get_indexes("portula_contributed") if index["name"] == INDEX
    ]
    assert index["unique"]
