"""What a lock file holds plugins to, in the words of the command line."""

import json
import os
import subprocess

import pytest
from support.venvs import Venv, lines_of

pytestmark = [pytest.mark.thorough, pytest.mark.xdist_group("plugins-locked")]

LOCKED = ("bad_listener", "chameleon", "scopes_db", "tenant")
TRUSTED = ["scopes_db", "tenant"]


@pytest.fixture
def locked(make_venv, tmp_path):
    """A deployment whose plugins were looked at and locked."""
    deployment = make_venv(*LOCKED).deployment(tmp_path / "data")
    deployment.text("plugins", "lock", "plugins.lock.json")
    deployment.configure(PLUGINS_LOCK="plugins.lock.json", PLUGINS_TRUSTED=TRUSTED)
    return deployment


def installed(deployment, name):
    """Return the file of an installed plugin."""
    return deployment.venv.packages / f"portula_{name}.py"


@pytest.mark.thorough
def test_what_is_locked_and_trusted_takes_part(locked):
    rows = lines_of(locked.json("plugins"))
    assert {rows[name]["status"] for name in LOCKED} == {"active"}
    assert locked.json("explain", "scopes_backend")["slot"]["winner"]["plugin"] == "scopes_db"


def test_the_lock_file_says_what_was_looked_at(locked):
    lines = {
        line["name"]: line
        for line in json.loads((locked.folder / "plugins.lock.json").read_text())["plugins"]
    }
    assert set(LOCKED) < set(lines)
    assert {name for name in lines if name not in LOCKED} >= {"oauth2", "generators"}
    tenant = lines["tenant"]
    assert (tenant["distribution"], tenant["version"]) == ("portula-tenant", "1.0")
    hooks = ["portula_id_token_claims", "portula_introspection_response", "portula_token_response"]
    assert tenant["hooks"] == hooks
    assert len(tenant["digest"]) == 64


def test_a_distribution_that_is_not_locked_is_refused_before_it_runs(locked, wheel):
    locked.venv.install(wheel("failing_import"))
    assert locked.refusal() == (
        "plugin 'failing_import' of distribution portula-failing-import 1.0 is not in the lock file; look at it, "
        "then run `portula plugins lock`"
    )
    locked.configure(**locked.settings, PLUGINS_OPTIONAL=["failing_import"])
    assert "is not in the lock file" in locked.refusal(), "to be optional is no way around the lock"


def test_a_changed_file_is_refused_before_it_runs(locked):
    file = installed(locked, "tenant")
    file.write_text("raise SystemExit('it ran')\n" + file.read_text())
    assert locked.refusal() == (
        "plugin 'tenant' of distribution portula-tenant 1.0 has other files than the lock file says; reinstall it, "
        "or look at it and lock again"
    )


@pytest.mark.thorough
@pytest.mark.parametrize("mode", ["UNCHECKED_HASH", "TIMESTAMP"])
def test_a_compiled_file_that_is_not_of_its_source_is_refused_before_it_runs(locked, mode):
    """Python runs it in place of the source that was looked at (PEP 552)."""
    source, evil = installed(locked, "tenant"), locked.folder / "evil.py"
    text = "raise SystemExit('it ran')"
    evil.write_text(text + "#" * (source.stat().st_size - len(text)))
    os.utime(evil, ns=(0, source.stat().st_mtime_ns))
    compiling = (
        "import importlib.util, py_compile, sys; py_compile.compile(sys.argv[1], "
        f"importlib.util.cache_from_source(sys.argv[2]), 'x', invalidation_mode=py_compile.PycInvalidationMode.{mode})"
    )
    subprocess.run([locked.venv.bin / "python", "-c", compiling, evil, source], check=True, timeout=60)
    assert "has other files than the lock file says" in locked.refusal()
    assert locked.try_("plugins", "lock").stderr == "it ran\n", "or nothing was proven"


@pytest.mark.thorough
def test_compiled_files_of_the_sources_themselves_are_no_change(locked):
    source = installed(locked, "tenant")
    subprocess.run([locked.venv.bin / "python", "-m", "compileall", "-q", source], check=True, timeout=60)
    assert list((source.parent / "__pycache__").glob("portula_tenant.*.pyc"))
    assert lines_of(locked.json("plugins"))["tenant"]["status"] == "active"


