"""The store in Redis keeps the contract of every storage, on a single server and on a cluster."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from support.redis_servers import forget, url_of

from portula.plugin import RecordType
from portula_storage_redis.confirming import Confirmation
from portula_storage_redis.opening import connect
from portula_storage_redis.settings import RedisSettings
from portula_storage_redis.store import RedisStore
from portula_testing.contracts import StorageContract, WalkContract
from portula_testing.plans_contract import PlanContract
from portula_testing.storage_samples import MakeStore

pytestmark = pytest.mark.service


class RedisStores:
    """Makes the stores of a contract, on a single server."""

    shares = True
    cluster = False
    confirmation: Confirmation | None = None
    variable = "PORTULA_TEST_REDIS_URL"

    @pytest.fixture
    def make_store(self, prefix: str) -> Iterator[MakeStore]:
        clients: list[Any] = []

        def make(records: Sequence[RecordType]) -> RedisStore:
            client = connect(RedisSettings(REDIS_CLUSTER=self.cluster), url_of(self.variable))
            clients.append(client)
            return RedisStore(client, prefix, records, confirmation=self.confirmation)

        yield make
        for client in clients[:1]:
            forget(client, prefix)
        for client in clients:
            client.close()


class TestRedisStore(RedisStores, WalkContract, StorageContract):
    """The contract, on a single server."""


class TestRedisStoreOnACluster(TestRedisStore):
    """The contract, on a cluster of three nodes."""

    cluster = True
    variable = "PORTULA_TEST_REDIS_CLUSTER_URL"


class TestRedisPlansThatAReplicaConfirms(RedisStores, PlanContract):
    """What is true of plans, where a replica has them before they are acknowledged."""

    cluster = True
    variable = "PORTULA_TEST_REDIS_CLUSTER_URL"
    confirmation = Confirmation(replicas=1, seconds=4)
