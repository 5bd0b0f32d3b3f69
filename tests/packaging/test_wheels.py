"""Wheels alone make a working provider: built, installed into a venv of their own, and served from there."""

import json
import os
import sys
from pathlib import Path

import httpx
import pytest
from support.browser import forms_of
from support.packaging import ROOT, run
from support.server import free_port, start, stop, wait_until_up

pytestmark = [pytest.mark.service, pytest.mark.xdist_group("packaging")]


@pytest.fixture(scope="module")
def venv(dist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A venv with nothing but the wheels and what they depend on."""
    folder = tmp_path_factory.mktemp("wheels") / "venv"
    run(sys.executable, "-m", "venv", folder)
    wheels = sorted(dist.glob("*.whl"))
    assert len(wheels) == len(list((ROOT / "plugins").glob("*/pyproject.toml"))) + 3
    options = ["--quiet", "--constraint", ROOT / "constraints.txt", "--find-links", dist]
    run(folder / "bin" / "pip", "install", *options, *wheels, "portula[server,postgresql,mariadb]")
    return folder


def test_the_wheels_serve_pages_tokens_and_migrations(venv: Path, tmp_path: Path) -> None:
    portula = str(venv / "bin" / "portula")
    common = ["--data-dir", str(tmp_path / "data")]
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environment = {**os.environ, "PYTHONPATH": ""}
    process = start(["serve", *common, "--port", str(port)], program=portula, cwd=tmp_path, env=environment)
    try:
        wait_until_up(process, url)
        login = httpx.get(f"{url}/accounts/login/")
        assert "username" in forms_of(login.text)[0].fields
        assert httpx.get(f"{url}/o/static/portula.css").headers["content-type"].startswith("text/css")
        made = json.loads(
            run(
                portula,
                "createapplication",
                *common,
                "confidential",
                "client-credentials",
                "--json",
                cwd=tmp_path,
            )
        )
        token = httpx.post(
            f"{url}/o/token/",
            data={"grant_type": "client_credentials"},
            auth=(made["client_id"], made["client_secret"]),
        )
        assert token.status_code == 200
    finally:
        stop(process)
    status = json.loads(run(portula, "db", "status", *common, "--json", cwd=tmp_path))
    assert status["pending"] == []


def test_every_distribution_carries_its_types(venv: Path) -> None:
    (packages,) = venv.glob("lib/python*/site-packages")
    ours = sorted(
        path for path in packages.glob("portula*") if path.is_dir() and "dist-info" not in path.name
    )
    assert len(ours) == len(list((ROOT / "plugins").glob("*/pyproject.toml"))) + 2
    assert [path.name for path in ours if not (path / "py.typed").is_file()] == []


def test_every_package_says_the_version_of_its_distribution(venv: Path) -> None:
    code = (
        "import importlib, json; from importlib.metadata import packages_distributions, version; "
        "print(json.dumps({name: [importlib.import_module(name).__version__, version(found[0])]"
        " for name, found in packages_distributions().items() if name.startswith('portula')}))"
    )
    versions = json.loads(run(venv / "bin" / "python", "-c", code))
    assert len(versions) == len(list((ROOT / "plugins").glob("*/pyproject.toml"))) + 2
    assert len({version for pair in versions.values() for version in pair}) == 1


def test_the_extras_bring_the_drivers(venv: Path) -> None:
    run(venv / "bin" / "python", "-c", "import psycopg, psycopg_binary, pymysql, uvicorn")
