"""Storage returns records of the type it was asked for; only type checkers read this."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_type

from portula import Provider
from portula.plugin import (
    AccessToken,
    Application,
    Plan,
    RecordType,
    RefreshToken,
    Storage,
    Store,
    StoreFactory,
    WalkingStore,
)
from portula_testing.memory import MemoryStore


@dataclass(frozen=True, slots=True)
class Note:
    """A record of a plugin."""

    key: str
    text: str


def verbs(storage: Storage) -> None:
    """Use each verb."""
    assert_type(storage.find(Application, client_id="a"), Application | None)
    assert_type(storage.find(Note, key="a"), Note | None)
    assert_type(storage.select(RefreshToken, subject="f"), list[RefreshToken])
    assert_type(storage.walk(Note, "key"), list[Note])
    plan = Plan()
    plan.add(Note("a", "b"))
    plan.change_all(AccessToken, {"subject": "f"}, revoked_at=1)
    plan.change(Note, "a", given={"text": "b"}, text="c")
    removed = plan.remove(Note, key="a")
    assert_type(plan.additions(Note), list[Note])
    assert_type(storage.apply(plan)[removed], int)


def narrow(provider: Provider) -> str:
    """What is found may be missing."""
    client = provider.storage.find(Application, client_id="a")
    _ = client.name  # type: ignore[union-attr]  # pyright: ignore[reportOptionalMemberAccess]
    return client.name if client is not None else ""


def make(records: Sequence[RecordType]) -> Store:
    """Make a store: the one in memory fits the protocol."""
    return MemoryStore(records)


def make_walking(records: Sequence[RecordType]) -> WalkingStore:
    """Make a store that can walk."""
    return MemoryStore(records)


FACTORIES: dict[str, StoreFactory] = {"memory": MemoryStore, "made": make}
NOTES = RecordType("note", Note, keys=("key",))
