"""Two nodes of two workers each delete what has expired, beside requests and beside each other, on each engine."""

import logging
import os
import secrets
import threading
from base64 import b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from support.databases import database_on
from werkzeug.test import Client

from portula import Provider
from portula.host.modes import storage_check_deferred
from portula.plugin import AccessToken, Application, Authorization, Grant, RefreshToken, plan_to_add
from portula_storage_sql import migrate

NODES, WORKERS, REQUESTS = 2, 2, 60
EXPIRED, LIVE = 300, 40
SIZE = 25
ENGINES = [pytest.param(name, marks=pytest.mark.service) for name in ("POSTGRESQL", "MARIADB", "REDIS")]


def settings_on(engine: str, folder: Path) -> Iterator[dict[str, Any]]:
    """Yield the settings of a storage that only this test has."""
    if engine == "SQLITE":
        yield {"DATABASE_URL": f"sqlite:///{folder / 'portula.sqlite3'}"}
    elif engine == "REDIS":
        yield {
            "STORAGE": "storage_redis",
            "REDIS_URL": os.environ["PORTULA_TEST_REDIS_URL"],
            "REDIS_KEY_PREFIX": f"cleaning-{secrets.token_hex(8)}",
        }
    else:
        for url in database_on(f"PORTULA_TEST_{engine}_URL"):
            yield {"DATABASE_URL": url}


class House:
    """Providers on one storage, as processes of their own would have them, and a client."""

    def __init__(self, settings: dict[str, Any], folder: Path) -> None:
        common = {
            "STORAGE": "storage_sql",
            "OIDC_ISS_ENDPOINT": "https://id.example/o",
            "CLEAR_EXPIRED_TOKENS_AFTER_WRITES": 1,
            "CLEAR_EXPIRED_TOKENS_AFTER_WRITES_SIZE": SIZE,
            "DELIVERY_THREADS": 0,
            **settings,
        }
        key = secrets.token_hex(32)
        self.providers = []
        for _ in range(NODES * WORKERS):
            app = Flask("node", instance_path=str(folder), static_folder=None)
            app.config.update(SECRET_KEY=key, OAUTH2_PROVIDER=common)
            with storage_check_deferred():
                self.providers.append(Provider(app))
        for store in self.providers[0].stores.values():
            if hasattr(store, "engine"):
                migrate.upgrade(store.engine, store.records)
        self.storage = self.providers[0].storage
        self.now = self.providers[0].now()
        client, secret = self.providers[0].clients.create(
            Application(client_id="", grant_types=("client_credentials",))
        )
        pair = b64encode(f"{client.client_id}:{secret}".encode()).decode()
        self.headers = {"Authorization": f"Basic {pair}"}

    def fill(self) -> None:
        records = []
        for number in range(EXPIRED + LIVE):
            expires_at = self.now - 1 - number % 9 if number < EXPIRED else self.now + 3600
            common: dict[str, Any] = {
                "client_id": "c",
                "subject": "u",
                "scope": "s",
                "issued_at": 1,
                "expires_at": expires_at,
            }
            name = f"{number * 7919 % (EXPIRED + LIVE)}"
            records += [
                Authorization(id=name, **common),
                AccessToken(digest=name, **common),
                Grant(digest=name, authorization=name, **common),
                RefreshToken(digest=name, authorization=name, **common),
            ]
        for place in range(0, len(records), 400):
            self.storage.apply(plan_to_add(*records[place : place + 400]))

    def left(self) -> dict[str, tuple[int, int]]:
        """Return of each kind that was prepared how many are expired, and how many live."""
        found = {}
        for cls in (Authorization, AccessToken, Grant, RefreshToken):
            ends = [record.expires_at for record in self.storage.select(cls, limit=10_000, subject="u")]
            expired = sum(end is not None and end < self.now for end in ends)
            found[cls.__name__] = (expired, len(ends) - expired)
        return found

    def ask(self, number: int) -> int:
        """Let a worker answer a request, and say how."""
        door = Client(self.providers[number % len(self.providers)].wsgi())
        form = {"grant_type": "client_credentials"}
        return door.post(
            "/o/token/", data=form, headers=self.headers, base_url="https://id.example"
        ).status_code

    def rest(self) -> None:
        """Wait until nobody cleans."""
        for thread in threading.enumerate():
            if thread.name == "portula background":
                thread.join(30)

    def close(self) -> None:
        """Give the connections back."""
        for provider, store in product(self.providers, ("storage_sql", "storage_redis")):
            if store in provider.stores:
                provider.stores[store].close()  # type: ignore[attr-defined]


@pytest.fixture(params=["SQLITE", *ENGINES])
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    settings = settings_on(request.param, tmp_path)
    made = House(next(settings), tmp_path)
    made.fill()
    yield made
    made.close()
    next(settings, None)


def test_nodes_that_clean_at_once_get_in_nobodys_way_and_delete_nothing_live(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    issued = REQUESTS * len(house.providers)
    with caplog.at_level(logging.WARNING, logger="portula"):
        with ThreadPoolExecutor(8) as pool:
            assert set(pool.map(house.ask, range(issued))) == {200}
        house.rest()
        most = 10 * issued
        while issued < most and any(expired for expired, _ in house.left().values()):
            assert house.ask(issued) == 200  # a turn is left out while another one is under way
            house.rest()
            issued += 1
    assert caplog.messages == []
    assert house.left() == dict.fromkeys(house.left(), (0, LIVE))
    assert len(house.storage.select(AccessToken, limit=10_000)) == LIVE + issued
