"""The whole provider on PostgreSQL and on MariaDB: migrated by the command line, served by two workers."""

import base64
import hashlib
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from click import ClickException
from support.browser import Browser, sent_back
from support.commands import run_command
from support.databases import database_on
from support.server import CONFIGURATION, Server, running

pytestmark = [pytest.mark.service, pytest.mark.xdist_group("engines")]

VERIFIER = "v" * 64
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
PASSWORD = "correct horse battery staple"


@pytest.fixture(scope="module", params=["POSTGRESQL", "MARIADB"])
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    yield from database_on(f"PORTULA_TEST_{request.param}_URL")


@pytest.fixture(scope="module")
def server(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder: Path = tmp_path_factory.mktemp("engine") / "data"
    configuration = CONFIGURATION.replace(
        "{", f'{{\n    "DATABASE_URL": {database_url!r}, "DCR_ENABLED": True,', 1
    )
    common = ["--data-dir", str(folder), "--database-url", database_url]
    run_command("init", *common)
    with pytest.raises(ClickException, match="run `portula db upgrade`"):
        run_command("createuser", "ann", *common)
    run_command("db", "upgrade", *common)
    with running(folder, "--workers", "2", configuration=configuration) as running_server:
        running_server.create_user("ann", PASSWORD)
        yield running_server


@pytest.fixture(scope="module")
def client(server: Server) -> dict[str, Any]:
    made: dict[str, Any] = server.create_client(
        "confidential", "authorization-code", redirect_uris="https://client.example/callback"
    )
    return made


def _code(server: Server, client: dict[str, Any]) -> str:
    with Browser(server.url) as browser:
        browser.get(
            f"/o/authorize/?response_type=code&client_id={client['client_id']}&scope=read"
            f"&code_challenge={CHALLENGE}&code_challenge_method=S256"
        )
        browser.sign_in("ann", PASSWORD)
        return sent_back(browser.submit("consent-allow"))["code"]


def _post(server: Server, client: dict[str, Any], path: str = "token", **data: str) -> httpx.Response:
    auth = (client["client_id"], client["client_secret"])
    return httpx.post(f"{server.issuer}/{path}/", data=data, auth=auth, timeout=30)


def test_code_refresh_introspect_and_revoke(server: Server, client: dict[str, Any]) -> None:
    code = _code(server, client)
    token = _post(server, client, grant_type="authorization_code", code=code, code_verifier=VERIFIER).json()
    refreshed = _post(server, client, grant_type="refresh_token", refresh_token=token["refresh_token"])
    assert refreshed.status_code == 200
    fresh = refreshed.json()
    known = _post(server, client, "introspect", token=fresh["access_token"]).json()
    assert known["active"] is True
    assert known["username"] == "ann"
    assert _post(server, client, "introspect", token=token["access_token"]).json() == {"active": False}
    assert _post(server, client, "revoke_token", token=fresh["refresh_token"]).status_code == 200
    assert _post(server, client, "introspect", token=fresh["access_token"]).json() == {"active": False}


def test_a_code_is_redeemed_once_however_many_ask(server: Server, client: dict[str, Any]) -> None:
    code = _code(server, client)

    def redeem(_: int) -> int:
        return _post(
            server, client, grant_type="authorization_code", code=code, code_verifier=VERIFIER
        ).status_code

    with ThreadPoolExecutor(12) as pool:
        assert Counter(pool.map(redeem, range(12))) == {200: 1, 400: 11}


def test_a_refresh_token_is_rotated_once_however_many_ask(server: Server, client: dict[str, Any]) -> None:
    code = _code(server, client)
    token = _post(server, client, grant_type="authorization_code", code=code, code_verifier=VERIFIER).json()

    def refresh(_: int) -> Any:
        return _post(server, client, grant_type="refresh_token", refresh_token=token["refresh_token"]).json()

    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(refresh, range(12)))
    for member in ("access_token", "refresh_token"):  # within the grace of `portula serve` all get the same
        assert len({answer[member] for answer in answers}) == 1


def test_no_more_clients_are_registered_than_a_token_is_for_however_many_ask(server: Server) -> None:
    made = server.run("registration", "token", "create", "partner", "--uses", "3")
    headers = {"Authorization": f"Bearer {made['initial_access_token']}"}
    document = {
        "redirect_uris": ["https://client.example/callback"],
        "client_name": "Tea",
        "client_name#ja": "茶",
    }

    def register(_: int) -> httpx.Response:
        return httpx.post(f"{server.issuer}/register/", json=document, headers=headers, timeout=30)

    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(register, range(12)))
    assert Counter(answer.status_code for answer in answers) == {201: 3, 401: 9}
    told = next(answer.json() for answer in answers if answer.status_code == 201)
    known = httpx.get(
        told["registration_client_uri"],
        headers={"Authorization": f"Bearer {told['registration_access_token']}"},
        timeout=30,
    )
    assert known.json()["client_name#ja"] == "茶"
