"""The whole provider on a cluster of Redis, and on a single server beside a database, served by two workers."""

import base64
import hashlib
import os
import secrets
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from support.browser import Browser, sent_back
from support.commands import run_command
from support.server import CONFIGURATION, Server, running

pytestmark = [pytest.mark.service, pytest.mark.xdist_group("engines")]

VERIFIER = "v" * 64
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
PASSWORD = "correct horse battery staple"
PASSING = dict.fromkeys(
    ("access_token", "grant", "refresh_token", "artifact", "authorization"), "storage_redis"
)
WAYS = {
    "cluster": ("PORTULA_TEST_REDIS_CLUSTER_URL", "storage_redis"),
    "beside a database": ("PORTULA_TEST_REDIS_URL", {"default": "storage_sql", **PASSING}),
}


@pytest.fixture(scope="module", params=WAYS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    variable, storage = WAYS[request.param]
    if variable not in os.environ:
        pytest.fail(f"{variable} is not set: start the services first")
    given = {
        "STORAGE": storage,
        "REDIS_URL": os.environ[variable],
        "REDIS_CLUSTER": request.param == "cluster",
        "REDIS_KEY_PREFIX": f"flow-{secrets.token_hex(8)}",
    }
    lines = "".join(f"\n    {name!r}: {value!r}," for name, value in given.items())
    folder: Path = tmp_path_factory.mktemp("redis") / "data"
    run_command("init", "--data-dir", str(folder))
    with running(
        folder, "--workers", "2", configuration=CONFIGURATION.replace("{", "{" + lines, 1)
    ) as running_server:
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
        answer = browser.submit("consent-allow") if "consent-allow" in browser.page.text else browser.page
        return sent_back(answer)["code"]


def _post(server: Server, client: dict[str, Any], path: str = "token", **data: str) -> httpx.Response:
    auth = (client["client_id"], client["client_secret"])
    return httpx.post(f"{server.issuer}/{path}/", data=data, auth=auth, timeout=30)


def _redeem(server: Server, client: dict[str, Any], code: str) -> httpx.Response:
    return _post(server, client, grant_type="authorization_code", code=code, code_verifier=VERIFIER)


def test_code_refresh_introspect_and_revoke(server: Server, client: dict[str, Any]) -> None:
    token = _redeem(server, client, _code(server, client)).json()
    fresh = _post(server, client, grant_type="refresh_token", refresh_token=token["refresh_token"]).json()
    known = _post(server, client, "introspect", token=fresh["access_token"]).json()
    assert (known["active"], known["username"]) == (True, "ann")
    assert _post(server, client, "introspect", token=token["access_token"]).json() == {"active": False}
    assert _post(server, client, "revoke_token", token=fresh["refresh_token"]).status_code == 200
    assert _post(server, client, "introspect", token=fresh["access_token"]).json() == {"active": False}


def test_each_code_is_redeemed_once_however_many_ask(server: Server, client: dict[str, Any]) -> None:
    for _ in range(5):
        code = _code(server, client)
        with ThreadPoolExecutor(20) as pool:
            answers = pool.map(partial(_redeem, server, client), [code] * 20)
            assert Counter(answer.status_code for answer in answers) == {200: 1, 400: 19}


def test_a_disabled_client_is_seen_by_all_workers_at_once(server: Server) -> None:
    made = server.create_client("confidential", "client-credentials")
    form = {"grant_type": "client_credentials"}
    assert {_post(server, made, **form).status_code for _ in range(8)} == {200}
    server.run("clients", "disable", made["client_id"])
    assert {_post(server, made, **form).status_code for _ in range(8)} == {401}


def test_what_has_expired_is_cleaned_away(server: Server) -> None:
    assert server.run("cleartokens") is not None
