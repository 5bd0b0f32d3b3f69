"""The tables of core's record types, with the indexes that walks go along.

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


def required_column(name: str, of: sa.types.TypeEngine[Any]) -> sa.Column[Any]:
    """Make a column that is never NULL."""
    return sa.Column(name, of, nullable=False)


def optional(name: str, of: sa.types.TypeEngine[Any]) -> sa.Column[Any]:
    """Make a column that may be NULL."""
    return sa.Column(name, of, nullable=True)


def create(
    name: str,
    primary: str,
    *columns: sa.Column[Any],
    indexes: tuple[str, ...],
    behind: tuple[str, ...] = (),
    of: sa.types.TypeEngine[Any] | None = None,
) -> None:
    """Create a table and its indexes, whichever of them is missing; none where a deployment has its own model."""
    if name in context.config.attributes["theirs"]:
        return
    table = f"portula_{name}"
    key = sa.PrimaryKeyConstraint(primary, name=f"pk_{table}")
    op.create_table(
        table,
        required_column(primary, short() if of is None else of),
        required_column("realm", short()),
        *columns,
        key,
        if_not_exists=True,
    )
    for column in indexes:
        op.create_index(f"ix_{table}_{column}", table, ["realm", column, *behind], if_not_exists=True)


def unique(name: str, column: str) -> None:
    """Create the unique index of a key that is not the primary one."""
    if name not in context.config.attributes["theirs"]:
        table = f"portula_{name}"
        op.create_index(f"ix_{table}_{column}", table, ["realm", column], unique=True, if_not_exists=True)


def order(name: str, *columns: str, key: str = "digest", only: str | None = None) -> None:
    """Create the index of an order; `only` names the column whose NULLs it leaves out, where the engine can."""
    if name in context.config.attributes["theirs"]:
        return
    where = sa.text(f"{only} IS NOT NULL") if only else None
    op.create_index(
        f"ix_portula_{name}_by_{'_'.join(columns)}",
        f"portula_{name}",
        ["realm", *columns, key],
        postgresql_where=where,
        sqlite_where=where,
        if_not_exists=True,
    )


def by_time(name: str, key: str = "digest") -> None:
    """Create the indexes for the newest first, of everybody, of one person, of one client."""
    order(name, "issued_at", key=key)
    order(name, "subject", "issued_at", key=key)
    order(name, "client_id", "issued_at", key=key)


def upgrade() -> None:
    """Create the tables."""
    application()
    authorization()
    grant()
    access_token()
    refresh_token()
    superseded_refresh_token()
    artifact()


def application() -> None:
    """Create the table of clients."""
    create(
        "application",
        "id",
        required_column("client_id", short()),
        required_column("name", short()),
        required_column("client_type", short()),
        required_column("grant_types", long()),
        required_column("redirect_uris", long()),
        required_column("post_logout_redirect_uris", long()),
        required_column("allowed_origins", long()),
        required_column("secret_hashes", long()),
        optional("token_endpoint_auth_method", short()),
        required_column("application_type", short()),
        optional("scope", long()),
        optional("require_pkce", sa.Boolean()),
        required_column("skip_authorization", sa.Boolean()),
        required_column("algorithm", short()),
        optional("user", short()),
        required_column("disabled", sa.Boolean()),
        required_column("created_at", sa.BigInteger()),
        required_column("updated_at", sa.BigInteger()),
        required_column("version", sa.BigInteger()),
        required_column("metadata", long()),
        indexes=("user",),
        behind=("client_id",),
        of=sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
    )
    unique("application", "client_id")
    order("application", "created_at", key="client_id")
    order("application", "name", key="client_id")


def authorization() -> None:
    """Create the table of authorizations."""
    create(
        "authorization",
        "id",
        required_column("client_id", short()),
        required_column("subject", short()),
        required_column("scope", long()),
        required_column("issued_at", sa.BigInteger()),
        optional("sid", short()),
        optional("auth_time", sa.BigInteger()),
        required_column("amr", long()),
        required_column("resources", long()),
        required_column("confirmation", long()),
        required_column("facts", long()),
        optional("revoked_at", sa.BigInteger()),
        optional("expires_at", sa.BigInteger()),
        indexes=("sid", "expires_at"),
    )
    by_time("authorization", key="id")


def grant() -> None:
    """Create the table of authorization codes."""
    create(
        "grant",
        "digest",
        required_column("authorization", short()),
        required_column("client_id", short()),
        required_column("subject", short()),
        required_column("scope", long()),
        required_column("issued_at", sa.BigInteger()),
        required_column("expires_at", sa.BigInteger()),
        optional("redirect_uri", long()),
        optional("code_challenge", short()),
        optional("code_challenge_method", short()),
        optional("taken_at", sa.BigInteger()),
        indexes=("authorization", "expires_at"),
    )
    by_time("grant")


def access_token() -> None:
    """Create the table of access tokens."""
    create(
        "access_token",
        "digest",
        required_column("client_id", short()),
        required_column("scope", long()),
        required_column("issued_at", sa.BigInteger()),
        required_column("expires_at", sa.BigInteger()),
        optional("authorization", short()),
        optional("subject", short()),
        required_column("audience", long()),
        required_column("confirmation", long()),
        optional("revoked_at", sa.BigInteger()),
        required_column("payload", long()),
        indexes=("authorization",),
    )
    by_time("access_token")
    order("access_token", "expires_at")
    order("access_token", "revoked_at", only="revoked_at")


def refresh_token() -> None:
    """Create the table of refresh tokens."""
    create(
        "refresh_token",
        "authorization",
        required_column("digest", short()),
        required_column("client_id", short()),
        required_column("subject", short()),
        required_column("scope", long()),
        required_column("issued_at", sa.BigInteger()),
        optional("expires_at", sa.BigInteger()),
        required_column("generation", sa.BigInteger()),
        optional("previous", short()),
        optional("rotated_at", sa.BigInteger()),
        optional("sealed", long()),
        optional("access_digest", short()),
        indexes=(),
    )
    unique("refresh_token", "digest")
    by_time("refresh_token", key="authorization")
    order("refresh_token", "expires_at", key="authorization")


def superseded_refresh_token() -> None:
    """Create the table of rotated refresh tokens that a deployment's own generator made."""
    create(
        "superseded_refresh_token",
        "digest",
        required_column("authorization", short()),
        optional("expires_at", sa.BigInteger()),
        indexes=("authorization", "expires_at"),
    )


def artifact() -> None:
    """Create the table of what else is short-lived."""
    create(
        "artifact",
        "digest",
        required_column("kind", short()),
        required_column("payload", long()),
        required_column("issued_at", sa.BigInteger()),
        optional("client_id", short()),
        optional("family", short()),
        optional("expires_at", sa.BigInteger()),
        optional("taken_at", sa.BigInteger()),
        required_column("version", sa.BigInteger()),
        indexes=("family", "expires_at"),
    )
