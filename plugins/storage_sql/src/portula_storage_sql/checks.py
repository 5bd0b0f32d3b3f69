"""Findings of `portula check` about the database, and its readiness."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from portula import hookimpl
from portula.plugin import Finding, Level
from portula_storage_sql.settings import StorageSqlSettings

if TYPE_CHECKING:
    from portula import Provider

STORE = "storage_sql"
"""Name of the store in the STORAGE setting."""


@hookimpl
def portula_checks(provider: Provider) -> list[Finding]:
    """Return the findings about the database, if it is in use, and about models of the deployment's own."""
    found = list(_models(provider))
    settings = provider.settings(StorageSqlSettings)
    url = settings.DATABASE_URL
    if STORE in provider.stores and (url is None or url.startswith("sqlite")):
        found.append(
            Finding(
                "storage_sql.sqlite",
                Level.INFO,
                "The database is a SQLite file: one process writes at a time, so several workers wait for each other.",
                "Serve with --workers 1, or set DATABASE_URL to PostgreSQL or MariaDB.",
            )
        )
    if not settings.DATABASE_CLUSTER_WAITS and _is_node(provider):
        found.append(
            Finding(
                "storage_sql.stale_reads",
                Level.WARNING,
                "The database is a node of a cluster and may answer with what was true before: a token that was "
                "revoked at another node counts until this one knows.",
                "Set DATABASE_CLUSTER_WAITS to True.",
            )
        )
    if _beside_migrate(provider):
        found.append(
            Finding(
                "storage_sql.migrate",
                Level.WARNING,
                "Flask-Migrate looks after the same database, and its next `flask db migrate` would drop the "
                "provider's tables.",
                "Say Migrate(app, db, **alembic_options), with alembic_options of portula_storage_sql.models.",
            )
        )
    return found


@hookimpl
def portula_readiness(provider: Provider) -> dict[str, Callable[[], object]]:
    """Return the checks of the database and of its schema, if it is in use."""
    from portula_storage_sql.store import SqlStore

    store = provider.stores.get(STORE)
    return {"storage": store.answers, "schema": store.fits} if isinstance(store, SqlStore) else {}


def _is_node(provider: Provider) -> bool:
    from portula_storage_sql.galera import is_certified
    from portula_storage_sql.store import SqlStore

    store = provider.stores.get(STORE)
    return isinstance(store, SqlStore) and is_certified(store.engine)


def _beside_migrate(provider: Provider) -> bool:
    if "migrate" not in provider.app.extensions:
        return False
    from portula_storage_sql.beside_migrate import would_drop
    from portula_storage_sql.store import SqlStore

    store = provider.stores.get(STORE)
    return isinstance(store, SqlStore) and would_drop(provider.app, store.engine)


def _models(provider: Provider) -> Iterator[Finding]:
    """Find mapped classes whose tables are not there, or stay empty."""
    if all(record.model is None for record in provider.records):
        return  # and the ORM is not imported
    from portula_storage_sql.models import Model
    from portula_storage_sql.schema import lacking
    from portula_storage_sql.store import SqlStore

    store = provider.stores.get(STORE)
    records = store.records if isinstance(store, SqlStore) else ()
    missing = lacking(store.engine, records) if isinstance(store, SqlStore) else []
    if missing:
        yield Finding(
            "storage_sql.models",
            Level.ERROR,
            f"The database lacks what your own models need: {', '.join(missing)}.",
            "Run the migrations of your application.",
        )
    elsewhere = [
        record.name
        for record in provider.records
        if record not in records and record.model is not None and issubclass(record.model, Model)
    ]
    if elsewhere:
        yield Finding(
            "storage_sql.models_unused",
            Level.WARNING,
            f"The tables of your own models for {', '.join(elsewhere)} stay empty: STORAGE keeps these elsewhere.",
            "Name storage_sql in STORAGE for them, or name subclasses of the classes in portula.model.records.",
        )
