"""Databases of their own on the engines that the tests are given."""

import os
import uuid
from collections.abc import Iterator

import sqlalchemy


def galera_nodes(url: sqlalchemy.URL) -> list[sqlalchemy.URL]:
    """Return the URLs of a database at each node of the cluster that the tests are given."""
    nodes = map(sqlalchemy.make_url, os.environ["PORTULA_TEST_GALERA_URLS"].split())
    return [url.set(port=node.port) for node in nodes]


def database_on(variable: str) -> Iterator[str]:
    """Make a database on the engine that an environment variable names, yield its URL, and drop it afterwards.

    Of several URLs the first counts.
    """
    url = sqlalchemy.make_url(os.environ[variable].split()[0])
    name = f"portula_{uuid.uuid4().hex[:12]}"
    engine = sqlalchemy.create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    yield url.set(database=name).render_as_string(hide_password=False)
    with engine.connect() as connection:
        connection.exec_driver_sql(
            f"DROP DATABASE {name}" + (" WITH (FORCE)" if "postgres" in url.drivername else "")
        )
    engine.dispose()