@pytest.mark.thorough
def test_another_version_is_refused(locked):
    (info,) = locked.venv.packages.glob("portula_tenant-1.0.dist-info")
    metadata = info / "METADATA"
    metadata.write_text(metadata.read_text().replace("Version: 1.0", "Version: 1.1"))
    assert locked.refusal() == (
        "plugin 'tenant' of distribution portula-tenant 1.1 is locked as portula-tenant 1.0; look at it, "
        "then run `portula plugins lock`"
    )


def test_a_plugin_that_decides_needs_trust(locked):
    locked.configure(**{**locked.settings, "PLUGINS_TRUSTED": ["tenant"]})
    assert locked.refusal() == (
        "plugin 'scopes_db' of distribution portula-scopes-db 1.0 decides or sees secrets "
        "(portula_scopes_backend); name it in PLUGINS_TRUSTED if you trust it: PLUGINS_TRUSTED = ['scopes_db']"
    )


@pytest.mark.thorough
def test_a_plugin_whose_setting_would_make_secrets_needs_trust(make_venv, tmp_path):
    deployment = make_venv("taker").deployment(tmp_path)
    deployment.text("plugins", "lock")
    deployment.configure(PLUGINS_LOCK="portula.lock.json")
    assert deployment.refusal() == (
        "plugin 'taker' of distribution portula-taker 1.0 decides or sees secrets (portula_secret_hasher); "
        "name it in PLUGINS_TRUSTED if you trust it: PLUGINS_TRUSTED = ['taker']"
    )


@pytest.mark.thorough
def test_hooks_that_were_not_there_when_it_was_locked_are_refused(locked):
    assert locked.refusal("plugins", CHAMELEON="awake") == (
        "plugin 'chameleon' of distribution portula-chameleon 1.0 answers hooks that are not locked: "
        "portula_client_saved; look at it, then lock again"
    )


@pytest.mark.thorough
def test_trusting_what_is_not_locked_is_refused(locked):
    locked.configure(**{**locked.settings, "PLUGINS_TRUSTED": ["tennant"]})
    assert locked.refusal() == "PLUGINS_TRUSTED: 'tennant' is not in the lock file; did you mean 'tenant'?"


@pytest.mark.thorough
def test_what_was_changed_can_be_locked_again(locked):
    file = installed(locked, "tenant")
    file.write_text(file.read_text() + "\n# looked at\n")
    assert "has other files" in locked.refusal()
    assert locked.text("plugins", "lock").endswith("plugins locked in plugins.lock.json\n")
    assert lines_of(locked.json("plugins"))["tenant"]["status"] == "active"


@pytest.mark.thorough
def test_a_lock_file_that_is_missing_stops_everything_but_the_command_that_writes_it(make_venv, tmp_path):
    deployment = make_venv("tenant").deployment(
        tmp_path, PLUGINS_LOCK="nowhere.json", PLUGINS_TRUSTED=["tenant"]
    )
    for command in (["plugins"], ["serve", "--port", "0"], ["explain", "clock"]):
        assert deployment.refusal(*command) == (
            "PLUGINS_LOCK: 'nowhere.json': No such file or directory; write it with `portula plugins lock`"
        )
    deployment.text("plugins", "lock")
    assert lines_of(deployment.json("plugins"))["tenant"]["status"] == "active"


def test_without_a_lock_file_a_plugin_with_power_is_found_by_check(good, tmp_path):
    assert isinstance(good, Venv)
    (tmp_path / "clock").write_text("1")
    deployment = good.deployment(tmp_path, STORAGE="json_store", CLOCK_FILE="clock")
    found = [line["summary"] for line in deployment.json_of_check() if line["id"] == "core.unlocked-plugin"]
    assert [text.split("'")[1] for text in found] == [
        *("file_clock", "json_store", "kettle", "scopes_db", "shop_ids", "tea_time", "tenant"),
    ], "bad_listener only observes"
