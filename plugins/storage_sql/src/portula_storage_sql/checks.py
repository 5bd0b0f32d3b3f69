"""What about the storage is good to know before there is load."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portula import hookimpl
from portula.checks import Finding, Level
from portula_storage_sql.settings import StorageSqlSettings

if TYPE_CHECKING:
    from portula import Provider


@hookimpl
def portula_checks(provider: Provider) -> list[Finding]:
    """Return the findings about the database, if it is in use."""
    url = provider.settings(StorageSqlSettings).DATABASE_URL
    if "storage_sql" not in provider.stores or not (url is None or url.startswith("sqlite")):
        return []
    return [
        Finding(
            "storage_sql.sqlite",
            Level.INFO,
            "The database is a SQLite file: one process writes at a time, so several workers wait for each other.",
            "Serve with --workers 1, or set DATABASE_URL to PostgreSQL or MariaDB.",
        )
    ]
