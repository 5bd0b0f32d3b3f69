"""Storage in Redis 7 or Valkey, a single server or a cluster: plans as scripts, applied whole or not at all.

Answers the store contract of `portula.plugin.WalkingStore`, so that pages of administrators work too.
It never acknowledges what the server has not taken, and never prints the password in a URL.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from portula import hookimpl
from portula_storage_redis.checks import portula_checks, portula_readiness
from portula_storage_redis.settings import STORE, RedisSettings

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import RecordType, StoreFactory
    from portula_storage_redis.store import RedisStore

__all__ = ["portula_checks", "portula_readiness"]
__version__ = "0.1.0"


@hookimpl
def portula_settings(provider: Provider) -> list[type[RedisSettings]]:
    """Return the settings of this room."""
    return [RedisSettings]


@hookimpl
def portula_stores(provider: Provider) -> Mapping[str, StoreFactory]:
    """Return the store, where STORAGE names it or REDIS_URL is set; the client is imported when it is chosen."""
    chosen = provider.core_settings.STORAGE
    named = {chosen} if isinstance(chosen, str) else set((chosen or {}).values())
    if STORE not in named and provider.settings(RedisSettings).REDIS_URL is None:
        return {}

    def make(records: Sequence[RecordType]) -> RedisStore:
        from portula_storage_redis.opening import open_store

        return open_store(provider.settings(RedisSettings), records)

    return {STORE: make}
