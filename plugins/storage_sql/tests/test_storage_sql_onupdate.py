"""Columns that the database writes by itself on each change hold no edit up: a change is conditional on a version."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import BigInteger, DateTime, Engine, event, func
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from portula import Plugin, Provider
from portula.errors import Conflict
from portula.plugin import Application, RecordType
from portula_storage_sql import migrate
from portula_storage_sql.models import ApplicationMixin, short_text
from portula_storage_sql.store import SqlStore
from portula_testing.provider import make_provider

EDITS = 3


class Base(DeclarativeBase):
    """The deployment's own declarative base."""


class Stamped(ApplicationMixin, Base):
    __tablename__ = "stamped_client"
    id: Mapped[int] = mapped_column(primary_key=True)
    client_id: Mapped[str] = mapped_column(short_text(), unique=True)
    updated_at: Mapped[int] = mapped_column(BigInteger, default=time.time_ns, onupdate=time.time_ns)
    """A field of portula's record, written by the application's clock, in another unit."""
    touched_by_app: Mapped[int] = mapped_column(BigInteger, default=time.time_ns, onupdate=time.time_ns)
    touched_by_server: Mapped[Any] = mapped_column(
        DateTime(timezone=True), server_default=func.now(), onupdate=func.now()
    )


@pytest.fixture
def provider(empty_engine: Engine) -> Provider:
    """A provider whose clients are in that table."""
    Base.metadata.create_all(empty_engine)

    class Stamping(Plugin):
        def portula_stores(self, provider: Any) -> Any:
            def make(records: Sequence[RecordType]) -> SqlStore:
                migrate.upgrade(empty_engine, records)
                return SqlStore(empty_engine, records)

            return {"stamping": make}

    settings = {"APPLICATION_MODEL": Stamped, "STORAGE": "stamping"}
    made: Provider = make_provider("generators", Stamping(), settings=settings)
    made.clients.create(Application(client_id="tea"))
    return made


def test_an_edit_ends_and_is_kept(provider: Provider, empty_engine: Engine) -> None:
    written: list[str] = []

    def note(*called: Any) -> None:
        written.append(called[2])

    event.listen(empty_engine, "before_cursor_execute", note)
    for number in range(EDITS):
        provider.clients.edit("tea", lambda found, number=number: replace(found, name=f"Tea {number}"))  # type: ignore[misc]
    updates = [text for text in written if text.upper().startswith("UPDATE STAMPED_CLIENT")]
    assert len(updates) <= EDITS
    assert provider.clients.require("tea").name == f"Tea {EDITS - 1}"


def test_an_edit_of_what_somebody_changed_meanwhile_is_still_refused(provider: Provider) -> None:
    stale = provider.clients.require("tea")
    provider.clients.save(replace(stale, name="Mine"))
    with pytest.raises(Conflict):
        provider.clients.save(replace(stale, name="Theirs"))
    assert provider.clients.require("tea").name == "Mine"
