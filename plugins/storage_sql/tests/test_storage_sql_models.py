"""Mapped classes of a deployment's own stand for core's records, each by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import BigInteger, Engine, ForeignKey, Integer, String, inspect, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

from portula import Plugin, plugin
from portula.errors import ConfigError, DuplicateRecord, RecordReplayed
from portula.host.models import StorageModel
from portula.host.modes import storage_check_deferred
from portula.plugin import CORE_RECORDS, ID_TOKEN_RECORD, Application, ApplicationPolicy, RecordType, Storage
from portula_storage_sql import migrate
from portula_storage_sql.engine import make_engine
from portula_storage_sql.models import (
    AccessTokenMixin,
    ApplicationMixin,
    GrantMixin,
    IDTokenMixin,
    Model,
    RefreshTokenMixin,
    short_text,
)
from portula_storage_sql.schema import lacking
from portula_storage_sql.store import SqlStore
from portula_storage_sql.tables import metadata_of
from portula_testing.contracts import StorageContract, WalkContract
from portula_testing.provider import make_provider
from portula_testing.storage_samples import MakeStore
from portula_testing.writing import add_to, change_in


class Base(DeclarativeBase):
    """The deployment's own declarative base."""


class Tenant(Base):
    __tablename__ = "own_tenant"
    id: Mapped[int] = mapped_column(primary_key=True)


class Paying(ApplicationPolicy):
    """A policy that any class of clients may have."""

    plan: str

    def is_usable(self, request: object) -> bool:
        return super().is_usable(request) and self.plan != "overdue"


class Client(Paying, ApplicationMixin, Base):
    __tablename__ = "own_client"
    id: Mapped[int] = mapped_column(primary_key=True)
    client_id: Mapped[str] = mapped_column(short_text(), unique=True)
    owner_id: Mapped[int | None] = mapped_column("tenant_fk", ForeignKey(Tenant.id))
    plan: Mapped[str] = mapped_column(String(20), default="trial")
    region: Mapped[str] = mapped_column(String(20), server_default="eu")
    owner: Mapped[Tenant | None] = relationship()

    LIMIT = 2

    def origin_allowed(self, origin: str) -> bool:
        return self.owner_id == self.LIMIT or super().origin_allowed(origin)

    @classmethod
    def of_nobody(cls) -> Any:
        return cls(client_id="of nobody")


class Code(GrantMixin, Base):
    __tablename__ = "own_code"
    note: Mapped[str | None] = mapped_column(String(40))


class Token(AccessTokenMixin, Base):
    __tablename__ = "own_token"


class Refresh(RefreshTokenMixin, Base):
    __tablename__ = "own_refresh"


class Identity(IDTokenMixin, Base):
    __tablename__ = "own_identity"


MODELS: dict[str, type[StorageModel]] = {
    "application": Client,
    "grant": Code,
    "access_token": Token,
    "refresh_token": Refresh,
    "id_token": Identity,
}


def swapped(records: Sequence[RecordType], *names: str) -> tuple[RecordType, ...]:
    """Put the models in the place of these record classes, as a provider does at start."""
    return tuple(
        replace(
            record,
            cls=MODELS[record.name].portula_record(record),
            replaces=record.cls,
            model=MODELS[record.name],
        )
        if record.name in (names or MODELS)
        else record
        for record in records
    )


ALL = swapped((*CORE_RECORDS, ID_TOKEN_RECORD))


@pytest.fixture
def engine(empty_engine: Engine) -> Engine:
    """A database in which the deployment's own migrations have run."""
    Base.metadata.create_all(empty_engine)
    return empty_engine


@pytest.fixture
def clients(engine: Engine) -> Iterator[tuple[SqlStore, Any]]:
    """A store whose clients are in the deployment's table, and their record class."""
    records = swapped(CORE_RECORDS, "application")
    migrate.upgrade(engine, records)
    store = SqlStore(engine, records)
    yield store, records[0].cls
    store.close()


class Swapping:
    """A store that is asked for core's classes, and answers with them, as the contract compares."""

    def __init__(self, store: SqlStore, records: Sequence[RecordType]) -> None:
        self._bases = {record.cls: record.replaces for record in records if record.replaces}
        routes = {cls: store for record in records for cls in (record.replaces or record.cls, record.cls)}
        self._storage = Storage(routes, {base: cls for cls, base in self._bases.items()})

        self._store = store

    def purge(self, cls: type[Any], /, **given: Any) -> int:
        return self._store.purge(self._storage.model(cls), **given)

    def count_expired(self, cls: type[Any], /, **given: Any) -> int:
        return self._store.count_expired(self._storage.model(cls), **given)

    def __getattr__(self, name: str) -> Any:
        act = getattr(self._storage, name)

        def answer(*arguments: Any, **conditions: Any) -> Any:
            try:
                answered = act(*arguments, **conditions)
            except RecordReplayed as error:
                raise RecordReplayed(self._based(error.record)) from error
            return [self._based(row) for row in answered] if name == "select" else self._based(answered)

        return answer

    def _based(self, record: Any) -> Any:
        base = self._bases.get(type(record))
        return (
            record
            if base is None
            else base(**{field.name: getattr(record, field.name) for field in fields(base)})
        )


