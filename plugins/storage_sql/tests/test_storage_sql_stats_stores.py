"""`portula db stats` where there is another store, beside the database or alone; and options that make no sense."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from portula import Plugin, hookimpl
from portula.errors import StorageDown
from portula.host.modes import storage_check_deferred
from portula_testing.memory import MemoryStore
from portula_testing.provider import make_provider


class Measured(MemoryStore):
    """A store that says how much it keeps."""

    def usage(self) -> Mapping[str, int]:
        """Return what it says."""
        return {"keys": 12_345, "bytes": 1_500_000}


class Room:
    """A plugin with two stores."""

    @hookimpl
    def portula_stores(self, provider: Any) -> Mapping[str, Any]:
        """Contribute them."""
        return {"measured": Measured, "plain": MemoryStore}


def run(storage: Any, *options: str, url: str | None = None) -> Result:
    settings = {"STORAGE": storage, **({"DATABASE_URL": url} if url else {})}
    provider = make_provider("storage_sql", Room(), settings=settings)
    (group,) = [one for one in provider.hooks.collect(Plugin.portula_commands) if one.name == "db"]
    assert isinstance(group, click.Group)
    with provider.app.app_context():
        return CliRunner().invoke(group, ["stats", *options])


def test_a_store_that_says_nothing_is_told_by_name_and_the_command_fails() -> None:
    done = run("plain")
    assert done.exit_code == 1
    assert "no store here can say how much it keeps (plain)" in done.stderr


def test_a_store_without_tables_says_what_it_can() -> None:
    done = run("measured")
    assert done.exit_code == 0
    assert done.stdout.split() == ["measured", "keys", "12,345,", "bytes", "1.5", "MB"]
    told = json.loads(run("measured", "--json").stdout)
    assert told["stores"] == {"measured": {"keys": 12_345, "bytes": 1_500_000}}
    assert (told["database"], told["records"]) == (None, [])


def test_a_store_beside_one_that_speaks_is_named() -> None:
    done = run({"default": "measured", "artifact": "plain"})
    assert done.exit_code == 0
    assert "does not say how much it keeps" in done.stdout


def test_a_store_that_is_down_is_an_error_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    def usage(self: object) -> Mapping[str, int]:
        raise StorageDown("Redis does not answer: ConnectionError")

    monkeypatch.setattr(Measured, "usage", usage)
    done = run("measured")
    assert (done.exit_code, done.stderr) == (1, "Error: Redis does not answer: ConnectionError\n")


def test_a_database_without_a_schema_is_told_how_it_gets_one(tmp_path: Path) -> None:
    with storage_check_deferred():
        done = run("storage_sql", url=f"sqlite:///{tmp_path}/empty.sqlite3")
    assert done.exit_code == 1
    assert "there is no schema yet; run `portula db upgrade`" in done.stderr


@pytest.mark.parametrize(
    "options",
    [
        ["--limit", "0"],
        ["--limit", "-1"],
        ["--limit", "many"],
        ["--days", "0"],
        ["--days", "-2"],
        ["--days", "nan"],
        ["--days", "3651"],
    ],
)
def test_options_that_make_no_sense_are_refused(options: list[str]) -> None:
    assert run("measured", *options).exit_code == 2
