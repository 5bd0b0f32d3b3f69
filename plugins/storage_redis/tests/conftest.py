"""A server and a cluster for the tests: those that the services started."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from typing import Any

import pytest

from portula_storage_redis.opening import connect
from portula_storage_redis.settings import RedisSettings


def url_of(name: str) -> str:
    """Return the address that a variable has."""
    url = os.environ.get(name)
    if url is None:
        pytest.fail(f"{name} is not set: start the services first")
    return url


@pytest.fixture
def prefix() -> str:
    """What keys of one test begin with."""
    return f"test-{secrets.token_hex(8)}"


@pytest.fixture
def client(prefix: str) -> Iterator[Any]:
    """A client of the single server, which forgets what the test has kept."""
    client = connect(RedisSettings(), url_of("PORTULA_TEST_REDIS_URL"))
    yield client
    forget(client, prefix)
    client.close()


def forget(client: Any, prefix: str) -> None:
    """Delete the keys of a test."""
    found = list(client.scan_iter(match=f"{{{prefix}}}*", count=1000))
    for at in range(0, len(found), 500):
        client.delete(*found[at : at + 500])
