"""A server and a cluster for the tests: those that the services started."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any

import pytest
from support.redis_servers import forget, url_of

from portula_storage_redis.opening import connect
from portula_storage_redis.settings import RedisSettings


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
