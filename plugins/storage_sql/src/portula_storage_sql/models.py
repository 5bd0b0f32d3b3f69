"""Mixins for models of the deployment's own: the columns of core's records, and no foreign keys.

A class with one of them and any declarative base (Flask-SQLAlchemy's `db.Model` too) may have further columns, which
are nullable or have a default, and foreign keys to tables of the deployment. Named in APPLICATION_MODEL and its
companions, its table is used in the place of ours; `portula db upgrade` leaves it to the deployment's own migrations.

    class Client(ApplicationMixin, db.Model):
        tenant_id: Mapped[int | None] = mapped_column(ForeignKey("tenant.id"))

The mixin comes before the base. A column may be said again to be changed, e.g. with a foreign key; its type and whether
it may be NULL stay.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

from sqlalchemy import BigInteger, Boolean, Table, event
from sqlalchemy.orm import Mapped, mapped_column

from portula.plugin import CORE_RECORDS, ID_TOKEN_RECORD, ApplicationPolicy, RecordType, shape_of
from portula_storage_sql.autogenerate import alembic_options
from portula_storage_sql.mapping import record_class
from portula_storage_sql.tables import JsonDict, JsonTuple, index, long_text, short_text

__all__ = [
    "AccessTokenMixin",
    "ApplicationMixin",
    "GrantMixin",
    "IDTokenMixin",
    "JsonDict",
    "JsonTuple",
    "RefreshTokenMixin",
    "alembic_options",
    "long_text",
    "short_text",
]


TYPES = {record.name: record for record in (*CORE_RECORDS, ID_TOKEN_RECORD)}


class Model:
    """What the mixins have in common."""

    portula_type: ClassVar[RecordType]
    """The record type whose columns the mixin has."""

    @classmethod
    def portula_record(cls, record: RecordType) -> type[Any]:
        """Return the record class that stands for rows of this model; see `portula.host.models.StorageModel`."""
        return record_class(cls, record)


@event.listens_for(Model, "after_mapper_constructed", propagate=True)
def _add_indexes(_: object, cls: type[Model]) -> None:
    """Give the table the indexes of ours, as soon as the class is mapped, so that Alembic sees them."""
    table, shape = vars(cls).get("__table__"), shape_of(replace(cls.portula_type, model=cls))
    if isinstance(table, Table) and not shape.kinds.keys() - table.c.keys():
        index(table, shape)


class ApplicationMixin(ApplicationPolicy, Model):
    """Columns of clients. `metadata` is called `client_metadata` here, since SQLAlchemy keeps that name."""

    portula_type = TYPES["application"]

    client_id: Mapped[str] = mapped_column(short_text(), primary_key=True)
    name: Mapped[str] = mapped_column(short_text(), default="")
    client_type: Mapped[str] = mapped_column(short_text(), default="confidential")
    grant_types: Mapped[tuple[str, ...]] = mapped_column(JsonTuple(), default=())
    redirect_uris: Mapped[tuple[str, ...]] = mapped_column(JsonTuple(), default=())
    post_logout_redirect_uris: Mapped[tuple[str, ...]] = mapped_column(JsonTuple(), default=())
    allowed_origins: Mapped[tuple[str, ...]] = mapped_column(JsonTuple(), default=())
    secret_hashes: Mapped[tuple[str, ...]] = mapped_column(JsonTuple(), default=())
    token_endpoint_auth_method: Mapped[str | None] = mapped_column(short_text())
    application_type: Mapped[str] = mapped_column(short_text(), default="web")
    scope: Mapped[str | None] = mapped_column(long_text())
    require_pkce: Mapped[bool | None] = mapped_column(Boolean())
    skip_authorization: Mapped[bool] = mapped_column(Boolean(), default=False)
    algorithm: Mapped[str] = mapped_column(short_text(), default="")
    user: Mapped[str | None] = mapped_column(short_text())
    disabled: Mapped[bool] = mapped_column(Boolean(), default=False)
    created_at: Mapped[int] = mapped_column(BigInteger(), default=0)
    updated_at: Mapped[int] = mapped_column(BigInteger(), default=0)
    version: Mapped[int] = mapped_column(BigInteger(), default=0)
    client_metadata: Mapped[dict[str, Any]] = mapped_column("metadata", JsonDict(), default=dict)


class GrantMixin(Model):
    """Columns of authorization codes; see `portula.plugin.Grant`."""

    portula_type = TYPES["grant"]

    digest: Mapped[str] = mapped_column(short_text(), primary_key=True)
    client_id: Mapped[str] = mapped_column(short_text())
    subject: Mapped[str] = mapped_column(short_text())
    authorization: Mapped[str] = mapped_column(short_text())
    scope: Mapped[str] = mapped_column(long_text())
    issued_at: Mapped[int] = mapped_column(BigInteger())
    expires_at: Mapped[int] = mapped_column(BigInteger())
    redirect_uri: Mapped[str | None] = mapped_column(long_text())
    code_challenge: Mapped[str | None] = mapped_column(short_text())
    code_challenge_method: Mapped[str | None] = mapped_column(short_text())
    taken_at: Mapped[int | None] = mapped_column(BigInteger())


class AccessTokenMixin(Model):
    """Columns of access tokens; see `portula.plugin.AccessToken`."""

    portula_type = TYPES["access_token"]

    digest: Mapped[str] = mapped_column(short_text(), primary_key=True)
    client_id: Mapped[str] = mapped_column(short_text())
    scope: Mapped[str] = mapped_column(long_text())
    issued_at: Mapped[int] = mapped_column(BigInteger())
    expires_at: Mapped[int] = mapped_column(BigInteger())
    authorization: Mapped[str | None] = mapped_column(short_text())
    subject: Mapped[str | None] = mapped_column(short_text())
    audience: Mapped[tuple[str, ...]] = mapped_column(JsonTuple(), default=())
    confirmation: Mapped[dict[str, Any]] = mapped_column(JsonDict(), default=dict)
    revoked_at: Mapped[int | None] = mapped_column(BigInteger())
    payload: Mapped[dict[str, Any]] = mapped_column(JsonDict(), default=dict)


class RefreshTokenMixin(Model):
    """Columns of refresh tokens; see `portula.plugin.RefreshToken`."""

    portula_type = TYPES["refresh_token"]

    authorization: Mapped[str] = mapped_column(short_text(), primary_key=True)
    digest: Mapped[str] = mapped_column(short_text(), unique=True)
    client_id: Mapped[str] = mapped_column(short_text())
    subject: Mapped[str] = mapped_column(short_text())
    scope: Mapped[str] = mapped_column(long_text())
    issued_at: Mapped[int] = mapped_column(BigInteger())
    expires_at: Mapped[int | None] = mapped_column(BigInteger())
    generation: Mapped[int] = mapped_column(BigInteger(), default=0)
    previous: Mapped[str | None] = mapped_column(short_text())
    rotated_at: Mapped[int | None] = mapped_column(BigInteger())
    sealed: Mapped[str | None] = mapped_column(long_text())
    access_digest: Mapped[str | None] = mapped_column(short_text())


class IDTokenMixin(Model):
    """Columns of ID tokens, for a plugin that keeps them; see `portula.plugin.IDToken`."""

    portula_type = TYPES["id_token"]

    digest: Mapped[str] = mapped_column(short_text(), primary_key=True)
    client_id: Mapped[str] = mapped_column(short_text())
    subject: Mapped[str] = mapped_column(short_text())
    scope: Mapped[str] = mapped_column(long_text())
    issued_at: Mapped[int] = mapped_column(BigInteger())
    expires_at: Mapped[int] = mapped_column(BigInteger())
    authorization: Mapped[str | None] = mapped_column(short_text())
    payload: Mapped[dict[str, Any]] = mapped_column(JsonDict(), default=dict)
