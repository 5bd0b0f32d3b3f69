"""What `portula check` says of the database."""

import json

import pytest
from click.testing import CliRunner

from portula import cli


@pytest.fixture
def found(tmp_path):
    """Return a function from settings to what `portula check --json` finds about this room, and its exit status."""

    def check(**settings):
        config = tmp_path / "config.py"
        config.write_text(f"OAUTH2_PROVIDER = {settings!r}\n")
        options = ["--data-dir", str(tmp_path / "data"), "--config", str(config), "--no-plugins"]
        done = CliRunner().invoke(cli.main, [*options, "check", "--json"])
        rows = {row["id"]: row for row in json.loads(done.output) if row["id"].startswith("storage_sql.")}
        return rows, done.exit_code

    return check


def test_a_sqlite_file_is_good_to_know_of(found, tmp_path):
    for settings in ({}, {"DATABASE_URL": f"sqlite:///{tmp_path}/own.sqlite3"}):
        if settings:
            upgrade = ["--data-dir", str(tmp_path / "data"), "--database-url", settings["DATABASE_URL"]]
            assert CliRunner().invoke(cli.main, [*upgrade, "db", "upgrade"]).exit_code == 0
        rows, status = found(**settings)
        assert (rows["storage_sql.sqlite"]["level"], status) == ("info", 0)
        assert "--workers 1" in rows["storage_sql.sqlite"]["remedy"]
