"""What waits for the end of a transaction hears of one end only, and once."""

from contextlib import suppress

import pytest

from portula.plugin import CORE_RECORDS, Artifact, Storage
from portula_testing.memory import MemoryStore


@pytest.fixture
def storage():
    store = MemoryStore(CORE_RECORDS)
    return Storage({record.cls: store for record in CORE_RECORDS})


@pytest.fixture
def heard(storage):
    """What was heard; `heard.listen()` waits for both ends."""

    class Heard(list):
        def listen(self, name=""):
            storage.on_commit(lambda: self.append(f"{name}committed"))
            storage.on_rollback(lambda: self.append(f"{name}rolled back"))

    return Heard()


def artifact(digest):
    return Artifact(digest=digest, kind="k", payload={}, issued_at=1)


def test_a_commit_is_heard_when_it_is_done(storage, heard):
    with storage.transaction():
        heard.listen()
        assert heard == []
    assert heard == ["committed"]


def test_a_rollback_is_heard_when_it_is_done(storage, heard):
    with suppress(KeyError), storage.transaction():
        heard.listen()
        raise KeyError
    assert heard == ["rolled back"]


def test_what_fails_after_the_end_loses_nobody_what_follows(storage, heard, caplog):
    with storage.transaction():
        storage.on_commit(lambda: 1 / 0)
        heard.listen()
    assert heard == ["committed"]
    assert "ZeroDivisionError" in caplog.text


def test_without_a_transaction_everything_is_committed_at_once(heard):
    heard.listen()
    assert heard == ["committed"]


def test_an_inner_transaction_waits_for_the_outer_one(storage, heard):
    with storage.transaction():
        with storage.transaction():
            heard.listen("inner ")
        heard.listen("outer ")
        assert heard == []
    assert heard == ["inner committed", "outer committed"]


def test_an_inner_rollback_is_that_of_the_outer_one(storage, heard):
    with suppress(KeyError), storage.transaction():
        heard.listen("outer ")
        with storage.transaction():
            heard.listen("inner ")
            raise KeyError
    assert heard == ["outer rolled back", "inner rolled back"]


def test_the_next_transaction_hears_nothing_of_the_last(storage, heard):
    with suppress(KeyError), storage.transaction():
        heard.listen()
        raise KeyError
    with storage.transaction():
        pass
    assert heard == ["rolled back"]


def test_what_is_written_after_a_rollback_stays(storage):
    with suppress(KeyError), storage.transaction():
        storage.add(artifact("a"))
        storage.on_rollback(lambda: storage.add(artifact("b")))
        raise KeyError
    assert [found.digest for found in storage.select(Artifact)] == ["b"]
