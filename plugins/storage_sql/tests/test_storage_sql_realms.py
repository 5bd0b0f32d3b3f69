"""Realms in SQL: every search goes along an index, and models of a deployment's own may have a column for them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine, UniqueConstraint, event, inspect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from portula.errors import ConfigError, DuplicateRecord
from portula.host.modes import storage_check_deferred
from portula.plugin import (
    CORE_RECORDS,
    TO_AUTHORIZATION,
    TO_CLIENT,
    AccessToken,
    Application,
    RecordType,
    Storage,
    shape_of,
)
from portula_storage_sql import migrate
from portula_storage_sql.engine import make_engine
from portula_storage_sql.models import AccessTokenMixin, ApplicationMixin, short_text
from portula_storage_sql.store import SqlStore
from portula_testing.provider import make_provider
from portula_testing.storage_samples import access_token
from portula_testing.writing import add_to, change_in, remove_from


class Base(DeclarativeBase):
    """The deployment's own declarative base."""


class Client(ApplicationMixin, Base):
    __tablename__ = "own_client_of_realms"
    __table_args__ = (UniqueConstraint("realm", "client_id"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    realm: Mapped[str] = mapped_column(short_text())
    client_id: Mapped[str] = mapped_column(short_text())


class Token(AccessTokenMixin, Base):
    __tablename__ = "own_token_of_realms"
    realm: Mapped[str] = mapped_column(short_text())


class Plain(ApplicationMixin, Base):
    __tablename__ = "own_client_without_realms"


def modelled(models: dict[str, Any]) -> tuple[RecordType, ...]:
    """Return core's record types, these models in the place of some."""
    return tuple(
        replace(
            record,
            cls=models[record.name].portula_record(record),
            replaces=record.cls,
            model=models[record.name],
        )
        if record.name in models
        else record
        for record in CORE_RECORDS
    )


def storage_of(store: SqlStore, realm: str) -> Storage:
    """Return the storage of a provider of a realm, as it is made at start."""
    classes = [(record.replaces or record.cls, record) for record in store.records]
    routes = {cls: store for base, record in classes for cls in (base, record.cls)}
    models = {base: record.cls for base, record in classes}
    return Storage(routes, models, {record.cls: realm for _, record in classes if record.in_realm})


@pytest.fixture
def store(empty_engine: Engine) -> Iterator[SqlStore]:
    """A store whose clients and access tokens are in the deployment's tables, which have realms."""
    Base.metadata.create_all(empty_engine)
    records = modelled({"application": Client, "access_token": Token})
    migrate.upgrade(empty_engine, records)
    made = SqlStore(empty_engine, records)
    yield made
    made.close()


def test_models_with_a_column_for_it_keep_realms_apart(store: SqlStore) -> None:
    north, south = storage_of(store, "north"), storage_of(store, "south")
    for number, realm in enumerate((north, south)):
        add_to(realm, Application(client_id="c", name=f"{number}"))
        add_to(realm, replace(access_token(f"token {number}"), client_id="c", authorization=None))
        with pytest.raises(DuplicateRecord):
            add_to(realm, Application(client_id="c"))
    for number, realm in enumerate((north, south)):
        found = realm.find_along(AccessToken, TO_AUTHORIZATION, TO_CLIENT, digest=("token 0", "token 1"))
        assert found is not None
        assert (found[0].digest, found[1], found[2].name) == (f"token {number}", None, f"{number}")
        assert [client.name for client in realm.walk(Application, "created_at")] == [f"{number}"]
    assert change_in(south, AccessToken, {"digest": ("token 0", "token 1")}, revoked_at=9) == 1
    assert south.purge(AccessToken, now=100, limit=10) == 1
    assert remove_from(south, Application, client_id="c") == 1
    assert [len(north.select(cls)) for cls in (Application, AccessToken)] == [1, 1]


def test_a_model_without_the_column_keeps_the_realm_without_a_name_alone(tmp_path: Any) -> None:
    given = {"STORAGE": "storage_sql", "DATABASE_URL": f"sqlite:///{tmp_path / 'own.sqlite3'}"}

    def start(**settings: Any) -> Any:
        with storage_check_deferred():
            return make_provider("storage_sql", settings={**given, **settings})

    provider = start(APPLICATION_MODEL=Plain)
    engine = provider.stores["storage_sql"].engine
    Base.metadata.create_all(engine)
    add_to(provider.storage, Application(client_id="c"))
    assert provider.storage.find(Application, client_id="c").realm == ""
    assert "realm" not in {column["name"] for column in inspect(engine).get_columns(Plain.__tablename__)}
    refused = r"^APPLICATION_MODEL: .*\.Plain: records of the realm 'staff' need a column `realm`"
    for settings in (
        {"REALM": "staff"},
        {"CLIENTS_SHARED": "staff"},
        {"REALM": "x", "CLIENTS_SHARED": "staff"},
    ):
        with pytest.raises(ConfigError, match=refused):
            start(APPLICATION_MODEL=Plain, **settings)
    shared = start(APPLICATION_MODEL=Plain, REALM="staff", CLIENTS_SHARED="")
    assert shared.storage.find(Application, client_id="c") is not None
    start(APPLICATION_MODEL=Client, REALM="staff")
    provider.stores["storage_sql"].close()
    shared.stores["storage_sql"].close()


def test_the_primary_key_of_clients_is_a_number_of_the_table(empty_engine: Engine) -> None:
    """So that a deployment's foreign keys can name a client by one column."""
    migrate.upgrade(empty_engine, CORE_RECORDS)
    found = inspect(empty_engine)
    assert found.get_pk_constraint("portula_application")["constrained_columns"] == ["id"]
    unique = [index["column_names"] for index in found.get_indexes("portula_application") if index["unique"]]
    assert unique == [["realm", "client_id"]]


def test_a_field_of_the_name_of_the_surrogate_is_refused() -> None:
    named = replace(CORE_RECORDS[1], surrogate=True)
    with pytest.raises(ConfigError, match=r"record authorization: .* column id"):
        shape_of(named)


@pytest.fixture
def plans(tmp_path: Any) -> Iterator[tuple[Storage, list[tuple[str, list[str]]]]]:
    """A storage of core's records on SQLite, and how each statement is carried out that it sends."""
    engine = make_engine(f"sqlite:///{tmp_path / 'plans.sqlite3'}")
    migrate.upgrade(engine, CORE_RECORDS)
    store, found = SqlStore(engine, CORE_RECORDS), []

    @event.listens_for(engine, "after_cursor_execute")
    def explain(_: Any, cursor: Any, statement: str, parameters: Any, *rest: Any) -> None:
        if not statement.startswith("PRAGMA"):
            rows = cursor.connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters).fetchall()
            found.append((statement, [row[3] for row in rows]))

    yield storage_of(store, "north"), found
    store.close()
    engine.dispose()


@pytest.mark.parametrize("record", CORE_RECORDS, ids=lambda record: record.name)
def test_whatever_is_searched_for_goes_along_an_index(record: RecordType, plans: Any) -> None:
    storage, found = plans
    for name in (*record.keys, *record.indexes):
        found.clear()
        storage.select(record.cls, **{name: "x"})
        ((statement, (search, *_)),) = found
        assert search.startswith("SEARCH"), statement
        assert f"{name}=?" in search, search
    for *names, by in record.orders:
        found.clear()
        storage.walk(record.cls, by, **dict.fromkeys(names, "x"))
        storage.walk(record.cls, by, descending=True, after=("1", "k"), **dict.fromkeys(names, "x"))
        for _, steps in found:
            assert len(steps) == 1, steps
            assert "=? AND ".join(["(realm", *names]) in steps[0], steps
    if record.expires:
        found.clear()
        storage.purge(record.cls, now=1, limit=1)
        storage.count_expired(record.cls, now=1, limit=1)
        for statement, steps in found:
            assert any(f"realm=? AND {record.expires}" in step for step in steps), (statement, steps)
            assert not any("B-TREE" in step for step in steps), steps