@pytest.mark.thorough
class TestOwnModels(WalkContract, StorageContract):
    """The contract of every storage, on five tables of the deployment's own."""

    shares = True

    @pytest.fixture
    def make_store(self, database_url: URL, prepared: Callable[..., None]) -> Iterator[MakeStore]:
        stores: list[SqlStore] = []

        def make(records: Sequence[RecordType]) -> Any:
            given = tuple(records)
            records = swapped(records, "grant", "access_token", "refresh_token")
            store = SqlStore(make_engine(database_url), records)

            def make_tables() -> None:
                Base.metadata.create_all(store.engine)
                migrate.upgrade(store.engine, records)

            if not stores:
                prepared(store.engine, ("own models", given), make_tables)
                if database_url.get_backend_name() != "sqlite":  # a file is new
                    ours = [plugin.shape_of(record) for record in records if record.model is None]
                    with store.engine.connect() as connection:
                        for table in (*Base.metadata.sorted_tables[::-1], *metadata_of(ours).sorted_tables):
                            connection.execute(table.delete())
            stores.append(store)
            return Swapping(store, records)

        yield make
        for store in stores:
            store.close()


def test_further_columns_come_and_go_with_the_record(clients: tuple[SqlStore, Any], engine: Engine) -> None:
    store, record = clients
    with Session(engine) as session:
        session.add(Tenant(id=1))
        session.commit()
    add_to(store, record(client_id="c", owner_id=1))
    add_to(store, record(client_id="d", plan="gold", region="us"))
    found: Any = store.find(record, client_id="c")
    assert isinstance(found, Application)
    assert (found.owner_id, found.plan, found.region) == (1, "trial", "eu")
    assert [(row.plan, row.region) for row in store.select(record)] == [("trial", "eu"), ("gold", "us")]
    assert change_in(store, record, {"client_id": "c"}, plan="overdue", owner_id=None) == 1
    found: Any = store.find(record, client_id="c")
    assert (found.plan, found.owner_id, found.id) == ("overdue", None, 1)
    with pytest.raises(DuplicateRecord):
        add_to(store, record(client_id="c"))
    with pytest.raises(ValueError, match="NUL"):
        add_to(store, record(client_id="e", plan="a\0"))
    assert "gold" not in repr(store.find(record, client_id="d"))


def test_foreign_keys_hold(clients: tuple[SqlStore, Any]) -> None:
    store, record = clients
    with pytest.raises(IntegrityError):
        add_to(store, record(client_id="c", owner_id=404))
    assert store.find(record, client_id="c") is None


def test_the_session_of_the_deployment_and_the_store_see_the_same_rows(
    clients: tuple[SqlStore, Any], engine: Engine
) -> None:
    store, record = clients
    with Session(engine) as session:
        session.add(Client(client_id="c", name="by hand", grant_types=("password",)))
        session.commit()
        found: Any = store.find(record, client_id="c")
        assert (found.name, found.grant_types, found.metadata, found.disabled) == (
            "by hand",
            ("password",),
            {},
            False,
        )
        change_in(store, record, {"client_id": "c"}, metadata={"a": 1})
    with Session(engine) as session:
        row = session.query(Client).one()
        assert (row.client_metadata, row.is_usable(None)) == ({"a": 1}, True)


def test_methods_of_the_class_and_of_its_policies_hold_for_records() -> None:
    record = swapped(CORE_RECORDS)[0].cls
    assert record(client_id="c").is_usable(None)
    assert not record(client_id="c", plan="overdue").is_usable(None)
    assert not record(client_id="c", disabled=True).is_usable(None)
    assert record(client_id="c", owner_id=2).origin_allowed("https://any.example")
    assert not record(client_id="c").origin_allowed("https://any.example")
    assert record(client_id="c", redirect_uris=("https://any.example/cb",)).origin_allowed(
        "https://any.example"
    )
    assert record.of_nobody() == record(client_id="of nobody")


@pytest.mark.parametrize("name", list(MODELS))
def test_swapping_one_model_swaps_no_other_and_makes_no_table_of_it(name: str, tmp_path: Path) -> None:
    engine = make_engine(f"sqlite:///{tmp_path / 'portula.sqlite3'}")
    records = swapped((*CORE_RECORDS, ID_TOKEN_RECORD), name)
    done = migrate.upgrade(engine, records)
    assert done[0].startswith("migration 0001")
    assert migrate.pending(engine, records) == []
    with engine.connect() as connection:
        tables = set(inspect(connection).get_table_names())
    ours = {f"portula_{record.name}" for record in records if record.name != name}
    assert tables == ours | {"portula_version"}
    table = MODELS[name].__table__.name  # type: ignore[attr-defined]
    assert lacking(engine, records) == [f"table {table}"]
    Base.metadata.create_all(engine)
    assert lacking(engine, records) == []
    with engine.connect() as connection:
        connection.execute(text(f"ALTER TABLE {table} DROP COLUMN scope"))
    assert lacking(engine, records) == [f"column {table}.scope"]
    engine.dispose()


