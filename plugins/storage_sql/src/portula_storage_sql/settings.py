"""Settings of the SQL storage."""

from __future__ import annotations

import re

from pydantic import BaseModel, ConfigDict, Field, field_validator

from portula.plugin import nearest

SCHEMES = ("sqlite", "postgres", "postgresql", "mysql", "mariadb")
"""What DATABASE_URL may begin with, before a driver that it names."""


class StorageSqlSettings(BaseModel):
    """Where the tables are."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    DATABASE_URL: str | None = Field(default=None, repr=False)
    """SQLAlchemy URL of the database: `sqlite:///…`, `postgresql+psycopg://…` or `mariadb+pymysql://…`.

    None keeps a SQLite file `portula.sqlite3` in the app's instance folder, created and migrated by itself. With a
    URL, `portula db upgrade` migrates. Models of your own need one: it says which database their tables are in. The URL
    may hold a password: it is never printed.
    """

    @field_validator("DATABASE_URL")
    @classmethod
    def _a_database_that_is_supported(cls, url: str | None) -> str | None:
        scheme = re.match(r"([A-Za-z0-9_]+)(\+\w+)?://", url or "")  # a password stands behind it
        if scheme and scheme[1] not in SCHEMES:
            near = nearest(scheme[1], SCHEMES)
            raise ValueError(f"{scheme[1]} is not supported; use SQLite, PostgreSQL or MariaDB{near}")
        return url

    DATABASE_POOL_SIZE: int = Field(default=10, ge=1, le=1000)
    """Connections that a process keeps open at most. A request has one for each statement, not for its whole time."""

    DATABASE_MAX_OVERFLOW: int = Field(default=0, ge=0, le=1000)
    """Connections that a process opens beyond those while all are in use; each is closed after its use."""

    DATABASE_POOL_TIMEOUT: float = Field(default=5, gt=0, le=600)
    """Seconds a request waits for a connection while all are in use; then it is answered 503."""

    DATABASE_CONNECT_TIMEOUT: int = Field(default=5, ge=1, le=600)
    """Seconds within which PostgreSQL or MariaDB has to accept a connection. psycopg makes it 2 at least."""

    DATABASE_STATEMENT_TIMEOUT: float = Field(default=10, ge=0.1, le=600)
    """Seconds within which PostgreSQL or MariaDB has to answer a statement.

    A request whose time is over is answered 503, and its connection is closed. Migrations take as long as they take.
    """

    DATABASE_PREPARED_STATEMENTS: bool = True
    """Whether PostgreSQL keeps a statement that is sent again and again prepared, which is faster.

    False behind a proxy that pools by transaction, such as PgBouncer with `pool_mode = transaction`: there a statement
    may arrive at a server that never prepared it. PgBouncer from 1.21 on follows them if `max_prepared_statements` is
    set.
    """

    DATABASE_CLUSTER_WAITS: bool = True
    """Whether reads at a node of a Galera cluster wait until it has what was committed at the others (wsrep_sync_wait).

    Each read then costs an exchange among the nodes. With False a token, and its revocation, is known to the other
    nodes later: by a moment, or by as much as one is behind. Codes and refresh tokens are used once either way.
    """
