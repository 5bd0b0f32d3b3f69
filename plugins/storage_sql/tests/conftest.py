"""Databases to test on: a SQLite file a test, and databases of this process's own on each service."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Callable, Hashable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.engine import URL

from portula_storage_sql.engine import make_engine, parse_url

SERVICES = {"postgresql": "PORTULA_TEST_POSTGRESQL_URL", "mariadb": "PORTULA_TEST_MARIADB_URL"}
DROP = {"postgresql": "DROP DATABASE {} WITH (FORCE)", "mariadb": "DROP DATABASE {}"}
ON_SERVICES = [pytest.param(name, marks=pytest.mark.service) for name in SERVICES]
SERVICES["galera"] = "PORTULA_TEST_GALERA_URLS"
DROP["galera"] = DROP["mariadb"]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what asks for a database on every engine; what is marked `service` on those that are servers."""
    if "backend" in metafunc.fixturenames:
        files = [] if metafunc.definition.get_closest_marker("service") else ["sqlite"]
        metafunc.parametrize("backend", [*files, *ON_SERVICES], scope="session")


@pytest.fixture(scope="session")
def create_database() -> Iterator[Callable[[str], URL]]:
    """Return a function that makes an empty database on a service; all are dropped at the end."""
    servers: dict[str, Engine] = {}
    made: list[tuple[str, str]] = []

    def run(backend: str, statement: str) -> None:
        with servers[backend].connect() as connection:
            connection.execute(text(statement))

    def create(backend: str) -> URL:
        address = os.environ.get(SERVICES[backend])
        if address is None:
            pytest.fail(f"{SERVICES[backend]} is not set: start the services first")
        url = parse_url(address.split()[0])
        servers.setdefault(backend, make_engine(url))
        name = f"portula_test_{uuid.uuid4().hex[:12]}"
        run(backend, f"CREATE DATABASE {name}")
        made.append((backend, name))
        return url.set(database=name)

    yield create
    for backend, name in made:
        run(backend, DROP[backend].format(name))
    for server in servers.values():
        server.dispose()


@pytest.fixture(scope="session")
def shared_database(create_database: Callable[[str], URL]) -> Callable[[str], URL]:
    """Return a function that gives this process's one database on a service."""
    made: dict[str, URL] = {}

    def url_of(backend: str) -> URL:
        if backend not in made:
            made[backend] = create_database(backend)
        return made[backend]

    return url_of


def sqlite_url(folder: Path) -> URL:
    """Return the URL of a new SQLite file."""
    return parse_url(f"sqlite:///{folder / 'portula.sqlite3'}")


@pytest.fixture
def database_url(backend: str, tmp_path: Path, shared_database: Callable[[str], URL]) -> URL:
    """Return the URL of a database in which an earlier test may have left its tables and rows."""
    return sqlite_url(tmp_path) if backend == "sqlite" else shared_database(backend)


@pytest.fixture
def empty_url(backend: str, tmp_path: Path, create_database: Callable[[str], URL]) -> URL:
    """Return the URL of an empty database."""
    return sqlite_url(tmp_path) if backend == "sqlite" else create_database(backend)


@pytest.fixture
def empty_engine(empty_url: URL) -> Iterator[Engine]:
    """Return an engine on an empty database."""
    engine = make_engine(empty_url)
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def prepared(
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[Engine, Hashable, Callable[[], object]], None]:
    """Return a function that gives an engine's database its tables.

    A SQLite file that is not there yet is copied from the first one that was made under the same key.
    """
    folder = tmp_path_factory.mktemp("prepared")
    files: dict[Hashable, Path] = {}

    def prepare(engine: Engine, key: Hashable, make: Callable[[], object]) -> None:
        path = Path(engine.url.database or "")
        if engine.dialect.name != "sqlite" or path.exists():
            make()
            return
        if key not in files:
            make()
            copied = folder / str(len(files))
            with engine.connect() as connection:
                connection.execute(text("VACUUM INTO :path"), {"path": str(copied)})
            files[key] = copied
            return
        shutil.copyfile(files[key], path)

    return prepare
