"""Stores and records the storage contract works with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pytest

from portula.plugin import CORE_RECORDS, AccessToken, Grant, RecordType, Store

MakeStore = Callable[[Sequence[RecordType]], Store]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A record with a field of every type."""

    digest: str
    number: int = 0
    flag: bool = False
    names: tuple[str, ...] = ()
    payload: dict[str, Any] = field(default_factory=dict)
    note: str = ""
    label: str | None = None
    alias: str | None = None
    family: str | None = None
    rank: int | None = None
    choice: bool | None = None
    more: tuple[str, ...] | None = None
    extra: dict[str, Any] | None = None
    expires_at: int | None = None
    taken_at: int | None = None


SAMPLE = RecordType(
    "sample",
    Sample,
    keys=("digest", "alias"),
    indexes=("family", "rank"),
    expires="expires_at",
    orders=(("rank",), ("family", "number"), ("label",)),
    text=("note",),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedSample:
    """A record that people name, each realm by itself."""

    name: str
    realm: str = ""
    alias: str | None = None
    family: str | None = None
    number: int = 0
    expires_at: int | None = None
    taken_at: int | None = None


NAMED = RecordType(
    "named",
    NamedSample,
    keys=("name", "alias"),
    indexes=("family",),
    expires="expires_at",
    orders=(("number",), ("family", "number")),
    surrogate=True,
)
RECORDS = (*CORE_RECORDS, SAMPLE, NAMED)


class StoreFixtures:
    """What every part of the contract begins with."""

    shares = False
    """Whether a second call of `make_store` in one test gives another handle on the same data."""

    @pytest.fixture
    def make_store(self) -> MakeStore:
        """Return a function that makes a store for record types on a fresh database. Override it."""
        raise NotImplementedError

    @pytest.fixture
    def store(self, make_store: MakeStore) -> Store:
        """Return a store for the core's records and one with a field of every type."""
        return make_store(RECORDS)


def grant(digest: str, **values: Any) -> Grant:
    """Make a grant of which only the digest matters."""
    given = {"client_id": "client", "subject": "user", "authorization": "authorization", "scope": "read"}
    return Grant(**{**given, "issued_at": 1, "expires_at": 61, "digest": digest, **values})


def access_token(digest: str) -> AccessToken:
    """Make an access token of which only the digest matters."""
    return AccessToken(
        digest=digest,
        client_id="client",
        scope="read",
        issued_at=1,
        expires_at=61,
        authorization="authorization",
    )


def in_thread(work: Callable[[], Any]) -> Any:
    """Do something in another thread and return what it returns."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(work).result(timeout=30)
