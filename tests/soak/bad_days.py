"""What happens to the provider and its storage, and what ends it."""

import contextlib
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pymysql
from sqlalchemy import make_url

from soak.servers import Process, until


@dataclass
class BadDay:
    """Something that begins, lasts some seconds, and ends."""

    name: str
    begin: Callable[[], object]
    end: Callable[[], object] = lambda: None
    seconds: float = 0.0
    recovery: float = 60.0
    """Within so many seconds after its end every node has to answer again, without a restart."""


def of_nodes(nodes):
    """Return what happens to processes that serve, and to their clocks."""
    first, second = nodes

    def wrong(node, seconds):
        return lambda: node.clock.write_text(str(seconds))

    return [
        BadDay("a worker is killed", first.kill_worker),
        BadDay("a parent is killed", second.kill_parent, second.start, 1),
        BadDay("a clock goes two seconds ahead", wrong(second, 2), wrong(second, 0), 5),
        BadDay("a clock goes two seconds back", wrong(first, -2), wrong(first, 0), 5),
    ]


# --- A disk ---


@contextlib.contextmanager
def small_disk(folder: Path, megabytes: int):
    """Mount a file system of this size where root may mount one, and say whether it is; a plain folder otherwise."""
    folder.mkdir()
    mounted = shutil.which("mount") is not None and not os.getuid()
    if mounted:
        command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=755", "tmpfs", folder]
        mounted = subprocess.run(command, capture_output=True, check=False, timeout=20).returncode == 0
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", "-l", folder], check=False, timeout=30)


def of_disk(folder: Path, process: Process | None = None):
    """Return what happens to a small disk; a server that stopped because of it is started as an init system does."""
    filler = folder / "filler"

    def fill():
        with filler.open("wb") as file, contextlib.suppress(OSError):
            while True:
                os.write(file.fileno(), bytes(4096))

    def empty():
        filler.unlink(missing_ok=True)
        if process is not None and not process.lives():
            process.start()

    return [BadDay("the disk is full for 6 s", fill, empty, 6)]


# --- PostgreSQL ---


def _postgresql(url):
    parts = make_url(url)
    return psycopg.connect(
        host=parts.host,
        port=parts.port,
        user=parts.username,
        password=parts.password,
        dbname=parts.database,
        autocommit=True,
    )


def _cut_postgresql(connections):
    own = [connection.info.backend_pid for connection in connections]
    with contextlib.suppress(psycopg.Error):
        connections[0].execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE pid <> ALL(%s) AND backend_type = 'client backend'",
            [own],
        )


class Hog:
    """Takes all connections that a server has, and keeps them."""

    def __init__(self, connect, cut, errors):
        self.connect, self.cut, self.errors = connect, cut, errors
        self.held = []

    def take(self):
        """Take those that are free, then those of others as fast as these would connect again."""
        self._take_free()
        for _ in range(5):
            self.cut(self.held)
            self._take_free()

    def _take_free(self):
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            try:
                self.held.append(self.connect())
            except self.errors:
                return

    def give(self):
        for connection in self.held:
            with contextlib.suppress(*self.errors):
                connection.close()
        self.held.clear()


def of_postgresql(url, process: Process):
    """Return what happens to PostgreSQL."""

    def restart():
        process.end(signal.SIGINT)
        process.start()

    def only_read(flag):
        def change():
            with _postgresql(url) as connection:
                connection.execute("SET default_transaction_read_only = off")
                connection.execute(f"ALTER SYSTEM SET default_transaction_read_only = {flag}")
                connection.execute("SELECT pg_reload_conf()")

        return change

    hog = Hog(lambda: _postgresql(url), _cut_postgresql, (psycopg.Error,))
    return [
        BadDay("PostgreSQL restarts", restart),
        BadDay(
            "PostgreSQL crashes and is away for 6 s", lambda: process.end(signal.SIGQUIT), process.start, 6
        ),
        BadDay(
            "PostgreSQL hangs for 5 s",
            lambda: process.send_all(signal.SIGSTOP),
            lambda: process.send_all(signal.SIGCONT),
            5,
        ),
        BadDay("PostgreSQL only reads for 5 s", only_read("on"), only_read("off"), 5),
        BadDay("PostgreSQL has no connection left for 5 s", hog.take, hog.give, 5),
    ]


# --- MariaDB and Galera ---


def mariadb(url, **options):
    parts = make_url(url)
    return pymysql.connect(
        host=parts.host,
        port=parts.port,
        user=parts.username,
        password=parts.password,
        connect_timeout=5,
        **options,
    )


def _cut_mariadb(connections):
    own = {connection.thread_id() for connection in connections}
    with connections[0].cursor() as cursor:
        cursor.execute("SELECT id FROM information_schema.processlist WHERE user = 'portula'")
        for (number,) in cursor.fetchall():
            if number not in own:
                with contextlib.suppress(pymysql.Error):
                    cursor.execute(f"KILL {number}")


def of_mariadb(url, process: Process):
    """Return what happens to a single server."""
    hog = Hog(lambda: mariadb(url), _cut_mariadb, (pymysql.Error, OSError))
    return [
        BadDay("MariaDB is killed and away for 5 s", process.end, process.start, 5),
        BadDay("MariaDB has no connection left for 5 s", hog.take, hog.give, 5),
    ]


