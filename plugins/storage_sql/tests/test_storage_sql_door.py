"""What the room answers: its settings, its store and its commands; and that no password is shown."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner
from sqlalchemy.exc import OperationalError

import portula_storage_sql as room
from portula.errors import ConfigError
from portula.plugin import CORE_RECORDS, Application
from portula_storage_sql.engine import make_engine
from portula_storage_sql.psycopg_waits import BoundedConnection
from portula_storage_sql.settings import StorageSqlSettings
from portula_testing.memory import MemoryStore
from portula_testing.writing import add_to


def provider_with(folder: Path, **values: Any) -> Any:
    """Make the little of a provider that the room asks for."""
    settings = StorageSqlSettings(**values)
    app = SimpleNamespace(instance_path=str(folder))
    provider = SimpleNamespace(app=app, stand_alone=False, settings=lambda _: settings)
    provider.stores = {"storage_sql": room.portula_stores(provider)["storage_sql"](CORE_RECORDS)}
    return provider


def run(provider: Any, *arguments: str) -> Any:
    """Run `portula db …`."""
    (command,) = room.portula_commands(provider)
    result = CliRunner().invoke(command, arguments)
    provider.stores["storage_sql"].close()
    return result


def test_without_a_url_the_file_is_made_and_migrated_by_itself(tmp_path: Path) -> None:
    store = provider_with(tmp_path / "instance").stores["storage_sql"]
    assert not (tmp_path / "instance").exists()
    store.ready()
    add_to(store, Application(client_id="c"))
    store.ready()
    assert store.find(Application, client_id="c") == Application(client_id="c")
    store.close()
    assert (tmp_path / "instance" / "portula.sqlite3").exists()


def test_with_a_url_a_schema_that_is_behind_stops_the_start(tmp_path: Path) -> None:
    provider = provider_with(tmp_path, DATABASE_URL=f"sqlite:///{tmp_path / 'mine.sqlite3'}")
    store = provider.stores["storage_sql"]
    with pytest.raises(
        ConfigError, match=r"^DATABASE: the schema is behind \(migration 0001.*portula db upgrade"
    ):
        store.ready()
    assert run(provider, "upgrade").exit_code == 0
    store.ready()


def test_status_and_upgrade_speak_json(tmp_path: Path) -> None:
    provider = provider_with(tmp_path)
    before = run(provider, "status", "--json")
    assert before.exit_code == 1
    assert json.loads(before.stdout)["version"] is None
    assert json.loads(before.stdout)["pending"]
    upgraded = json.loads(run(provider, "upgrade", "--json").stdout)
    assert upgraded["done"] == json.loads(before.stdout)["pending"]
    after = run(provider, "status", "--json")
    assert after.exit_code == 0
    facts = {
        "database": upgraded["database"],
        "version": "0002",
        "newer": False,
        "pending": [],
        "models": {},
        "lacking": [],
    }
    assert json.loads(after.stdout) == facts


def test_status_and_upgrade_speak_to_people(tmp_path: Path) -> None:
    provider = provider_with(tmp_path)
    assert "run      flask portula db upgrade" in run(provider, "status").stdout
    shown = [line for line in run(provider, "status").stdout.splitlines() if "migration 0001" in line]
    assert [line.endswith("that walks go along.") for line in shown] == [True]
    assert "applied  migration 0001" in run(provider, "upgrade").stdout
    assert "up to date  version 0002" in run(provider, "status").stdout


def test_the_commands_say_when_another_storage_is_chosen() -> None:
    (command,) = room.portula_commands(SimpleNamespace(stores={}))  # type: ignore[arg-type]
    result = CliRunner().invoke(command, ["status"])
    assert result.exit_code == 1
    assert "STORAGE" in result.stderr


@pytest.mark.parametrize(
    ("url", "match"),
    [
        ("sqlite://", "needs a file"),
        ("sqlite:///:memory:", "needs a file"),
        ("oracle://user:hunter2@host/name", "not supported"),
        ("postgresql+nothing://user:hunter2@host/name", "not installed"),
        ("hunter2", "not a URL"),
        ("postgresql://user:hunter2@host:port/name", "not a URL"),
    ],
)
def test_a_url_that_cannot_be_used_is_refused_without_its_password(url: str, match: str) -> None:
    with pytest.raises(ConfigError, match=f"DATABASE_URL: .*{match}") as refused:
        make_engine(url)
    assert "hunter2" not in str(refused.value)


def test_no_password_is_shown(tmp_path: Path) -> None:
    settings = StorageSqlSettings(DATABASE_URL="postgresql://user:hunter2@127.0.0.1:9/name")
    assert "hunter2" not in repr(settings) + str(settings)
    provider = provider_with(tmp_path, DATABASE_URL=settings.DATABASE_URL)
    with pytest.raises(ConfigError, match="does not answer") as refused:
        provider.stores["storage_sql"].ready()
    assert "hunter2" not in str(refused.value) + repr(provider.stores["storage_sql"].engine)
    result = run(provider, "status")
    assert result.exit_code == 1
    assert "hunter2" not in result.output
    assert "user:***@127.0.0.1" in result.output


def test_the_store_is_no_other(tmp_path: Path) -> None:
    provider = provider_with(tmp_path)
    provider.stores["storage_sql"].close()
    (command,) = room.portula_commands(SimpleNamespace(stores={"storage_sql": MemoryStore(())}))  # type: ignore[arg-type]
    assert CliRunner().invoke(command, ["upgrade"]).exit_code == 1


@pytest.mark.parametrize("prepared", [True, False])
def test_the_driver_is_told_whether_to_prepare_statements(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, prepared: bool
) -> None:
    given: list[dict[str, Any]] = []
    settings = {
        "DATABASE_URL": "postgresql://user@127.0.0.1:9/name",
        "DATABASE_PREPARED_STATEMENTS": prepared,
    }
    engine = provider_with(tmp_path, **settings).stores["storage_sql"].engine

    def connect(*_arguments: object, **options: Any) -> None:
        given.append(options)
        raise psycopg.OperationalError

    monkeypatch.setattr(BoundedConnection, "connect", connect)
    with pytest.raises(OperationalError):
        engine.connect()
    assert given[0].get("prepare_threshold", 5) == (5 if prepared else None)
