"""The tables of core's five record types.

What a migration has made never changes, so the types are written out here and not taken from the code. Each
statement may be repeated: on MariaDB, where DDL commits by itself, an interrupted migration runs again from its start.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import mysql

revision = "0001"
down_revision = None

MARIADB = ("mysql", "mariadb")
EXACT = {"charset": "utf8mb4", "collation": "utf8mb4_nopad_bin"}


def short() -> sa.types.TypeEngine[str]:
    """Up to 255 characters, compared byte by byte."""
    return (
        sa.String(255)
        .with_variant(sa.String(255, collation="C"), "postgresql")
        .with_variant(mysql.VARCHAR(255, **EXACT), *MARIADB)
    )


def long() -> sa.types.TypeEngine[str]:
    """Text of any length, and JSON."""
    return (
        sa.Text()
        .with_variant(sa.Text(collation="C"), "postgresql")
        .with_variant(mysql.MEDIUMTEXT(**EXACT), *MARIADB)
    )


def required(name: str, of: sa.types.TypeEngine[Any]) -> sa.Column[Any]:
    """Make a column that is never NULL."""
    return sa.Column(name, of, nullable=False)


def optional(name: str, of: sa.types.TypeEngine[Any]) -> sa.Column[Any]:
    """Make a column that may be NULL."""
    return sa.Column(name, of, nullable=True)


def create(name: str, primary: str, *columns: sa.Column[Any], indexes: tuple[str, ...]) -> None:
    """Create a table and its indexes, whichever of them is missing; none where a deployment has its own model."""
    if name in context.config.attributes["theirs"]:
        return
    table = f"portula_{name}"
    key = sa.PrimaryKeyConstraint(primary, name=f"pk_{table}")
    op.create_table(table, required(primary, short()), *columns, key, if_not_exists=True)
    for column in indexes:
        op.create_index(f"ix_{table}_{column}", table, [column], if_not_exists=True)


def upgrade() -> None:
    """Create the tables."""
    application()
    grant()
    access_token()
    refresh_token()
    artifact()


def application() -> None:
    """Create the table of clients."""
    create(
        "application",
        "client_id",
        required("name", short()),
        required("client_type", short()),
        required("grant_types", long()),
        required("redirect_uris", long()),
        required("post_logout_redirect_uris", long()),
        required("allowed_origins", long()),
        required("secret_hashes", long()),
        optional("token_endpoint_auth_method", short()),
        required("application_type", short()),
        optional("scope", long()),
        optional("require_pkce", sa.Boolean()),
        required("skip_authorization", sa.Boolean()),
        required("algorithm", short()),
        optional("user", short()),
        required("disabled", sa.Boolean()),
        required("created_at", sa.BigInteger()),
        required("updated_at", sa.BigInteger()),
        required("metadata", long()),
        indexes=("user",),
    )


def grant() -> None:
    """Create the table of authorization codes."""
    create(
        "grant",
        "digest",
        required("client_id", short()),
        required("subject", short()),
        required("family", short()),
        required("scope", long()),
        required("issued_at", sa.BigInteger()),
        required("expires_at", sa.BigInteger()),
        optional("redirect_uri", long()),
        optional("code_challenge", short()),
        optional("code_challenge_method", short()),
        optional("taken_at", sa.BigInteger()),
        required("payload", long()),
        indexes=("family", "subject", "expires_at"),
    )


def access_token() -> None:
    """Create the table of access tokens."""
    create(
        "access_token",
        "digest",
        required("client_id", short()),
        required("scope", long()),
        required("issued_at", sa.BigInteger()),
        required("expires_at", sa.BigInteger()),
        required("family", short()),
        optional("subject", short()),
        optional("revoked_at", sa.BigInteger()),
        required("payload", long()),
        indexes=("family", "subject", "expires_at"),
    )


def refresh_token() -> None:
    """Create the table of refresh tokens."""
    create(
        "refresh_token",
        "digest",
        required("client_id", short()),
        required("scope", long()),
        required("issued_at", sa.BigInteger()),
        required("family", short()),
        optional("subject", short()),
        optional("expires_at", sa.BigInteger()),
        required("generation", sa.BigInteger()),
        optional("taken_at", sa.BigInteger()),
        optional("revoked_at", sa.BigInteger()),
        required("payload", long()),
        indexes=("family", "subject", "expires_at"),
    )


def artifact() -> None:
    """Create the table of what else is short-lived."""
    create(
        "artifact",
        "digest",
        required("kind", short()),
        required("payload", long()),
        required("issued_at", sa.BigInteger()),
        optional("client_id", short()),
        optional("family", short()),
        optional("expires_at", sa.BigInteger()),
        optional("taken_at", sa.BigInteger()),
        indexes=("family", "expires_at"),
    )
