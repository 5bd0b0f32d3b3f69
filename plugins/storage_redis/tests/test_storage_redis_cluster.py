"""A cluster whose answers get lost: nothing is sent twice, and what is not known is StorageDown."""

from __future__ import annotations

import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from redis import Redis, RedisError
from support.server import free_port

from portula.errors import ConfigError, DuplicateRecord, RecordReplayed, StorageDown
from portula.plugin import CORE_RECORDS, Plan
from portula_storage_redis.confirming import Confirmation
from portula_storage_redis.opening import open_store
from portula_storage_redis.settings import RedisSettings
from portula_storage_redis.store import RedisStore
from portula_testing.storage_samples import grant
from portula_testing.writing import add_to

pytestmark = pytest.mark.service


class Proxy:
    """Stands between a client and a server, and loses the answer to the next script when it is told so."""

    def __init__(self, target: int) -> None:
        self.target, self.loses = target, False
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        try:
            while True:
                client, _ = self._listening.accept()
                threading.Thread(target=self._serve, args=[client], daemon=True).start()
        except OSError:
            return

    def _serve(self, client: socket.socket) -> None:
        with suppress(OSError), client, socket.create_connection(("127.0.0.1", self.target)) as server:
            lost = threading.Event()
            threading.Thread(target=self._ask, args=[client, server, lost], daemon=True).start()
            while answer := server.recv(1 << 16):
                if lost.is_set():
                    client.shutdown(
                        socket.SHUT_RDWR
                    )  # to close it says nothing while another thread receives
                    return
                client.sendall(answer)

    def _ask(self, client: socket.socket, server: socket.socket, lost: threading.Event) -> None:
        with suppress(OSError):
            while asked := client.recv(1 << 16):
                if self.loses and b"EVALSHA" in asked:
                    self.loses = False
                    lost.set()
                server.sendall(asked)
            server.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._listening.close()


@pytest.fixture
def proxy(tmp_path: Path) -> Iterator[Proxy]:
    """A proxy in front of a cluster of one node, which tells clients of no other way to it."""
    program, port = shutil.which("redis-server"), free_port()
    if program is None:
        pytest.fail("redis-server is not installed: start the services first")
    between = Proxy(port)
    words = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)]
    cluster = ["--cluster-enabled", "yes", "--cluster-port", str(free_port())]
    announced = ["--cluster-announce-ip", "127.0.0.1", "--cluster-announce-port", str(between.port)]
    process = subprocess.Popen([*words, *cluster, *announced], stdout=subprocess.DEVNULL)
    try:
        _form(port)
        yield between
    finally:
        between.close()
        process.kill()
        process.wait(20)


def _form(port: int) -> None:
    """Give all slots to the one node."""
    deadline = time.monotonic() + 20
    with Redis(port=port) as raw:
        while time.monotonic() < deadline:
            try:
                told = str(raw.execute_command("CLUSTER INFO")).partition("cluster_slots_assigned")[2]
                if "16384" not in told[:20]:
                    raw.execute_command("CLUSTER ADDSLOTSRANGE", 0, 16383)
                raw.get("x")
            except RedisError:  # it is not up yet, or not ready
                time.sleep(0.05)
            else:
                return
    pytest.fail("the cluster did not form")


def _store(port: int, **settings: Any) -> RedisStore:
    url = f"redis://127.0.0.1:{port}/0"
    given = {"REDIS_URL": url, "REDIS_CLUSTER": True, "REDIS_TIMEOUT_SECONDS": 20, **settings}
    store = open_store(RedisSettings(**given), CORE_RECORDS)
    if store._confirmation is not None:
        store._confirmation = Confirmation(store._confirmation.replicas, 0.5)
    return store


def test_a_plan_whose_answer_is_lost_is_not_sent_again(proxy: Proxy) -> None:
    store = _store(proxy.port)
    add_to(store, grant("one"))
    proxy.loses = True
    with pytest.raises(StorageDown):
        add_to(store, grant("two"))
    found = store.find(type(grant("x")), digest="one")
    plan = Plan()
    plan.take(found, at=5)
    proxy.loses = True
    with pytest.raises(StorageDown):
        store.apply(plan)
    assert store.find(type(grant("x")), digest="two")
    store.close()


def test_a_plan_that_no_replica_confirms_is_not_acknowledged(proxy: Proxy) -> None:
    """It was written and may stay so: that is what an unknown outcome is."""
    store = _store(proxy.port, REDIS_WAIT_REPLICAS=1)
    with pytest.raises(StorageDown, match=r"REDIS_WAIT_REPLICAS: 0 of 1"):
        add_to(store, grant("one"))
    assert store.find(type(grant("x")), digest="one")
    store.close()


def test_a_plan_that_is_refused_waits_for_no_replica(proxy: Proxy) -> None:
    """Nothing was written that one could lack: who comes second hears of that, e.g. of a code that was used."""
    store = _store(proxy.port)
    add_to(store, grant("one"))
    found = store.find(type(grant("x")), digest="one")
    plan = Plan()
    plan.take(found, at=5)
    store.apply(plan)
    store.close()
    waiting = _store(proxy.port, REDIS_WAIT_REPLICAS=1)
    with pytest.raises(DuplicateRecord):
        add_to(waiting, grant("one"))
    with pytest.raises(RecordReplayed):
        waiting.apply(plan)
    waiting.close()


@pytest.mark.parametrize("scripts", ["known", "forgotten"])
def test_a_plan_that_waits_for_replicas_is_sent_once(proxy: Proxy, scripts: str) -> None:
    store = _store(proxy.port, REDIS_WAIT_REPLICAS=1)
    with pytest.raises(StorageDown, match="REDIS_WAIT_REPLICAS"):
        add_to(store, grant("one"))
    with Redis(port=proxy.port) as raw:
        if scripts == "forgotten":
            raw.script_flush()
    with pytest.raises(StorageDown, match="REDIS_WAIT_REPLICAS"):
        add_to(store, grant("two"))
    proxy.loses = True
    with pytest.raises(StorageDown, match="does not answer"):
        add_to(store, grant("three"))
    for name in ("one", "two"):
        assert store.find(type(grant("x")), digest=name)
    store.close()


def test_a_cluster_that_is_away_is_down_at_start() -> None:
    with pytest.raises(StorageDown):
        _store(free_port())


@pytest.mark.parametrize("password", ["S3cretHead/tail", "hunter2#x", "pw[x"])
def test_no_part_of_a_password_is_told(password: str) -> None:
    with pytest.raises(ConfigError) as refused:
        open_store(RedisSettings(REDIS_URL=f"redis://:{password}@127.0.0.1:6379/0"), CORE_RECORDS)
    assert password[:4] not in str(refused.value)
