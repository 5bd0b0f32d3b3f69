"""Every file that a release would upload says whose it is, under which licence, and where more is to be found."""

import email
import os
import subprocess
import tarfile
import tomllib
import zipfile
from email.message import Message
from pathlib import Path

import pytest
from support.packaging import ROOT, run

pytestmark = [pytest.mark.service, pytest.mark.xdist_group("packaging")]

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LICENCE = (ROOT / "LICENSE").read_text(encoding="utf-8")


def contents(path: Path) -> dict[str, str]:
    """The metadata and the licence of a wheel or an sdist, by the ends of their names."""
    ends = ("/METADATA", "/PKG-INFO", "/LICENSE")
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as wheel:
            names = [name for name in wheel.namelist() if name.endswith(ends)]
            return {name.rpartition("/")[2]: wheel.read(name).decode() for name in names}
    with tarfile.open(path) as sdist:
        members = [name for name in sdist.getnames() if name.endswith(ends)]
        return {name.rpartition("/")[2]: sdist.extractfile(name).read().decode() for name in members}  # type: ignore[union-attr]


@pytest.fixture(scope="module")
def files(dist: Path) -> dict[str, dict[str, str]]:
    """What each file holds, by its name."""
    return {path.name: contents(path) for path in sorted(dist.iterdir())}


def metadata(held: dict[str, str]) -> Message:
    return email.message_from_string(held.get("METADATA") or held["PKG-INFO"])


def test_each_distribution_has_an_sdist_and_a_wheel(files: dict[str, dict[str, str]]) -> None:
    wheels = {name.split("-")[0] for name in files if name.endswith(".whl")}
    sdists = {name.split("-")[0] for name in files if name.endswith(".tar.gz")}
    assert wheels == sdists
    assert {"portula", "portula_core", "portula_testing", "portula_logout"} <= wheels


def test_each_file_holds_the_licence_and_names_it(files: dict[str, dict[str, str]]) -> None:
    for name, held in files.items():
        assert held["LICENSE"] == LICENCE, name
        assert metadata(held)["License-Expression"] == "BSD-3-Clause", name
        assert metadata(held).get_all("License-File") == ["LICENSE"], name


def test_each_file_has_the_addresses_classifiers_version_and_readme(files: dict[str, dict[str, str]]) -> None:
    urls = {f"{label}, {url}" for label, url in PROJECT["urls"].items()}
    assert urls
    for name, held in files.items():
        said = metadata(held)
        assert set(said.get_all("Project-URL", [])) == urls, name
        assert {"Framework :: Flask", "Typing :: Typed"} <= set(said.get_all("Classifier", [])), name
        assert said["Version"] == PROJECT["version"], name
        assert said["Description-Content-Type"] == "text/markdown", name
        assert str(said.get_payload()).strip().startswith(f"# {said['Name']}"), name


def test_twine_and_check_wheel_contents_find_nothing(dist: Path) -> None:
    assert len(list(dist.iterdir())) == run("make", "dist-check", cwd=ROOT).count("PASSED")


def test_a_release_with_addresses_that_lead_nowhere_is_refused(dist: Path) -> None:
    dead = any(".example/" in url for url in PROJECT["urls"].values())
    command = ["make", "dist-check", "RELEASE=1"]
    environment = {**os.environ, "MAKEFLAGS": ""}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, check=False, text=True, timeout=300
    )
    assert bool(done.returncode) == dead, f"{dist}: {done.stdout}{done.stderr}"
    assert ("lead nowhere" in done.stderr) == dead
