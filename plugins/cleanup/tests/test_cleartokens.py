"""`portula cleartokens`, on a store in memory."""

import json
from dataclasses import dataclass, replace

import pytest
from click.testing import CliRunner

from portula import ConfigError, Plugin, hookimpl
from portula.plugin import AccessToken, Artifact, Grant, RecordType, RefreshToken
from portula_cleanup import sweep
from portula_testing.memory import MemoryStore
from portula_testing.provider import MovableClock, make_provider
from portula_testing.storage_samples import access_token, grant
from portula_testing.writing import add_to

NOW = 1_700_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Cookie:
    """A record of a plugin that nobody here has heard of."""

    name: str
    best_before: int | None = None


class Bakery(MemoryStore):
    """A plugin with a record and a store of its own, which writes down what is purged."""

    def __init__(self):
        super().__init__(())
        self.purged = []

    def purge(self, cls, /, *, now, limit, realm=None):
        self.purged.append((cls.__name__, limit))
        return super().purge(cls, now=now, limit=limit, realm=realm)

    @hookimpl
    def portula_records(self, provider):
        return [RecordType("cookie", Cookie, keys=("name",), expires="best_before")]

    @hookimpl
    def portula_stores(self, provider):
        def make(records):
            self.admit(records)
            return self

        return {"bakery": make}


class World:
    def __init__(self, **settings):
        self.store = Bakery()
        self.clock = MovableClock(NOW)
        self.provider = make_provider(
            "cleanup", self.store, clock=self.clock, settings={"STORAGE": "bakery", **settings}
        )

    def fill(self, expired, live=2):
        """Keep so many expired and live records of each of three kinds."""
        for number in range(expired + live):
            expires_at = NOW - 1 if number < expired else NOW
            add_to(self.store, replace(access_token(f"{number}"), expires_at=expires_at))
            add_to(self.store, replace(grant(f"{number}"), expires_at=expires_at))
            add_to(self.store, Cookie(name=f"{number}", best_before=expires_at))

    def run(self, *options):
        (command,) = [
            command
            for command in self.provider.hooks.collect(Plugin.portula_commands)
            if command.name == "cleartokens"
        ]
        with self.provider.app.app_context():
            return CliRunner().invoke(command, options)

    def told(self, *options):
        done = self.run("--json", *options)
        assert (done.exit_code, done.stderr) == (0, ""), done.output
        return json.loads(done.stdout)

    def left(self):
        return [len(self.store.select(cls)) for cls in (AccessToken, Grant, Cookie)]


@pytest.fixture
def make():
    return World


@pytest.fixture
def rests(monkeypatch):
    """Return the list of the rests that were taken; nobody sleeps."""
    taken = []
    monkeypatch.setattr(sweep.time, "sleep", taken.append)
    return taken


def test_what_has_expired_goes_whoever_keeps_it_and_the_rest_stays(make):
    world = make()
    world.fill(5)
    add_to(world.store, Artifact(digest="old", kind="par", payload={}, issued_at=1, expires_at=2))
    add_to(world.store, Cookie(name="keeps for ever"))
    told = world.told()
    assert told["deleted"] == {
        "authorization": 0,
        "grant": 5,
        "access_token": 5,
        "refresh_token": 0,
        "superseded_refresh_token": 0,
        "artifact": 1,
        "cookie": 5,
    }
    assert (told["dry_run"], told["complete"]) == (False, True)
    assert world.left() == [2, 2, 3]


def test_an_expired_access_token_goes_although_its_refresh_token_lives(make):
    world = make()
    add_to(world.store, replace(access_token("a"), expires_at=1))
    add_to(
        world.store,
        RefreshToken(authorization="a", digest="r", client_id="c", subject="u", scope="s", issued_at=1),
    )
    assert world.told()["deleted"]["access_token"] == 1
    assert world.store.find(RefreshToken, digest="r") is not None


def test_the_batch_size_is_kept_to_and_no_batch_follows_one_that_was_not_full(make, rests):
    world = make(CLEAR_EXPIRED_TOKENS_BATCH_SIZE=2)
    world.fill(3)
    assert world.told()["deleted"]["cookie"] == 3
    batches = [name for name, limit in world.store.purged if limit == 2]
    assert len(batches) == len(world.store.purged)
    assert [batches.count(name) for name in ("AccessToken", "Grant", "Cookie", "Artifact")] == [2, 2, 2, 1]
    assert rests == []


