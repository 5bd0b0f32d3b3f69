"""`portula db stats`, on each engine: what it counts, what it estimates, and that it reads no more than it may."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import event
from sqlalchemy.engine import URL

from portula import Plugin
from portula.host.modes import storage_check_deferred
from portula.plugin import AccessToken, Application, Artifact, Authorization, RefreshToken, plan_to_add
from portula_storage_sql import migrate
from portula_testing.provider import MovableClock, make_provider

NOW = 1_700_000_000
DAY = 86_400


def run(provider: Any, *options: str) -> Result:
    """Run `portula db stats`."""
    (group,) = [
        command for command in provider.hooks.collect(Plugin.portula_commands) if command.name == "db"
    ]
    with provider.app.app_context():
        return CliRunner().invoke(group, ["stats", *options])


class World:
    """A provider on a database, its clock, and what it is told to keep."""

    def __init__(self, url: URL, realm: str = "") -> None:
        settings = {
            "DATABASE_URL": url.render_as_string(hide_password=False),
            "STORAGE": "storage_sql",
            "REALM": realm,
        }
        self.clock = MovableClock(NOW)
        with storage_check_deferred():
            self.provider = make_provider("storage_sql", "cleanup", clock=self.clock, settings=settings)
        self.store = self.provider.stores["storage_sql"]
        self.engine = self.store.engine  # type: ignore[attr-defined]
        migrate.upgrade(self.engine, self.store.records)  # type: ignore[attr-defined]

    def keep(self, *records: object) -> None:
        for place in range(0, len(records), 50):
            self.provider.storage.apply(plan_to_add(*records[place : place + 50]))

    def tokens(self, number: int, every: int, lifetime: int) -> None:
        """Keep access tokens, one each so many seconds up to now."""
        made = [
            AccessToken(
                digest=f"t{place}",
                client_id="c",
                scope="s",
                issued_at=NOW - place * every,
                expires_at=NOW - place * every + lifetime,
            )
            for place in range(number)
        ]
        self.keep(*made)

    def told(self, *options: str) -> dict[str, Any]:
        done = run(self.provider, "--json", *options)
        assert done.exit_code == 0, done.output
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def of(self, name: str, *options: str) -> dict[str, Any]:
        (found,) = [one for one in self.told(*options)["records"] if one["name"] == name]
        return dict(found)

    def analyze(self) -> None:
        """Let the engine look at the table, as it does by itself from time to time."""
        words = {"postgresql": "ANALYZE", "sqlite": "ANALYZE"}.get(self.engine.dialect.name, "ANALYZE TABLE")
        with self.engine.connect() as connection:
            connection.exec_driver_sql(f"{words} portula_access_token").close()


@pytest.fixture
def make(empty_url: URL) -> Iterator[Callable[..., World]]:
    made: list[World] = []

    def make_one(realm: str = "") -> World:
        made.append(World(empty_url, realm))
        return made[-1]

    yield make_one
    for world in made:
        world.store.close()  # type: ignore[attr-defined]
        world.engine.dispose()


@pytest.fixture
def world(make: Callable[..., World]) -> World:
    return make()


@pytest.mark.parametrize("lifetime", [600, 3600, 10 * DAY])
@pytest.mark.parametrize("every", [60, 7200])
def test_what_is_kept_is_counted_and_its_growth_is_that_of_its_issue(
    world: World, every: int, lifetime: int
) -> None:
    world.keep(Application(client_id="c", created_at=NOW - 30 * DAY))
    world.tokens(200, every, lifetime)
    found = world.of("access_token")
    expired = sum(NOW - place * every + lifetime < NOW for place in range(200))
    assert (found["rows"], found["expired"], found["estimated"]) == (200, expired, [])
    assert found["lifetime"] == lifetime
    window = min(lifetime, 7 * DAY)
    issued = sum(place * every <= window for place in range(200))
    assert found["per_day"] == pytest.approx(issued * DAY / window)
    assert found["steady_rows"] == pytest.approx(found["per_day"] * lifetime / DAY, abs=1)
    assert world.told()["expired"] == expired


def test_what_it_says_is_expired_is_what_the_command_deletes(world: World) -> None:
    world.tokens(120, 60, 600)
    world.keep(*[Artifact(digest=f"{n}", kind="k", payload={}, issued_at=1, expires_at=2) for n in range(9)])
    said = world.told()["expired"]
    (command,) = [
        one for one in world.provider.hooks.collect(Plugin.portula_commands) if one.name == "cleartokens"
    ]
    with world.provider.app.app_context():
        done = CliRunner().invoke(command, ["--json"])
    assert sum(json.loads(done.stdout)["deleted"].values()) == said > 0
    assert world.told()["expired"] == 0


def test_a_deployment_of_an_hour_does_not_seem_to_be_of_a_week(world: World) -> None:
    world.tokens(61, 60, 10 * DAY)
    assert world.of("access_token")["per_day"] == pytest.approx(61 * 24)


def test_what_never_expires_comes_to_more_and_more(world: World) -> None:
    common: dict[str, Any] = {"client_id": "c", "subject": "u", "scope": "s"}
    for number in range(10):
        world.keep(Authorization(id=f"{number}", issued_at=NOW - number * DAY, **common))
        world.keep(
            RefreshToken(
                authorization=f"{number}", digest=f"{number}", issued_at=NOW - number * DAY, **common
            )
        )
    for name in ("authorization", "refresh_token"):
        found = world.of(name)
        assert (found["rows"], found["expired"], found["lifetime"], found["steady_rows"]) == (
            10,
            0,
            None,
            None,
        )
        assert found["per_day"] == pytest.approx(8 / 7)
    assert "for ever" in run(world.provider).stdout


def test_artifacts_are_told_apart_by_their_kind(world: World) -> None:
    world.keep(Application(client_id="c", created_at=NOW - 30 * DAY))
    for number in range(60):
        made = NOW - number * 10
        world.keep(
            Artifact(digest=f"j{number}", kind="jti", payload={}, issued_at=made, expires_at=made + 300),
            Artifact(digest=f"c{number}", kind="consent", payload={}, issued_at=NOW - number * DAY),
        )
    found = world.of("artifact")
    kinds = {kind["name"]: kind for kind in found["kinds"]}
    assert (found["rows"], found["expired"]) == (120, 29)
    assert (kinds["jti"]["rows"], kinds["jti"]["expired"], kinds["jti"]["lifetime"]) == (60, 29, 300)
    assert kinds["jti"]["per_day"] == pytest.approx(31 * DAY / 300)
    assert kinds["jti"]["steady_rows"] == 31
    assert (kinds["consent"]["rows"], kinds["consent"]["expired"]) == (60, 0)
    assert kinds["consent"]["steady_rows"] is None
    assert kinds["consent"]["per_day"] == pytest.approx(8 / 7)


def test_behind_the_limit_the_engine_estimates(world: World) -> None:
    world.tokens(2000, 60, 60 * 500)
    world.analyze()
    found = world.of("access_token", "--limit", "300")
    assert found["estimated"] == ["rows", "expired"]
    assert 1500 <= found["rows"] <= 2500
    assert 1200 <= found["expired"] <= 1800
    assert found["per_day"] == pytest.approx(DAY / 60, rel=0.02)
    shown = run(world.provider, "--limit", "300").stdout
    assert "≈" in shown
    assert f"deletes ≈ {found['expired']:,}" in shown


def test_an_engine_that_knows_nothing_says_what_was_counted(world: World) -> None:
    world.tokens(400, 60, 60)
    found = world.of("access_token", "--limit", "100")
    assert found["rows"] >= 101
    assert 101 <= found["expired"] <= found["rows"]


def test_no_statement_counts_without_a_limit(world: World) -> None:
    world.tokens(50, 60, 600)
    seen: list[str] = []
    event.listen(world.engine, "before_cursor_execute", lambda *given: seen.append(given[2]))
    world.told("--limit", "10")
    counting = [statement for statement in seen if "count(" in statement.lower()]
    assert counting
    assert all("LIMIT" in statement for statement in counting)
    assert not [statement for statement in seen if statement.startswith(("DELETE", "UPDATE", "INSERT"))]


def test_a_realm_counts_its_own(make: Callable[..., World]) -> None:
    north, south = make("north"), make("south")
    north.tokens(5, 60, 60)
    assert north.of("access_token")["rows"] == 5
    assert (south.of("access_token")["rows"], south.told()["expired"]) == (0, 0)


def test_an_empty_database_has_figures_too(world: World) -> None:
    told = world.told()
    assert {one["name"] for one in told["records"]} >= {"access_token", "application", "artifact"}
    assert {one["rows"] for one in told["records"]} == {0}
    page = run(world.provider)
    assert page.exit_code == 0
    assert "deletes 0 records now" in page.stdout


def test_sizes_are_told_where_the_engine_knows_them(world: World) -> None:
    world.tokens(500, 60, 600)
    told = world.told()
    sizes = [one["bytes"] for one in told["records"]]
    if world.engine.dialect.name == "sqlite":
        assert set(sizes) == {None}
        assert told["file_bytes"] > told["free_bytes"] >= 0
    else:
        assert all(size > 0 for size in sizes)
        assert told["file_bytes"] is None
