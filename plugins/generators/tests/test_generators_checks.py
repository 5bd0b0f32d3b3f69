"""What `portula check` says of the generators."""

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
        rows = {row["id"]: row for row in json.loads(done.output) if row["id"].startswith("generators.")}
        return rows, done.exit_code

    return check


def test_hashing_secrets_for_tests_is_an_error(found):
    rows, status = found(CLIENT_SECRET_HASH_PROFILE="testing")
    assert (rows["generators.hash-profile"]["level"], status) == ("error", 1)
    assert rows["generators.hash-profile"]["reference"] == "RFC 9106 §4"


def test_hashing_secrets_as_rfc_9106_says_is_no_finding(found):
    assert found(CLIENT_SECRET_HASH_PROFILE="rfc9106_high_memory") == ({}, 0)
