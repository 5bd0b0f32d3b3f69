"""Indexes for walking along: the newest first, of everybody, of one person, of one client.

An index that begins with the column of another takes its place. Each statement may be repeated, as in 0001.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context, op

revision = "0002"
down_revision = "0001"


def order(table: str, *columns: str, key: str = "digest", only: str | None = None) -> None:
    """Create the index of an order; `only` names the column whose NULLs it leaves out, where the engine can."""
    where = sa.text(f"{only} IS NOT NULL") if only else None
    if table in context.config.attributes["theirs"]:
        return
    op.create_index(
        f"ix_portula_{table}_by_{'_'.join(columns)}",
        f"portula_{table}",
        [*columns, key],
        postgresql_where=where,
        sqlite_where=where,
        if_not_exists=True,
    )


def drop(table: str, column: str) -> None:
    """Drop the index of one column."""
    if table not in context.config.attributes["theirs"]:
        op.drop_index(f"ix_portula_{table}_{column}", f"portula_{table}", if_exists=True)


def upgrade() -> None:
    """Create what walks need; then drop what the new ones serve too."""
    order("application", "created_at", key="client_id")
    order("application", "name", key="client_id")
    for table in ("grant", "access_token", "refresh_token"):
        order(table, "issued_at")
        order(table, "subject", "issued_at")
        order(table, "client_id", "issued_at")
        drop(table, "subject")
    for table in ("access_token", "refresh_token"):
        order(table, "expires_at")
        order(table, "revoked_at", only="revoked_at")
        drop(table, "expires_at")