def test_a_model_that_is_given_up_gives_its_table_back_to_ours(empty_engine: Engine) -> None:
    migrate.upgrade(empty_engine, swapped(CORE_RECORDS, "grant"))
    assert migrate.pending(empty_engine, CORE_RECORDS)[0] == "table portula_grant"
    assert "table portula_grant" in migrate.upgrade(empty_engine, CORE_RECORDS)
    assert migrate.pending(empty_engine, CORE_RECORDS) == []


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenanted(Application):
    """A subclass of core's record: its column is added to our table."""

    tenant: str = "none"


def test_a_subclass_of_the_record_gets_its_columns_in_our_table(empty_engine: Engine) -> None:
    records = tuple(
        replace(record, cls=Tenanted, replaces=Application) if record.cls is Application else record
        for record in CORE_RECORDS
    )
    migrate.upgrade(empty_engine, CORE_RECORDS)
    assert migrate.upgrade(empty_engine, records) == ["column portula_application.tenant"]
    store = SqlStore(empty_engine, records)
    add_to(store, Tenanted(client_id="c", tenant="tea"))
    assert store.find(Tenanted, client_id="c") == Tenanted(client_id="c", tenant="tea")
    store.close()


# --- What is refused ---


def wrong(**members: Any) -> type[Any]:
    """Make a mapped class of clients with one thing wrong."""

    class Other(DeclarativeBase):
        pass

    return type(
        "Wrong", (ApplicationMixin, Other), {"__tablename__": "wrong", "__module__": "shop", **members}
    )


@pytest.mark.parametrize(
    ("model", "match"),
    [
        (lambda: wrong(name=None), "column name is missing"),
        (lambda: wrong(name=mapped_column(Integer)), r"column name is Integer\(\); it must be String"),
        (lambda: wrong(name=mapped_column(String(64))), "column name must have room for 255"),
        (lambda: wrong(scope=mapped_column(String(255))), r"column scope is String\(.*it must be Text"),
        (
            lambda: wrong(created_at=mapped_column(Integer)),
            r"created_at is Integer\(\); it must be BigInteger",
        ),
        (lambda: wrong(grant_types=mapped_column(String(255))), "grant_types is .* must be JsonTuple"),
        (lambda: wrong(user=mapped_column(short_text(), nullable=False)), "column user must be nullable"),
        (
            lambda: wrong(
                id=mapped_column(BigInteger, primary_key=True), client_id=mapped_column(short_text())
            ),
            "column client_id must be unique",
        ),
        (
            lambda: wrong(tenant=mapped_column(String(9), nullable=False)),
            "column tenant is NOT NULL and has no",
        ),
        (lambda: type("Wrong", (ApplicationMixin,), {"__module__": "shop"}), "is not mapped to a table"),
    ],
)
def test_a_wrong_column_stops_the_start_and_is_named_with_setting_and_class(
    model: Callable[[], type[Any]], match: str
) -> None:
    with pytest.raises(ConfigError, match=rf"^APPLICATION_MODEL: shop\.Wrong: .*{match}"):
        make_provider("storage_sql", settings={"APPLICATION_MODEL": model()})


def test_a_model_without_a_database_url_is_refused() -> None:
    settings = {"STORAGE": "storage_sql", "APPLICATION_MODEL": Client}
    with pytest.raises(ConfigError, match=r"^DATABASE_URL: .*\.Client stands for application"):
        make_provider("storage_sql", settings=settings)


# --- What is found by `portula check` ---


def findings(**settings: Any) -> dict[str, str]:
    with storage_check_deferred():
        provider = make_provider(
            "storage_sql", "generators", settings={"APPLICATION_MODEL": Client, **settings}
        )
    found = {finding.id: finding.summary for finding in provider.hooks.collect(Plugin.portula_checks)}
    for store in provider.stores.values():
        if isinstance(store, SqlStore):
            store.close()
    return found


def test_a_table_that_is_not_there_is_found(tmp_path: Path) -> None:
    found = findings(STORAGE="storage_sql", DATABASE_URL=f"sqlite:///{tmp_path / 'mine.sqlite3'}")
    assert "table own_client" in found["storage_sql.models"]


def test_a_table_that_stays_empty_is_found() -> None:
    assert "application" in findings()["storage_sql.models_unused"]


def test_every_mixin_has_the_columns_of_its_record() -> None:
    assert [record.name for record in ALL if record.model is not None] == list(MODELS)
    assert all(issubclass(model, Model) for model in MODELS.values())
