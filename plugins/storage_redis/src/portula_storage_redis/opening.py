"""Opens the store that STORAGE names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from redis import BlockingConnectionPool, Redis
from redis.backoff import NoBackoff
from redis.cluster import RedisCluster
from redis.retry import Retry

from portula.errors import ConfigError
from portula_storage_redis.confirming import Confirmation
from portula_storage_redis.errors import answering
from portula_storage_redis.store import RedisStore

if TYPE_CHECKING:
    from portula.plugin import RecordType
    from portula_storage_redis.settings import RedisSettings


def open_store(settings: RedisSettings, records: Sequence[RecordType]) -> RedisStore:
    """Return the store.

    Raises:
        ConfigError: REDIS_URL is missing, or no URL. StorageDown, which is one: a node of the cluster does not answer.
    """
    if settings.REDIS_URL is None:
        raise ConfigError("REDIS_URL: missing; STORAGE names storage_redis, so say where the server is")
    try:
        client = connect(settings, settings.REDIS_URL)
    except ValueError:  # which quotes a part of it, of the password perhaps
        raise ConfigError(
            "REDIS_URL: it cannot be read; in a password / # ? @ and the like are percent-encoded"
        ) from None
    confirmation = Confirmation(settings.REDIS_WAIT_REPLICAS, settings.REDIS_TIMEOUT_SECONDS / 2)
    return RedisStore(
        client,
        settings.REDIS_KEY_PREFIX,
        records,
        confirmation=confirmation if settings.REDIS_WAIT_REPLICAS else None,
    )


def connect(settings: RedisSettings, url: str) -> Redis | RedisCluster:
    """Return a client, which sends nothing twice by itself: what was answered may have been applied."""
    timeouts: dict[str, Any] = {
        "socket_timeout": settings.REDIS_TIMEOUT_SECONDS,
        "socket_connect_timeout": settings.REDIS_TIMEOUT_SECONDS,
    }
    if settings.REDIS_CLUSTER:
        with answering():
            return RedisCluster.from_url(
                url,
                max_connections=settings.REDIS_MAX_CONNECTIONS,
                retry=Retry(NoBackoff(), 0),
                **timeouts,
            )
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=settings.REDIS_MAX_CONNECTIONS,
        timeout=settings.REDIS_TIMEOUT_SECONDS,
        retry=None,
        **timeouts,
    )
    return Redis(connection_pool=pool)
