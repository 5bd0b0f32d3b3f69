"""Storage in SQL: SQLite, PostgreSQL and MariaDB through SQLAlchemy Core, schema through Alembic.

Answers the store contract of `portula.model.storage`; the SQL of single use follows RFC 6749 §4.1.2 and RFC 9700 §4.14.
Must never hold a token or a secret (only digests arrive), drop a column or a table, or print the database password.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from pydantic import BaseModel

from portula import hookimpl
from portula_storage_sql.checks import portula_checks, portula_readiness
from portula_storage_sql.defaults import (
    portula_access_token_model,
    portula_application_model,
    portula_grant_model,
    portula_id_token_model,
    portula_refresh_token_model,
)
from portula_storage_sql.settings import StorageSqlSettings

if TYPE_CHECKING:
    import click

    from portula import Provider
    from portula.plugin import RecordType, StoreFactory
    from portula_storage_sql.store import SqlStore

__all__ = [
    "portula_access_token_model",
    "portula_application_model",
    "portula_checks",
    "portula_grant_model",
    "portula_id_token_model",
    "portula_readiness",
    "portula_refresh_token_model",
]
__version__ = "0.1.0"


@hookimpl
def portula_settings(provider: Provider) -> Sequence[type[BaseModel]]:
    """Contribute DATABASE_URL and its companions."""
    return [StorageSqlSettings]


@hookimpl
def portula_stores(provider: Provider) -> Mapping[str, StoreFactory]:
    """Contribute the store; SQLAlchemy is imported only when STORAGE chooses it."""

    def make(records: Sequence[RecordType]) -> SqlStore:
        from portula_storage_sql.opening import open_store

        return open_store(provider, records)

    return {"storage_sql": make}


@hookimpl
def portula_commands(provider: Provider) -> Sequence[click.Command]:
    """Contribute `portula db`."""
    from portula_storage_sql.commands import database_group

    return [database_group(provider)]
