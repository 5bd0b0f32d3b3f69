"""A server that is away, hangs, is full or forgets is told as such, and used again when it is back."""

from __future__ import annotations

import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import exceptions
from support.server import free_port

from portula import Plugin
from portula.errors import ConfigError, StorageDown
from portula.plugin import CORE_RECORDS, Plan
from portula_storage_redis.errors import answering
from portula_storage_redis.opening import connect
from portula_storage_redis.settings import RedisSettings
from portula_storage_redis.store import RedisStore
from portula_testing.provider import make_provider
from portula_testing.storage_samples import grant
from portula_testing.writing import add_to

SETTINGS, HASTY = (RedisSettings(REDIS_TIMEOUT_SECONDS=seconds) for seconds in (10, 0.5))


class OwnServer:
    """A server of one test."""

    def __init__(self, place: Path) -> None:
        self.place, self.port = place, free_port()
        self.start()

    def start(self, *options: str) -> None:
        program = shutil.which("redis-server")
        if program is None:
            pytest.fail("redis-server is not installed: start the services first")
        words = [
            program,
            "--port",
            str(self.port),
            "--bind",
            "127.0.0.1",
            "--dir",
            str(self.place),
            "--save",
            "",
        ]
        self.process = subprocess.Popen(
            [*words, "--appendonly", "yes", "--appendfsync", "always", *options], stdout=subprocess.DEVNULL
        )
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                self.store().answers()
            except StorageDown:
                time.sleep(0.05)
            else:
                return
        pytest.fail("the server did not start")

    def store(self, settings: RedisSettings = SETTINGS) -> RedisStore:
        return RedisStore(connect(settings, f"redis://127.0.0.1:{self.port}/0"), "own", CORE_RECORDS)

    def end(self, how: signal.Signals = signal.SIGKILL) -> None:
        self.process.send_signal(signal.SIGCONT)
        self.process.send_signal(how)
        self.process.wait(20)


@pytest.fixture
def own(tmp_path: Path) -> Iterator[OwnServer]:
    server = OwnServer(tmp_path)
    yield server
    server.end()


@pytest.mark.service
def test_what_was_acknowledged_is_there_after_a_crash(own: OwnServer) -> None:
    store = own.store()
    for number in range(50):
        add_to(store, grant(f"{number}"))
    own.end(signal.SIGKILL)
    with pytest.raises(StorageDown):
        add_to(store, grant("lost"))
    own.start()
    assert len(store.select(type(grant("x")), limit=100)) == 50
    add_to(store, grant("again"))


@pytest.mark.service
def test_a_server_that_hangs_is_given_up_in_time(own: OwnServer) -> None:
    add_to(own.store(), grant("one"))
    store = own.store(HASTY)
    own.process.send_signal(signal.SIGSTOP)
    begun = time.monotonic()
    with pytest.raises(StorageDown):
        store.find(type(grant("x")), digest="one")
    assert time.monotonic() - begun < 10
    own.process.send_signal(signal.SIGCONT)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            assert store.find(type(grant("x")), digest="one")
        except StorageDown:
            continue
        return
    pytest.fail("the server was not used again")


def fill(store: RedisStore) -> None:
    for number in range(20_000):
        add_to(store, grant(f"{number}", redirect_uri="x" * 2000))


@pytest.mark.service
def test_a_full_server_refuses_and_loses_nothing(own: OwnServer) -> None:
    store, client = own.store(), connect(SETTINGS, f"redis://127.0.0.1:{own.port}/0")
    add_to(store, grant("one"))
    client.config_set("maxmemory", "1mb")
    client.config_set("maxmemory-policy", "noeviction")
    with pytest.raises(StorageDown):
        fill(store)
    assert store.find(type(grant("x")), digest="one")
    client.config_set("maxmemory", "0")
    add_to(store, grant("more"))


@pytest.mark.service
def test_what_the_scripts_keep_is_gone_when_the_records_are(own: OwnServer) -> None:
    store, client = own.store(), connect(SETTINGS, f"redis://127.0.0.1:{own.port}/0")
    for number in range(500):
        add_to(store, grant(f"{number}", expires_at=number))
    assert store.purge(type(grant("x")), now=1000, limit=1000) == 500
    assert [key for key in client.scan_iter() if not key.endswith(b":realms")] == []


