"""A record is found along with those that it points to."""

from __future__ import annotations

from typing import Any

import pytest

from portula.plugin import (
    CORE_RECORDS,
    TO_AUTHORIZATION,
    TO_CLIENT,
    AccessToken,
    Application,
    Authorization,
    Pointer,
    Storage,
)
from portula_testing.memory import MemoryStore
from portula_testing.storage_samples import access_token
from portula_testing.writing import add_to


class Joining(MemoryStore):
    """A store that finds several records at once."""

    def find_joined(self, cls: type[Any], /, *along: Any, **keys: Any) -> tuple[Any, ...] | None:
        found = self.find(cls, **keys)
        return None if found is None else (found, *(f"joined {pointer.field}" for pointer in along))


def storage_of(store: MemoryStore, clients: MemoryStore | None = None) -> Storage:
    routes = {record.cls: store for record in CORE_RECORDS}
    return Storage({**routes, Application: clients or store})


@pytest.mark.parametrize("clients", [None, MemoryStore(CORE_RECORDS), Joining(CORE_RECORDS)])
def test_each_is_read_where_it_is_kept(clients: MemoryStore | None) -> None:
    storage = storage_of(MemoryStore(CORE_RECORDS), clients)
    token, client = access_token("t"), Application(client_id="client")
    known = Authorization(id="authorization", client_id="client", subject="s", scope="", issued_at=1)
    add_to(storage, token)
    find = (AccessToken, TO_AUTHORIZATION, TO_CLIENT)
    assert storage.find_along(*find, digest="t") == (token, None, None)
    assert storage.find_along(*find, digest="other") is None
    add_to(storage, known)
    add_to(storage, client)
    assert storage.find_along(*find, digest="t") == (token, known, client)
    named = Pointer("", Application, "client_id", value="client")
    gone = named._replace(value="gone")
    assert storage.find_along(*find, named, gone, digest="t") == (token, known, client, client, None)
    assert storage.find_along(AccessToken, named, digest="other") is None
    add_to(storage, AccessToken(digest="own", client_id="client", scope="", issued_at=1, expires_at=2))
    assert storage.find_along(AccessToken, TO_AUTHORIZATION, digest="own") == (
        storage.find(AccessToken, digest="own"),
        None,
    )


def test_a_store_that_keeps_all_of_them_may_read_them_at_once() -> None:
    store = Joining(CORE_RECORDS)
    add_to(store, access_token("t"))
    found = storage_of(store).find_along(AccessToken, TO_AUTHORIZATION, TO_CLIENT, digest="t")
    assert found == (access_token("t"), "joined authorization", "joined client_id")
    apart = storage_of(store, MemoryStore(CORE_RECORDS))
    assert apart.find_along(AccessToken, TO_AUTHORIZATION, TO_CLIENT, digest="t") == (
        access_token("t"),
        None,
        None,
    )
