"""Artifacts name the person whom they are about, so that a login session is read together with its person."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import mysql

revision = "0002"
down_revision = "0001"

TABLE, COLUMN = "portula_artifact", "subject"
EXACT = {"charset": "utf8mb4", "collation": "utf8mb4_nopad_bin"}


def upgrade() -> None:
    """Add the column, unless an interrupted migration did so on MariaDB, or a deployment has its own model."""
    if "artifact" in context.config.attributes["theirs"]:
        return
    if any(column["name"] == COLUMN for column in sa.inspect(context.get_bind()).get_columns(TABLE)):
        return
    of = sa.String(255).with_variant(sa.String(255, collation="C"), "postgresql")
    of = of.with_variant(mysql.VARCHAR(255, **EXACT), "mysql", "mariadb")
    op.add_column(TABLE, sa.Column(COLUMN, of, nullable=True))
