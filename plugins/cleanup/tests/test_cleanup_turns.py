"""Deleting beside requests: what a turn deletes, of what, and whose fault is nobody's."""

import logging
import threading
from base64 import b64encode
from collections import Counter
from contextlib import suppress
from dataclasses import MISSING, fields

import pytest

from portula import ConfigError, hookimpl
from portula.errors import StorageDown
from portula.plugin import CORE_RECORDS, AccessToken, Artifact, Grant
from portula_cleanup.sweep import Sweep, kinds_of
from portula_cleanup.turns import Turns
from portula_testing.memory import MemoryStore
from portula_testing.provider import MovableClock, client_for, make_provider
from portula_testing.storage_samples import grant
from portula_testing.writing import add_to

NOW = 1_700_000_000
KINDS = [kind for kind in CORE_RECORDS if kind.expires]
AGES = (-(10**9), -86_400, -2, -1, 0, 1, 86_400, None)
"""How long after now a record expires."""
EVERY, SIZE = "CLEAR_EXPIRED_TOKENS_AFTER_WRITES", "CLEAR_EXPIRED_TOKENS_AFTER_WRITES_SIZE"


def made(kind, name, expires_at):
    """Return a record of a kind, its required fields filled with something."""
    given = {}
    for field in fields(kind.cls):
        if field.default is MISSING and field.default_factory is MISSING:
            given[field.name] = {"int": 1, "str": name}.get(str(field.type), {})
    return kind.cls(**{**given, kind.expires: expires_at})


class Writer(MemoryStore):
    """A store that writes down what is purged, and fails on demand."""

    def __init__(self):
        super().__init__(())
        self.purged = []
        self.failures = {}

    def purge(self, cls, /, *, now, limit, realm=None):
        self.purged.append((cls.__name__, limit))
        if cls in self.failures:
            raise self.failures[cls]
        return super().purge(cls, now=now, limit=limit, realm=realm)

    @hookimpl
    def portula_stores(self, provider):
        def make(records):
            self.admit(records)
            return self

        return {"written": make}


class World:
    def __init__(self, *rooms, **settings):
        self.store, self.clock = Writer(), MovableClock(NOW)
        given = {"STORAGE": "written", "DELIVERY_THREADS": 0, **settings}
        self.provider = make_provider("cleanup", *rooms, self.store, clock=self.clock, settings=given)
        self.turns = Turns(self.provider)

    def fill(self, number=1, ages=AGES, kinds=KINDS):
        for kind in kinds:
            for age in ages:
                for place in range(number):
                    expires_at = None if age is None else NOW + age
                    if expires_at is not None or "None" in str(_expiry(kind).type):
                        add_to(self.store, made(kind, f"{age} {place}", expires_at))

    def left(self):
        return {kind.name: sorted(map(repr, self.store.select(kind.cls, limit=10_000))) for kind in KINDS}

    def count(self, cls):
        return len(self.store.select(cls, limit=10_000))


def _expiry(kind):
    return next(field for field in fields(kind.cls) if field.name == kind.expires)


@pytest.fixture
def make():
    return World


# --- What goes ---


@pytest.mark.parametrize("size", [1, 3, 200])
@pytest.mark.parametrize("later", [0, 1, 86_400, 10**9])
def test_turns_delete_exactly_what_the_command_deletes(make, size, later):
    beside, command = make(**{SIZE: size}), make()
    for world in (beside, command):
        world.fill(number=3)
        world.clock.advance(later)
    for _ in range(40 * len(KINDS)):
        beside.turns.take()
    list(Sweep(command.provider).run())
    assert beside.left() == command.left()


def test_what_expires_now_and_what_never_expires_stays(make):
    world = make()
    world.fill()
    for _ in KINDS:
        world.turns.take()
    now = world.provider.now()
    for kind in KINDS:
        expiries = [getattr(record, kind.expires) for record in world.store.select(kind.cls)]
        assert expiries
        assert all(expires_at is None or expires_at >= now for expires_at in expiries)


