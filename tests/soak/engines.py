"""The storages that the soak is run on: the settings of both nodes, and what happens to each."""

import secrets
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from redis.cluster import RedisCluster

from soak import bad_days
from soak.bad_days import BadDay
from soak.servers import Process, Services, until

SERVER_MEGABYTES = 600
"""Of the disk of a database server, where root may mount one."""


@dataclass
class Engine:
    """A storage."""

    settings: tuple[dict[str, Any], dict[str, Any]]
    days: list[BadDay]
    is_sql: bool = True
    told: dict[str, Any] = field(default_factory=dict)
    """What the report says of it."""


@contextmanager
def sqlite(folder: Path) -> Iterator[Engine]:
    """Give both nodes one file, on a small disk where root may mount one."""
    disk = folder / "disk"
    with bad_days.small_disk(disk, 48) as mounted:
        settings = {"DATABASE_URL": f"sqlite:///{disk}/portula.sqlite3"}
        days = [*bad_days.of_sqlite(disk), *(bad_days.of_disk(disk) if mounted else ())]
        yield Engine((settings, settings), days, told={"small disk": mounted})


@contextmanager
def postgresql(folder: Path) -> Iterator[Engine]:
    """Give both nodes one server, whose commits are durable."""
    with (
        bad_days.small_disk(folder / "services", SERVER_MEGABYTES) as mounted,
        Services(folder / "services", "postgresql") as services,
    ):
        process = Process(services.place("postgresql") / "data" / "postmaster.pid")
        process.end(2)
        process.start()
        url = services.urls["PORTULA_TEST_POSTGRESQL_URL"]
        until(lambda: _connects(url), 60, "PostgreSQL")
        settings = {"DATABASE_URL": url, "DATABASE_POOL_SIZE": 5}
        days = [
            *bad_days.of_postgresql(url, process),
            *(bad_days.of_disk(services.folder, process) if mounted else ()),
        ]
        yield Engine((settings, settings), days, told={"small disk": mounted})


def _connects(url):
    try:
        with bad_days._postgresql(url):
            return True
    except bad_days.psycopg.Error:
        return False


@contextmanager
def mariadb(folder: Path) -> Iterator[Engine]:
    """Give both nodes one server, whose commits are durable."""
    with (
        bad_days.small_disk(folder / "services", SERVER_MEGABYTES) as mounted,
        Services(folder / "services", "mariadb") as services,
    ):
        process = Process(services.folder / "mariadb" / "pid")
        process.end(15)
        process.start()
        url = services.urls["PORTULA_TEST_MARIADB_URL"]
        until(lambda: _asked(url), 60, "MariaDB")
        settings = {"DATABASE_URL": url, "DATABASE_POOL_SIZE": 5}
        days = [
            *bad_days.of_mariadb(url, process),
            *(bad_days.of_disk(services.folder, process) if mounted else ()),
        ]
        yield Engine((settings, settings), days, told={"small disk": mounted})


def _asked(url):
    try:
        with closing(bad_days.mariadb(url)):
            return True
    except (bad_days.pymysql.Error, OSError):
        return False


@contextmanager
def galera(folder: Path) -> Iterator[Engine]:
    """Give each node a node of a cluster of three."""
    with Services(folder / "services", "galera") as services:
        place = services.place("galera")
        processes = [Process(place / str(number) / "pid") for number in (1, 2, 3)]
        urls = services.urls["PORTULA_TEST_GALERA_URLS"].split()
        settings = [{"DATABASE_URL": url, "DATABASE_POOL_SIZE": 5} for url in urls]
        yield Engine((settings[0], settings[1]), bad_days.of_galera(urls, processes))


@contextmanager
def redis_cluster(folder: Path) -> Iterator[Engine]:
    """Give both nodes a cluster of three masters with a replica each, which confirms what was written."""
    with Services(folder / "services", "redis_cluster") as services:
        url = services.urls["PORTULA_TEST_REDIS_CLUSTER_URL"]
        prefix = f"soak-{secrets.token_hex(4)}"
        settings = {
            "STORAGE": "storage_redis",
            "REDIS_URL": url,
            "REDIS_CLUSTER": True,
            "REDIS_KEY_PREFIX": prefix,
            "REDIS_TIMEOUT_SECONDS": 2,
            "REDIS_WAIT_REPLICAS": 1,
        }
        with closing(RedisCluster.from_url(url)) as client:
            until(lambda: _has_replicas(client), 60, "replicas of Redis")
            days = bad_days.of_redis_cluster(client, services.folder / "redis-cluster", prefix)
            yield Engine((settings, settings), days, is_sql=False)


def _has_replicas(client):
    """Say whether each master has a replica that follows it: a cluster is ready some seconds before that."""
    told = [client.info("replication", target_nodes=node) for node in client.get_primaries()]
    return all(each.get("slave0", {}).get("state") == "online" for each in told)


ENGINES = {
    "sqlite": sqlite,
    "postgresql": postgresql,
    "mariadb": mariadb,
    "galera": galera,
    "redis_cluster": redis_cluster,
}
