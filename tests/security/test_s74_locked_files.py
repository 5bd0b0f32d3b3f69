"""S74: a lock file covers all that a plugin's files bring along, and what it cannot cover is said."""

import sys

import pytest
from hosting import discovering

from portula import Provider
from portula.host.checks import core_checks
from portula.host.lock import PluginRefused, write
from portula.host.plugins import Plugins
from portula.web.hooks import CORE_HOOKS

PLUGIN = """from portula import hookimpl
@hookimpl
def portula_token_issued(event):
    return None
"""
REFUSED = r"has other files than the lock file says"


def locked(tmp_path, directory=None):
    """Lock what is installed and in a folder; return the settings that put the lock in force."""
    plugins = Plugins(CORE_HOOKS, Provider())
    plugins.discover()
    settings = {}
    if directory is not None:
        plugins.register_directory(directory)
        settings["PLUGINS_DIR"] = str(directory)
    write(tmp_path / "lock.json", plugins.lockable())
    sys.modules.pop("s74_linked", None)
    return {"PLUGINS_LOCK": str(tmp_path / "lock.json"), **settings}


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A distribution with a package, a part of which is a symbolic link, and with a `.pth` file."""
    site, elsewhere = tmp_path / "site", tmp_path / "elsewhere"
    info = site / "linked-1.0.dist-info"
    for folder in (site / "s74_linked", elsewhere, info):
        folder.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: portula-linked\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[portula]\nlinked = s74_linked\n")
    (info / "RECORD").write_text("s74_linked/__init__.py,,\nlinked.pth,,\n")
    (site / "s74_linked" / "__init__.py").write_text(PLUGIN)
    (site / "s74_linked" / "part").symlink_to(elsewhere)
    (elsewhere / "deep").mkdir()
    (elsewhere / "deep" / "code.py").write_text("ANSWER = 1\n")
    (elsewhere / "again").symlink_to(site / "s74_linked")
    (site / "linked.pth").write_text("import this_is_run_at_start\n")
    monkeypatch.syspath_prepend(site)
    yield site
    sys.modules.pop("s74_linked", None)


def test_what_was_not_changed_takes_part(package, tmp_path):
    assert "linked" in discovering(**locked(tmp_path)).plugins.sources


@pytest.mark.parametrize(
    "changed",
    ["s74_linked/part/deep/code.py", "s74_linked/part/new.py", "s74_linked/part/deep/more.so", "linked.pth"],
)
def test_code_behind_a_link_and_code_that_runs_at_start_are_covered(package, tmp_path, changed):
    settings = locked(tmp_path)
    (package / changed).write_text("import something_else\n")
    with pytest.raises(PluginRefused, match=REFUSED):
        discovering(**settings)


def test_a_link_that_leads_elsewhere_is_seen(package, tmp_path):
    settings = locked(tmp_path)
    other = tmp_path / "other"
    other.mkdir()
    (other / "code.py").write_text("ANSWER = 2\n")
    (package / "s74_linked" / "part").unlink()
    (package / "s74_linked" / "part").symlink_to(other)
    with pytest.raises(PluginRefused, match=REFUSED):
        discovering(**settings)


@pytest.fixture
def folder(tmp_path):
    """A PLUGINS_DIR with two plugins, of which one loads a folder beside it."""
    made = tmp_path / "plugins"
    (made / "helper").mkdir(parents=True)
    (made / "helper" / "code.py").write_text("ANSWER = 1\n")
    (made / "local.py").write_text(PLUGIN)
    (made / "other.py").write_text(PLUGIN)
    return made


@pytest.mark.parametrize("changed", ["helper/code.py", "helper/new.py", "more.so", "more.pyc", "local.py"])
def test_code_beside_a_file_of_the_plugins_folder_is_covered(folder, tmp_path, changed):
    settings = locked(tmp_path, folder)
    (folder / changed).write_text("ANSWER = 2\n")
    with pytest.raises(PluginRefused, match=REFUSED):
        discovering(**settings)


def test_what_is_no_code_and_another_plugin_do_not_matter(folder, tmp_path):
    settings = locked(tmp_path, folder)
    (folder / "README.txt").write_text("Read me.")
    (folder / "__pycache__").mkdir(exist_ok=True)
    (folder / "__pycache__" / "local.cpython.pyc").write_bytes(b"x")
    (folder / "other.py").unlink()
    assert "local" in discovering(**settings).plugins.sources


def test_what_no_lock_can_cover_is_said(package, tmp_path):
    provider = discovering(**locked(tmp_path))
    (finding,) = [finding for finding in core_checks(provider) if finding.id == "core.lock-coverage"]
    assert "linked.pth" in finding.summary
