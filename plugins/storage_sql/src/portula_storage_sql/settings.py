"""Settings of the SQL storage."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class StorageSqlSettings(BaseModel):
    """Where the tables are."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    DATABASE_URL: str | None = Field(default=None, repr=False)
    """SQLAlchemy URL of the database: `sqlite:///…`, `postgresql+psycopg://…` or `mariadb+pymysql://…`.

    None keeps a SQLite file `portula.sqlite3` in the app's instance folder, created and migrated by itself. With a
    URL, `portula db upgrade` migrates. Models of your own need one: it says which database their tables are in. The URL
    may hold a password: it is never printed.
    """

    DATABASE_POOL_SIZE: int = Field(default=5, ge=1, le=1000)
    """Connections kept open while no thread needs them. Each thread at work holds one, however many there are."""

    DATABASE_PREPARED_STATEMENTS: bool = True
    """Whether PostgreSQL keeps a statement that is sent again and again prepared, which is faster.

    False behind a proxy that pools by transaction, such as PgBouncer with `pool_mode = transaction`: there a statement
    may arrive at a server that never prepared it. PgBouncer from 1.21 on follows them if `max_prepared_statements` is
    set.
    """
