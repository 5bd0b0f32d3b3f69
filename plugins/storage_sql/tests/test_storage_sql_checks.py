"""What `portula check` says of the database."""

from functools import partial

import pytest
from click.testing import CliRunner
from support.checks import findings_of

from portula.cli import main as cli


@pytest.fixture
def found(tmp_path):
    return partial(findings_of, "storage_sql", tmp_path)


def test_a_sqlite_file_is_good_to_know_of(found, tmp_path):
    for settings in ({}, {"DATABASE_URL": f"sqlite:///{tmp_path}/own.sqlite3"}):
        if settings:
            upgrade = ["--data-dir", str(tmp_path / "data"), "--database-url", settings["DATABASE_URL"]]
            for words in (["init"], ["db", "upgrade"]):
                assert CliRunner().invoke(cli.main, [*upgrade, *words]).exit_code == 0
        rows, status = found(**settings)
        assert (rows["storage_sql.sqlite"]["level"], status) == ("info", 0)
        assert "--workers 1" in rows["storage_sql.sqlite"]["remedy"]