@pytest.mark.parametrize(("expired", "batches"), [(0, 0), (1, 1), (2, 1), (3, 2), (4, 2)])
def test_the_interval_lies_between_two_batches_and_never_behind_the_last(make, rests, expired, batches):
    world = make(CLEAR_EXPIRED_TOKENS_BATCH_SIZE=2, CLEAR_EXPIRED_TOKENS_BATCH_INTERVAL=0.25)
    world.fill(expired)
    assert world.told()["complete"]
    assert rests == [0.25] * max(3 * batches - 1, 0)


def test_a_dry_run_deletes_nothing_and_counts_to_one_batch(make):
    world = make(CLEAR_EXPIRED_TOKENS_BATCH_SIZE=4)
    world.fill(3)
    for number in range(10):
        add_to(world.store, Cookie(name=f"more {number}", best_before=1))
    told = world.told("--dry-run")
    assert {name: count for name, count in told["expired"].items() if count} == {
        "grant": 3,
        "access_token": 3,
        "cookie": 4,
    }
    assert (told["dry_run"], told["counted_to"], "deleted" in told) == (True, 4, False)
    assert (world.store.purged, world.left()) == ([], [5, 5, 15])
    page = world.run("--dry-run").output
    assert "4 or more" in page
    assert "Nothing was deleted." in page


def test_the_time_limit_ends_a_run_between_two_batches(make, monkeypatch):
    world = make(CLEAR_EXPIRED_TOKENS_BATCH_SIZE=2)
    world.fill(9)
    hands = iter(range(1000))
    monkeypatch.setattr(sweep.time, "monotonic", lambda: next(hands))
    told = world.told("--time-limit", "6")
    assert not told["complete"]
    assert 0 < told["deleted"]["grant"] < 9
    assert world.left() == [11 - told["deleted"]["access_token"], 11 - told["deleted"]["grant"], 11]
    assert "run it again" in world.run("--time-limit", "0.5").output
    assert world.told()["complete"]
    assert world.left() == [2, 2, 2]


def test_no_rest_is_begun_that_would_outlast_the_time_limit(make, rests):
    world = make(CLEAR_EXPIRED_TOKENS_BATCH_SIZE=2, CLEAR_EXPIRED_TOKENS_BATCH_INTERVAL=3600)
    world.fill(4)
    told = world.told("--time-limit", "3600")
    assert (told["complete"], sum(told["deleted"].values()), rests) == (False, 2, [])


def test_what_expires_while_it_runs_is_left_for_the_next_run(make, monkeypatch):
    world = make(CLEAR_EXPIRED_TOKENS_BATCH_SIZE=1)
    world.fill(1)
    monkeypatch.setattr(world.provider, "_clock", iter([NOW, NOW + 10]).__next__)
    assert world.told()["deleted"]["cookie"] == 1
    assert world.left() == [2, 2, 2]
    assert world.told()["deleted"]["cookie"] == 2


def test_without_a_terminal_there_is_a_summary_and_no_bar(make):
    world = make()
    world.fill(1234, live=0)
    done = world.run()
    assert done.stderr == ""
    lines = [line.split() for line in done.stdout.splitlines()]
    assert ["grant", "1,234"] in lines
    assert ["refresh_token", "0"] in lines
    assert "Nothing expired is left" in done.stdout
    assert "\x1b" not in done.stdout


def test_on_a_terminal_a_bar_without_an_end_shows_how_many_went(make, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    world = make(CLEAR_EXPIRED_TOKENS_BATCH_SIZE=2)
    world.fill(5)
    done = world.run()
    assert "5 deleted" in done.stderr
    assert "%" not in done.stderr
    assert world.told()["complete"]


def test_a_provider_without_storage_has_nothing_to_clear():
    provider = make_provider("cleanup", settings={"STORAGE": None})
    assert sweep.kinds_of(provider) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CLEAR_EXPIRED_TOKENS_BATCH_SIZE", 0),
        ("CLEAR_EXPIRED_TOKENS_BATCH_INTERVAL", -1),
        ("CLEAR_EXPIRED_TOKENS_BATCH_INTERVAL", float("nan")),
    ],
)
def test_a_batch_of_nothing_and_a_rest_before_its_time_are_refused_at_start(make, name, value):
    with pytest.raises(ConfigError, match=name):
        make(**{name: value})


@pytest.mark.parametrize("limit", ["0", "-1", "soon"])
def test_a_time_limit_is_a_number_of_seconds(make, limit):
    assert make().run("--time-limit", limit).exit_code == 2