@pytest.mark.parametrize("size", [1, 2, 7, 200])
def test_a_turn_is_one_purge_of_one_kind_and_deletes_no_more_than_its_size(make, size):
    world = make(**{SIZE: size})
    world.fill(number=20, ages=(-1,))
    for _ in range(30):
        before = sum(map(len, world.left().values()))
        batch = world.turns.take()
        assert batch.deleted == before - sum(map(len, world.left().values())) <= size
    assert len(world.store.purged) == 30
    assert {limit for _, limit in world.store.purged} == {size}


# --- Whose turn it is ---


def test_each_kind_has_its_turn(make):
    world = make()
    for _ in range(2 * len(KINDS)):
        world.turns.take()
    assert Counter(name for name, _ in world.store.purged) == dict.fromkeys(
        (kind.cls.__name__ for kind in kinds_of(world.provider)), 2
    )


def test_a_kind_of_which_more_is_left_has_every_second_turn_and_the_others_the_rest(make):
    world = make(**{SIZE: 10})
    grants = [kind for kind in KINDS if kind.cls is Grant]
    world.fill(number=10 * 2 * len(KINDS), ages=(-1,), kinds=grants)
    for _ in range(3 * len(KINDS)):
        world.turns.take()
    turns = Counter(name for name, _ in world.store.purged)
    assert turns["Grant"] >= len(KINDS)
    assert min(turns[kind.cls.__name__] for kind in KINDS) >= 1


def test_a_kind_that_has_caught_up_has_turns_like_the_others(make):
    world = make(**{SIZE: 10})
    world.fill(number=25, ages=(-1,), kinds=[kind for kind in KINDS if kind.cls is Grant])
    for _ in range(5 * len(KINDS)):
        world.turns.take()
    assert world.count(Grant) == 0
    world.store.purged.clear()
    for _ in range(len(KINDS)):
        world.turns.take()
    assert len({name for name, _ in world.store.purged}) == len(KINDS)


@pytest.mark.parametrize("kinds", [1, 2, len(KINDS)])
def test_however_many_kinds_are_behind_all_catch_up(make, kinds):
    world = make(**{SIZE: 5})
    world.fill(number=50, ages=(-1,), kinds=KINDS[:kinds])
    for _ in range(10 * kinds * 2 + 6 * len(KINDS)):
        world.turns.take()
    assert sum(map(len, world.left().values())) == 0


@pytest.mark.parametrize("failing", [kind.cls for kind in KINDS])
def test_a_kind_that_cannot_be_deleted_holds_up_no_other(make, failing):
    world = make()
    world.fill(ages=(-1, 1))
    world.store.failures[failing] = StorageDown("away")
    for _ in KINDS:
        with suppress(StorageDown):
            world.turns.take()
    assert {kind.cls: world.count(kind.cls) for kind in KINDS} == {
        kind.cls: 2 if kind.cls is failing else 1 for kind in KINDS
    }


