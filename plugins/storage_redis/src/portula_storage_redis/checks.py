"""Findings of `portula check` about the Redis server, and its readiness."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from portula import hookimpl
from portula.errors import StorageDown
from portula.plugin import Finding, Level
from portula_storage_redis.settings import STORE

if TYPE_CHECKING:
    from portula import Provider
    from portula_storage_redis.store import RedisStore


@hookimpl
def portula_checks(provider: Provider) -> list[Finding]:
    """Return the findings about the server, if it is in use and answers."""
    store = _store(provider)
    if store is None:
        return []
    try:
        return list(_findings(store))
    except StorageDown as down:
        return [
            Finding("storage_redis.down", Level.ERROR, f"{down}.", "Start the server, or mend REDIS_URL.")
        ]


@hookimpl
def portula_readiness(provider: Provider) -> dict[str, Callable[[], object]]:
    """Return the check of the server, if it is in use."""
    store = _store(provider)
    return {} if store is None else {"redis": store.answers}


def _store(provider: Provider) -> RedisStore | None:
    store = provider.stores.get(STORE)
    if store is None:
        return None
    from portula_storage_redis.store import RedisStore

    return store if isinstance(store, RedisStore) else None


def _findings(store: RedisStore) -> Iterator[Finding]:
    if not store.facts("persistence").get("aof_enabled"):
        yield Finding(
            "storage_redis.not_on_disk",
            Level.WARNING,
            "The server writes no log of what it is told (appendonly no): a crash loses what was acknowledged.",
            "Set appendonly yes, and appendfsync always where nothing at all may be lost.",
        )
    policy = store.facts("memory").get("maxmemory_policy")
    if policy not in (None, "noeviction"):
        yield Finding(
            "storage_redis.evicts",
            Level.WARNING,
            f"The server throws records away when its memory is full (maxmemory-policy {policy}).",
            "Set maxmemory-policy noeviction: requests are answered 503 then, and nothing is lost.",
        )
