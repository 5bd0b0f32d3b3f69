"""Indexes for tables that have rows, made while others write.

PostgreSQL builds them outside of a transaction (CONCURRENTLY), and leaves one behind that counts for nothing when it
fails; MariaDB is told to build in place and to let writers through, and refuses where it cannot. A SQLite file has one
writer in any case.
"""

from __future__ import annotations

from alembic.migration import MigrationContext
from alembic.operations import Operations, ops
from sqlalchemy import Connection
from sqlalchemy.schema import CreateIndex

from portula_storage_sql.schema import unfinished_indexes
from portula_storage_sql.tables import MARIADB

WITHOUT_LOCK = "ALGORITHM=INPLACE LOCK=NONE"


def builds_online(connection: Connection) -> bool:
    """Say whether the database makes an index while others write to the table."""
    return connection.dialect.name in ("postgresql", *MARIADB)


def drop_unfinished(connection: Connection) -> None:
    """Remove what a build left behind, so that it is found missing; outside of a transaction."""
    quote = connection.dialect.identifier_preparer.quote
    for name in unfinished_indexes(connection):
        connection.exec_driver_sql(f"DROP INDEX CONCURRENTLY IF EXISTS {quote(name)}")


def create_index(connection: Connection, addition: ops.CreateIndexOp) -> None:
    """Make an index while others write; outside of a transaction. One that somebody else has made meanwhile stays."""
    if connection.dialect.name == "postgresql":
        addition.kw["postgresql_concurrently"] = True
        addition.if_not_exists = True
        Operations(MigrationContext.configure(connection)).invoke(addition)
        return
    statement = CreateIndex(addition.to_index(), if_not_exists=True).compile(dialect=connection.dialect)
    connection.exec_driver_sql(f"{statement} {WITHOUT_LOCK}")