def test_two_processes_at_once_delete_what_has_expired_and_nothing_else(make):
    world = make(**{SIZE: 3})
    world.fill(number=30, ages=(-1, 1))
    others = [world.turns, *(Turns(world.provider) for _ in range(3))]
    threads = [
        threading.Thread(target=lambda turns=turns: [turns.take() for _ in range(150)]) for turns in others
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert {kind.cls: world.count(kind.cls) for kind in KINDS} == {kind.cls: 30 for kind in KINDS}


def test_a_provider_without_storage_has_no_turns():
    provider = make_provider("cleanup", settings={"STORAGE": None})
    assert Turns(provider).take() is None


# --- By requests ---


ROOMS = ("oauth2", "introspection", "generators", "scopes_settings", "consent")


class Machine(World):
    """A world with a client that asks for tokens."""

    def __init__(self, **settings):
        super().__init__(*ROOMS, **settings)
        client, secret = client_for(self.provider, "client_credentials")
        pair = b64encode(f"{client.client_id}:{secret}".encode()).decode()
        self.headers = {"Authorization": f"Basic {pair}"}

    def is_active(self, token):
        answer = self.provider.app.test_client().post(
            "/o/introspect/", data={"token": token}, headers=self.headers
        )
        return answer.json["active"]

    def ask(self):
        answer = self.provider.app.test_client().post(
            "/o/token/", data={"grant_type": "client_credentials"}, headers=self.headers
        )
        for thread in threading.enumerate():
            if thread.name == "portula background":
                thread.join(10)
        return answer


@pytest.mark.parametrize("lifetime", [1, 60, 3600, 36_000])
def test_a_deployment_that_runs_no_command_does_not_grow(lifetime):
    world = Machine(**{EVERY: 5, SIZE: 50, "ACCESS_TOKEN_EXPIRE_SECONDS": lifetime})
    most = 0
    for _ in range(400):
        assert world.ask().status_code == 200
        world.clock.advance(lifetime / 10)
        most = max(most, world.count(AccessToken))
    # Ten are live at a time; others wait until their kind's turn comes, every 5 requests times the kinds.
    assert most <= 11 + 5 * (len(kinds_of(world.provider)) + 2)


@pytest.mark.parametrize("size", [1, 200])
@pytest.mark.parametrize("lifetime", [8, 800, 36_000])
def test_tokens_stay_active_to_their_last_second_however_often_it_is_cleaned(lifetime, size):
    world = Machine(**{EVERY: 1, SIZE: size, "ACCESS_TOKEN_EXPIRE_SECONDS": lifetime})
    issued = []
    for _ in range(40):
        issued.append((world.ask().json["access_token"], world.clock() + lifetime))
        world.clock.advance(lifetime / 8)
    assert [world.is_active(token) for token, _ in issued] == [end > world.clock() for _, end in issued]


def test_set_to_never_nothing_is_deleted_beside_requests():
    world = Machine(**{EVERY: 0})
    add_to(world.store, grant("old"))
    for _ in range(120):
        assert world.ask().status_code == 200
    assert world.store.purged == []


def test_unless_told_otherwise_it_is_once_in_fifty_writes():
    world = Machine()
    for _ in range(49):
        world.ask()
    before = len(world.store.purged)
    for _ in range(50):
        world.ask()
    assert (before, len(world.store.purged)) == (before, before + 1)
    assert before <= 1
    assert {limit for _, limit in world.store.purged} == {200}


@pytest.mark.parametrize("failure", [StorageDown("the disk is full"), RuntimeError("a bug"), MemoryError()])
def test_a_store_that_fails_is_logged_and_every_request_is_answered(caplog, failure):
    world = Machine(**{EVERY: 1})
    world.store.failures = dict.fromkeys((kind.cls for kind in KINDS), failure)
    with caplog.at_level(logging.ERROR, logger="portula"):
        answers = [world.ask().status_code for _ in range(2 * len(KINDS))]
    assert set(answers) == {200}
    messages = [record.getMessage() for record in caplog.records]
    assert messages
    assert all(message.startswith("deleting what has expired failed") for message in messages)
    world.store.failures.clear()
    add_to(world.store, Artifact(digest="old", kind="tea", payload={}, issued_at=1, expires_at=2))
    for _ in KINDS:
        assert world.ask().status_code == 200
    assert world.store.find(Artifact, digest="old") is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (EVERY, -1),
        (EVERY, 1_000_001),
        (EVERY, "often"),
        (EVERY, 1.5),
        (EVERY, None),
        (SIZE, 0),
        (SIZE, -5),
        (SIZE, 10_001),
        (SIZE, "all"),
        (SIZE, None),
    ],
)
def test_a_size_or_number_of_writes_that_makes_no_sense_is_refused_at_start(make, name, value):
    with pytest.raises(ConfigError, match=name):
        make(**{name: value})
