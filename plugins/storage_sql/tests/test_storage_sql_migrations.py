"""The schema: from empty, repeated, compared, extended, and raced for."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, inspect, text
from sqlalchemy.engine import URL
from support.processes import released_together

from portula.errors import ConfigError
from portula.plugin import CORE_RECORDS, Artifact, RecordType, shape_of
from portula_storage_sql import migrate
from portula_storage_sql.engine import make_engine
from portula_storage_sql.schema import VERSION_TABLE, current, is_complete
from portula_storage_sql.store import SqlStore
from portula_storage_sql.tables import metadata_of
from portula_testing.storage_samples import RECORDS, SAMPLE
from portula_testing.writing import add_to


@dataclass(frozen=True, slots=True, kw_only=True)
class Early:
    digest: str
    label: str = "x"


@dataclass(frozen=True, slots=True, kw_only=True)
class Late:
    """What Early became: a field of every type more, two of them searched."""

    digest: str
    label: str = "x"
    alias: str | None = None
    family: str = "it's 100% :family"
    number: int = 7
    flag: bool = True
    names: tuple[str, ...] = ("a",)
    payload: dict[str, Any] = field(default_factory=lambda: {"a": [1]})
    note: str = ""
    ended: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Demanding:
    digest: str
    needed: str


EARLY = RecordType("contributed", Early, keys=("digest",))
LATE = RecordType("contributed", Late, keys=("digest", "alias"), indexes=("family",), text=("note",))
DEMANDING = RecordType("contributed", Demanding, keys=("digest",))

UPGRADE = """
import json, sys
from portula_testing.storage_samples import RECORDS
from portula_storage_sql import migrate
from portula_storage_sql.engine import make_engine
print("ready", flush=True)
sys.stdin.readline()
print(json.dumps(migrate.upgrade(make_engine(sys.argv[1]), RECORDS)))
"""


def differences(engine: Engine, records: tuple[RecordType, ...]) -> list[Any]:
    """Compare the tables of these records with the database, types and all, as Alembic does."""
    metadata = metadata_of(map(shape_of, records))
    options = {
        "compare_type": True,
        "compare_server_default": True,
        "include_name": lambda name, kind, _: kind != "table" or name in metadata.tables,
    }
    with engine.connect() as connection:
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), metadata))


def test_an_empty_database_is_upgraded_once(empty_engine: Engine) -> None:
    assert current(empty_engine) is None
    pending = migrate.pending(empty_engine, RECORDS)
    told: list[str] = []
    done = migrate.upgrade(empty_engine, RECORDS, told.append)
    assert done == told
    assert done[0].startswith("migration 0001")
    assert pending[0] == done[0]
    assert "table portula_sample" in done
    assert current(empty_engine) == "0002"
    assert migrate.pending(empty_engine, RECORDS) == []
    assert migrate.upgrade(empty_engine, RECORDS) == []


def test_a_schema_is_complete_with_its_last_column_and_index(empty_engine: Engine) -> None:
    """It is seen without Alembic, and says no wherever that would find something to do."""
    metadata = metadata_of(map(shape_of, (*CORE_RECORDS, LATE)))
    assert not is_complete(empty_engine, metadata)
    migrate.upgrade(empty_engine, (*CORE_RECORDS, EARLY))
    assert not is_complete(empty_engine, metadata)
    migrate.upgrade(empty_engine, (*CORE_RECORDS, LATE))
    assert is_complete(empty_engine, metadata)
    unique = metadata_of([shape_of(replace(LATE, keys=(*LATE.keys, *LATE.indexes), indexes=()))])
    assert not is_complete(empty_engine, unique)
    with empty_engine.connect() as connection:
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))
    assert not is_complete(empty_engine, metadata)


def test_the_migrations_make_the_tables_the_code_reads(empty_engine: Engine) -> None:
    migrate.upgrade(empty_engine, RECORDS)
    assert differences(empty_engine, RECORDS) == []


def test_an_interrupted_migration_runs_again(empty_engine: Engine) -> None:
    migrate.upgrade(empty_engine, CORE_RECORDS)
    with empty_engine.connect() as connection:
        connection.execute(text("DELETE FROM portula_version"))
        connection.execute(text("DROP TABLE portula_artifact"))
    migrate.upgrade(empty_engine, CORE_RECORDS)
    assert differences(empty_engine, CORE_RECORDS) == []


@pytest.mark.parametrize("interrupted", [False, True], ids=["whole", "interrupted"])
def test_a_database_of_the_first_migration_is_brought_up_to_date(
    empty_engine: Engine, interrupted: bool
) -> None:
    migrate.upgrade(empty_engine, CORE_RECORDS)
    store = SqlStore(empty_engine, CORE_RECORDS)
    add_to(store, Artifact(digest="old", kind="sample", payload={"a": 1}, issued_at=1))
    store.close()
    with empty_engine.connect() as connection:
        connection.execute(text("UPDATE portula_version SET version_num = '0001'"))
        if not interrupted:
            connection.execute(text("ALTER TABLE portula_artifact DROP COLUMN subject"))
    [done] = migrate.upgrade(empty_engine, CORE_RECORDS)
    assert done.startswith("migration 0002")
    assert differences(empty_engine, CORE_RECORDS) == []
    store = SqlStore(empty_engine, CORE_RECORDS)
    found = store.find(Artifact, digest="old")
    store.close()
    assert found is not None
    assert (found.payload, found.subject) == ({"a": 1}, None)


def test_a_contributed_record_gains_a_table_and_later_columns_and_indexes(empty_engine: Engine) -> None:
    migrate.upgrade(empty_engine, CORE_RECORDS)
    assert migrate.upgrade(empty_engine, (*CORE_RECORDS, EARLY)) == ["table portula_contributed"]
    store = SqlStore(empty_engine, [EARLY])
    add_to(store, Early(digest="old", label="kept"))
    store.close()

    done = migrate.upgrade(empty_engine, (*CORE_RECORDS, LATE))
    assert {line for line in done if line.startswith("index")} == {
        "index ix_portula_contributed_alias",
        "index ix_portula_contributed_family",
    }
    assert "column portula_contributed.payload" in done
    assert migrate.pending(empty_engine, (*CORE_RECORDS, LATE)) == []
    store = SqlStore(empty_engine, [LATE])
    assert store.find(Late, digest="old") == Late(digest="old", label="kept")
    add_to(store, Late(digest="new", alias="a", ended=False))
    assert store.find(Late, alias="a") == Late(digest="new", alias="a", ended=False)
    store.close()


def test_what_a_record_no_longer_has_stays(empty_engine: Engine) -> None:
    migrate.upgrade(empty_engine, (*CORE_RECORDS, LATE))
    assert migrate.pending(empty_engine, (*CORE_RECORDS, EARLY)) == []
    assert migrate.pending(empty_engine, CORE_RECORDS) == []
    assert migrate.upgrade(empty_engine, (*CORE_RECORDS, EARLY)) == []
    with empty_engine.connect() as connection:
        columns = {column["name"] for column in inspect(connection).get_columns("portula_contributed")}
    assert "payload" in columns


def test_a_new_field_without_a_default_is_refused(empty_engine: Engine) -> None:
    migrate.upgrade(empty_engine, (*CORE_RECORDS, EARLY))
    with pytest.raises(ConfigError, match=r"portula_contributed.*needed"):
        migrate.upgrade(empty_engine, (*CORE_RECORDS, DEMANDING))


def test_tables_of_the_application_are_left_alone(empty_engine: Engine) -> None:
    with empty_engine.connect() as connection:
        connection.execute(text("CREATE TABLE mine (id INTEGER PRIMARY KEY)"))
        connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
        connection.execute(text("INSERT INTO alembic_version VALUES ('theirs')"))
    migrate.upgrade(empty_engine, RECORDS)
    with empty_engine.connect() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == "theirs"
        assert {"mine", "portula_grant", "portula_version"} <= set(inspect(connection).get_table_names())


@pytest.mark.thorough
def test_of_processes_that_upgrade_at_once_one_does_it(empty_url: URL) -> None:
    url = empty_url.render_as_string(hide_password=False)
    runs = [
        subprocess.Popen([sys.executable, "-c", UPGRADE, url], stdin=-1, stdout=-1, stderr=-1, text=True)
        for _ in range(3)
    ]
    outputs = released_together(runs, timeout=60)
    assert [(run.returncode, errors) for run, (_, errors) in zip(runs, outputs, strict=True)] == [(0, "")] * 3
    done = sorted((json.loads(output) for output, _ in outputs), key=len)
    assert done[:2] == [[], []]
    assert f"table portula_{SAMPLE.name}" in done[2]
    engine = make_engine(empty_url)
    assert migrate.pending(engine, RECORDS) == []
    engine.dispose()