@pytest.mark.service
def test_what_has_expired_in_one_realm_holds_up_no_other(own: OwnServer) -> None:
    store = own.store()
    for first in range(0, 20_000, 500):
        add_to(store, *(grant(f"{n}", realm="north", expires_at=1) for n in range(first, first + 500)))
    add_to(store, grant("one", realm="south", expires_at=1))
    cls = type(grant("x"))
    begun = time.monotonic()
    assert store.count_expired(cls, now=10, limit=1000, realm="south") == 1
    assert store.purge(cls, now=10, limit=1000, realm="south") == 1
    assert time.monotonic() - begun < 5
    assert store.purge(cls, now=10, limit=300) == 300


@pytest.mark.service
def test_the_store_says_how_much_the_server_keeps(own: OwnServer) -> None:
    store = own.store()
    before = store.usage()
    add_to(store, *(grant(f"{number}") for number in range(100)))
    after = store.usage()
    assert after["keys"] >= before["keys"] + 100
    assert after["bytes"] > before["bytes"] > 0


@pytest.mark.service
def test_a_restart_with_no_scripts_is_not_noticed(own: OwnServer) -> None:
    store, client = own.store(), connect(SETTINGS, f"redis://127.0.0.1:{own.port}/0")
    add_to(store, grant("one"))
    client.script_flush()
    add_to(store, grant("two"))
    assert store.find(type(grant("x")), digest="two")


@pytest.mark.service
def test_checks_name_a_server_that_forgets(own: OwnServer) -> None:
    settings = {
        "STORAGE": "storage_redis",
        "REDIS_URL": f"redis://127.0.0.1:{own.port}/0",
        "REDIS_KEY_PREFIX": secrets.token_hex(8),
        "REDIS_TIMEOUT_SECONDS": 10,
    }
    provider = make_provider("storage_redis", settings=settings)

    def found() -> list[str]:
        findings: Any = provider.hooks.collect(Plugin.portula_checks)
        return [each.id for each in findings if each.id.startswith("storage_redis")]

    assert found() == []
    client = connect(SETTINGS, settings["REDIS_URL"])
    client.config_set("maxmemory-policy", "allkeys-lru")
    client.config_set("appendonly", "no")
    assert found() == ["storage_redis.not_on_disk", "storage_redis.evicts"]
    (ready,) = [checks["redis"] for checks in [dict(provider.hooks.collect(Plugin.portula_readiness))]]
    ready()
    own.end()
    assert found() == ["storage_redis.down"]
    with pytest.raises(StorageDown):
        ready()


@pytest.mark.parametrize(
    "error",
    [
        exceptions.ConnectionError("host sesame"),
        exceptions.TimeoutError("x"),
        exceptions.BusyLoadingError("x"),
        exceptions.ReadOnlyError("x"),
        exceptions.ResponseError("MISCONF Redis cannot write"),
        exceptions.ResponseError("BUSY Redis is busy running a script"),
        exceptions.ResponseError("user_script:1: -OOM command not allowed"),
        exceptions.ClusterDownError("CLUSTERDOWN"),
    ],
    ids=lambda error: f"{type(error).__name__} {error}"[:40],
)
def test_what_the_client_says_when_it_cannot_be_served(error: Exception) -> None:
    with pytest.raises(StorageDown) as down, answering():
        raise error
    assert "sesame" not in str(down.value)


def test_other_errors_are_none_of_that() -> None:
    with pytest.raises(exceptions.ResponseError), answering():
        raise exceptions.ResponseError("WRONGTYPE Operation against a key")


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"STORAGE": "storage_redis"}, "REDIS_URL"),
        ({"STORAGE": "storage_redis", "REDIS_URL": "http://localhost"}, "REDIS_URL"),
        ({"STORAGE": "storage_redis", "REDIS_URL": "redis://u:sesame@localhost:port/0"}, "REDIS_URL"),
        ({"REDIS_KEY_PREFIX": "{x}"}, "REDIS_KEY_PREFIX"),
        ({"REDIS_TIMEOUT_SECONDS": 0}, "REDIS_TIMEOUT_SECONDS"),
    ],
    ids=str,
)
def test_settings_that_are_wrong_stop_the_start(settings: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigError, match=named) as refused:
        make_provider("storage_redis", settings=settings)
    assert "sesame" not in str(refused.value)


def test_installed_and_not_named_it_is_in_nobodys_way() -> None:
    provider = make_provider(discover=True)
    assert "storage_redis" not in provider.stores


def test_a_value_that_no_record_can_hold_meets_none(prefix: str) -> None:
    from portula_storage_redis.values import written_where

    assert written_where({"digest": ("a", "\ud800")}) == [("digest", ["sa"])]
    assert written_where({"digest": "\ud800"}) == [("digest", [])]
    assert not Plan()
