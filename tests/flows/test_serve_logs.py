"""`portula serve` speaks: a line for each event, and whether it lives and is ready."""

import json
from pathlib import Path

import httpx
import pytest
from support.server import CONFIGURATION, running

pytestmark = pytest.mark.thorough


@pytest.mark.parametrize("form", ["json", "console"])
def test_a_wrong_secret_is_one_line(tmp_path: Path, form: str) -> None:
    log = tmp_path / "portula.log"
    settings = f'{{\n    "LOG_FORMAT": {form!r}, "LOG_DESTINATION": {str(log)!r},'
    configuration = CONFIGURATION.replace("{", settings, 1)
    with running(tmp_path / "data", "--access-log", configuration=configuration) as server:
        client = server.create_client("confidential", "client-credentials")
        answer = httpx.post(
            f"{server.issuer}/token/",
            data={"grant_type": "client_credentials"},
            auth=(client["client_id"], "sesame"),
        )
        assert answer.status_code == 401
        assert httpx.get(f"{server.url}/healthz").json() == {"status": "ok"}
        assert httpx.get(f"{server.url}/readyz", timeout=30).json()["status"] == "ok"
    lines = log.read_text().splitlines()
    (told,) = [line for line in lines if "wrong secret" in line]
    (access,) = [line for line in lines if "/o/token/" in line]
    assert "sesame" not in log.read_text()
    if form == "json":
        assert json.loads(told)["client_id"] == client["client_id"]
        assert json.loads(access)["request_id"] == json.loads(told)["request_id"]
