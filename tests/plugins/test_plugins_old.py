"""A plugin that was built long ago, and kept as it was, works with the hooks of today."""

import hashlib
from pathlib import Path

import httpx
import pytest
from support.venvs import Venv, lines_of

pytestmark = [pytest.mark.thorough, pytest.mark.xdist_group("plugins-work")]

WHEEL = Path(__file__).parent / "old_plugin-1.0-py3-none-any.whl"
FROZEN = "d1dc4edfc6eedf556ab40bdbbe83b438efa06fc44ff55c905b5aa54ffebbd013"


@pytest.fixture(scope="module")
def deployment(tmp_path_factory):
    venv = Venv(tmp_path_factory.mktemp("old") / "venv", WHEEL)
    return venv.deployment(tmp_path_factory.mktemp("old-data"))


def test_the_old_wheel_is_frozen():
    assert hashlib.sha256(WHEEL.read_bytes()).hexdigest() == FROZEN


def test_the_old_plugin_takes_part(deployment):
    row = lines_of(deployment.json("plugins"))["old_plugin"]
    assert (row["status"], row["distribution"], len(row["hooks"])) == ("active", "old-plugin", 6)


def test_implementations_that_read_less_than_there_is_work(deployment):
    client = deployment.json("createapplication", "confidential", "client-credentials")
    assert client["client_id"].startswith("old-")
    auth, form = (client["client_id"], client["client_secret"]), {"grant_type": "client_credentials"}
    with deployment.serving() as url:
        denied = httpx.post(f"{url}/o/token/", auth=auth, data={**form, "scope": "write"})
        assert (denied.status_code, denied.json()["error"]) == (400, "invalid_scope")
        issued = httpx.post(f"{url}/o/token/", auth=auth, data={**form, "scope": "read"}).json()
        assert issued["old"] == "plugin"
        told = httpx.post(f"{url}/o/introspect/", auth=auth, data={"token": issued["access_token"]}).json()
        assert told["members"] == len(told) - 1
    assert "the old plugin heard of a token" in deployment.log.read_text()