def is_synced(url):
    """Say whether a node of Galera has what the others have."""
    try:
        with contextlib.closing(mariadb(url, read_timeout=5)) as connection, connection.cursor() as cursor:
            cursor.execute("SHOW STATUS LIKE 'wsrep_local_state_comment'")
            return cursor.fetchone()[1] == "Synced"
    except (pymysql.Error, OSError):
        return False


def of_galera(urls, processes):
    """Return what happens to nodes of a cluster; provider nodes are at the first two."""
    one, two, three = processes

    def back(number):
        def start():
            processes[number].start()
            until(lambda: is_synced(urls[number]), 120, f"node {number + 1} of Galera")

        return start

    def others(number):
        return lambda: (two.send(number), three.send(number))

    def others_back():
        others(signal.SIGCONT)()
        for node, process in zip(urls[1:], (two, three), strict=True):
            with contextlib.suppress(TimeoutError):
                until(lambda url=node: is_synced(url), 60, "Galera")
                continue
            process.end()  # it left the cluster for good: it comes again as any that was killed
            process.start()
            until(lambda url=node: is_synced(url), 120, "Galera")

    hog = Hog(lambda: mariadb(urls[0]), _cut_mariadb, (pymysql.Error, OSError))
    return [
        BadDay("a Galera node that nobody asks is killed for 5 s", three.end, back(2), 5),
        BadDay("the Galera node of the second provider node is killed for 5 s", two.end, back(1), 5),
        BadDay("two of three Galera nodes hang for 9 s", others(signal.SIGSTOP), others_back, 9),
        BadDay("a Galera node has no connection left for 5 s", hog.take, hog.give, 5),
        BadDay("the Galera node of the first provider node is killed for 5 s", one.end, back(0), 5),
    ]


# --- Redis ---


class RedisMaster:
    """The server that has the provider's slot, whichever it is."""

    def __init__(self, client, folder: Path, prefix):
        self.client, self.folder, self.key = client, folder, "{" + prefix + "}"
        self.down: Path | None = None

    def _found(self):
        """Return folder and process of the master."""
        port = self.client.get_node_from_key(self.key).port
        for number in range(1, 7):
            pid = int((self.folder / str(number) / "pid").read_text())
            command = Path(f"/proc/{pid}/cmdline")
            if command.exists() and f":{port}" in command.read_text():
                return self.folder / str(number), pid, port
        raise RuntimeError(f"no server at port {port}")

    def kill(self):
        """Kill it, and wait until its replica has taken over."""
        self.down, pid, port = self._found()
        os.kill(pid, signal.SIGKILL)
        until(lambda: _other(self.client, self.key, port), 30, "a replica that takes over")

    def revive(self):
        """Start it again, empty, as a replica of the one that took over."""
        place = self.down
        myself = next(line for line in (place / "nodes.conf").read_text().splitlines() if "myself" in line)
        host, port, bus = re.match(r"\S+ (\S+):(\d+)@(\d+)", myself).groups()
        words = [
            "redis-server",
            "--bind",
            host,
            "--port",
            port,
            "--cluster-port",
            bus,
            "--cluster-enabled",
            "yes",
        ]
        words += ["--cluster-config-file", "nodes.conf", "--cluster-node-timeout", "2000", "--save", ""]
        words += ["--appendonly", "no", "--daemonize", "yes", "--dir", place, "--pidfile", place / "pid"]
        subprocess.run(
            [*words, "--logfile", place / "log"], cwd=place, capture_output=True, check=True, timeout=30
        )
        until(self._has_replica, 30, "a replica")

    def _has_replica(self):
        with contextlib.suppress(Exception):
            master = self.client.get_redis_connection(self.client.get_node_from_key(self.key))
            return master.info("replication")["connected_slaves"] > 0
        return False

    def hang(self):
        """Let it hang."""
        self.down, pid, _ = self._found()
        os.kill(pid, signal.SIGSTOP)

    def go_on(self):
        """Let it go on."""
        os.kill(int((self.down / "pid").read_text()), signal.SIGCONT)


def of_redis_cluster(client, folder: Path, prefix):
    """Return what happens to a cluster: the master of the provider's slot dies, and later its replacement."""
    master = RedisMaster(client, folder, prefix)
    return [
        BadDay("the Redis master is killed; its replica takes over", master.kill, master.revive, 8),
        BadDay("the Redis master is killed again", master.kill, master.revive, 8),
        BadDay("the Redis master hangs for 1 s", master.hang, master.go_on, 1),
    ]


def _other(client, key, port):
    with contextlib.suppress(Exception):  # redis-py raises many while a cluster has no master
        client.nodes_manager.initialize()
    return client.get_node_from_key(key).port != port


# --- SQLite ---


def of_sqlite(folder: Path):
    """Return what happens to a file beside what happens to its disk."""
    return [BadDay("another process holds the file for 4 s", *_holding(folder), 4)]


def _holding(folder):
    held = []

    def take():
        held.append(
            sqlite3.connect(
                folder / "portula.sqlite3", isolation_level=None, timeout=10, check_same_thread=False
            )
        )
        held[-1].execute("BEGIN IMMEDIATE")

    def give():
        held.pop().close()

    return take, give
