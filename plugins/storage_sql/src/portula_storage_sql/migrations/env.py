"""Runs the migrations on the connection that `portula_storage_sql.migrate` opened."""

from __future__ import annotations

from alembic import context

from portula_storage_sql.schema import VERSION_TABLE

context.configure(connection=context.config.attributes["connection"], version_table=VERSION_TABLE)
with context.begin_transaction():
    context.run_migrations()
