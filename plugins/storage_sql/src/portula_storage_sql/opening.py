"""The store of a provider, as its settings say."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from portula_storage_sql.connections import PoolSize
from portula_storage_sql.engine import embedded_url, make_engine, refuse_models
from portula_storage_sql.settings import StorageSqlSettings
from portula_storage_sql.store import SqlStore

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portula import Provider
    from portula.plugin import RecordType


def open_store(provider: Provider, records: Sequence[RecordType]) -> SqlStore:
    """Return the store; nothing connects yet.

    Raises:
        ConfigError: DATABASE_URL is not supported, or models of the deployment's own need one.
    """
    settings = provider.settings(StorageSqlSettings)
    embedded = settings.DATABASE_URL is None
    if embedded:
        refuse_models(records)
    url = settings.DATABASE_URL or embedded_url(Path(provider.app.instance_path))
    engine = make_engine(
        url,
        connect_timeout=settings.DATABASE_CONNECT_TIMEOUT,
        statement_timeout=settings.DATABASE_STATEMENT_TIMEOUT,
        prepared_statements=settings.DATABASE_PREPARED_STATEMENTS,
        cluster_waits=settings.DATABASE_CLUSTER_WAITS,
        make_folder=embedded,
    )
    pool = PoolSize(
        settings.DATABASE_POOL_SIZE, settings.DATABASE_MAX_OVERFLOW, settings.DATABASE_POOL_TIMEOUT
    )
    return SqlStore(engine, records, embedded=embedded, pool=pool)
