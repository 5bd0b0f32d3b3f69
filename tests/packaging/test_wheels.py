"""Wheels alone make a working provider: built, installed into a venv of their own, and served from there."""

import json
import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from support.browser import forms_of
from support.server import free_port, start, stop, wait_until_up

pytestmark = [pytest.mark.service, pytest.mark.xdist_group("packaging")]

ROOT = Path(__file__).parents[2]


def _run(*command: str | Path, **keywords: object) -> str:
    done = subprocess.run(command, capture_output=True, check=False, text=True, timeout=300, **keywords)  # type: ignore[call-overload]
    assert done.returncode == 0, done.stdout + done.stderr
    return str(done.stdout)


@pytest.fixture(scope="module")
def venv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A venv with nothing but the wheels and what they depend on."""
    _run("make", "wheels", cwd=ROOT, env={**os.environ, "MAKEFLAGS": ""})
    folder = tmp_path_factory.mktemp("wheels") / "venv"
    _run(sys.executable, "-m", "venv", folder)
    wheels = sorted((ROOT / "dist").glob("*.whl"))
    assert len(wheels) == len(list((ROOT / "plugins").glob("*/pyproject.toml"))) + 3
    options = ["--quiet", "--constraint", ROOT / "constraints.txt", "--find-links", ROOT / "dist"]
    _run(folder / "bin" / "pip", "install", *options, *wheels, "httptools", "uvicorn")
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
            _run(
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
    status = json.loads(_run(portula, "db", "status", *common, "--json", cwd=tmp_path))
    assert status["pending"] == []


def test_every_distribution_carries_its_types(venv: Path) -> None:
    (packages,) = venv.glob("lib/python*/site-packages")
    ours = sorted(
        path for path in packages.glob("portula*") if path.is_dir() and "dist-info" not in path.name
    )
    assert len(ours) == len(list((ROOT / "plugins").glob("*/pyproject.toml"))) + 2
    assert [path.name for path in ours if not (path / "py.typed").is_file()] == []
