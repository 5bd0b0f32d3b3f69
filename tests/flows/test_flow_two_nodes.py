"""Two nodes of one provider on one storage: what one does, the other knows at once."""

import base64
import hashlib
import os
import secrets
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from sqlalchemy import make_url
from support.browser import Browser, sent_back
from support.commands import run_command
from support.databases import database_on, galera_nodes
from support.server import CONFIGURATION, Server, running

from portula_testing import jws

pytestmark = [pytest.mark.service, pytest.mark.xdist_group("engines")]

HOME = "http://127.0.0.1:1"
ISSUER = f"{HOME}/o"
VERIFIER = "v" * 64
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
PASSWORD = "correct horse battery staple"
BY_TURNS = 20


def _settings(engine: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Yield the settings of both nodes for a storage that only this test has; on Galera each has a node of its own."""
    if engine.startswith("REDIS"):
        settings = {
            "STORAGE": "storage_redis",
            "REDIS_URL": os.environ[f"PORTULA_TEST_{engine}"],
            "REDIS_CLUSTER": True,
            "REDIS_KEY_PREFIX": f"nodes-{secrets.token_hex(8)}",
        }
        yield settings, settings
        return
    for url in database_on(f"PORTULA_TEST_{engine}"):
        urls = [url, url]
        if engine == "GALERA_URLS":
            urls = [node.render_as_string(hide_password=False) for node in galera_nodes(make_url(url))]
        yield {"DATABASE_URL": urls[0]}, {"DATABASE_URL": urls[1]}


@pytest.fixture(scope="module", params=["POSTGRESQL_URL", "REDIS_CLUSTER_URL", "GALERA_URLS"])
def settings(request: pytest.FixtureRequest) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    yield from _settings(request.param)


@pytest.fixture(scope="module")
def nodes(
    settings: tuple[dict[str, Any], dict[str, Any]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Server, Server]]:
    """Two nodes, each with a folder of its own, that share secret key and storage."""
    folders: list[Path] = [tmp_path_factory.mktemp("node") / "data" for _ in range(2)]
    urls = [["--database-url", each["DATABASE_URL"]] if "DATABASE_URL" in each else [] for each in settings]
    for folder, url in zip(folders, urls, strict=True):
        run_command("init", "--data-dir", str(folder), *url)
    (folders[1] / "secret_key").write_bytes((folders[0] / "secret_key").read_bytes())
    if urls[0]:
        run_command("db", "upgrade", "--data-dir", str(folders[0]), *urls[0])
    with ExitStack() as stack:
        made = [
            stack.enter_context(running(folder, "--issuer", ISSUER, configuration=_configured(each)))
            for folder, each in zip(folders, settings, strict=True)
        ]
        made[0].run("--issuer", ISSUER, "createuser", "ann", "--password-stdin", text=PASSWORD)
        yield made[0], made[1]


def _configured(settings: dict[str, Any]) -> str:
    lines = [f"\n    {name!r}: {value!r}," for name, value in {"OIDC_ENABLED": True, **settings}.items()]
    return CONFIGURATION.replace("{", "{" + "".join(lines), 1)


@pytest.fixture(scope="module")
def client(nodes: tuple[Server, Server]) -> Any:
    words = ["createapplication", "confidential", "authorization-code", "client-credentials"]
    redirect = ["--redirect-uris", "https://client.example/callback"]
    return nodes[0].run("--issuer", ISSUER, *words, *redirect)


def _post(node: Server, client: Any, path: str = "token", **data: str) -> httpx.Response:
    auth = (client["client_id"], client["client_secret"])
    return httpx.post(f"{node.url}/o/{path}/", data=data, auth=auth, timeout=30)


def _asked(client: Any) -> str:
    return (
        f"/o/authorize/?response_type=code&client_id={client['client_id']}&scope=openid+read"
        f"&code_challenge={CHALLENGE}&code_challenge_method=S256"
    )


class _Balancer(httpx.HTTPTransport):
    """Leads requests for the provider's own host to the node whose turn it is."""

    def __init__(self, node: Server) -> None:
        super().__init__()
        self.node = node

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.url = request.url.copy_with(port=urlsplit(self.node.url).port)
        answer = super().handle_request(request)
        request.url = request.url.copy_with(port=1)
        return answer


@contextmanager
def _browsing(node: Server) -> Iterator[tuple[Browser, _Balancer]]:
    with Browser(HOME) as browser:
        browser.http.close()
        balancer = _Balancer(node)
        browser.http = httpx.Client(base_url=HOME, transport=balancer, timeout=30)
        yield browser, balancer


def _code(nodes: tuple[Server, Server], client: Any) -> str:
    """Sign in at one node and decide at the other."""
    with _browsing(nodes[0]) as (browser, balancer):
        browser.get(_asked(client))
        page = browser.sign_in("ann", PASSWORD)
        balancer.node = nodes[1]
        answer = browser.submit("consent-allow") if "consent-allow" in page.text else page
        return sent_back(answer)["code"]


def _redeem(node: Server, client: Any, code: str) -> httpx.Response:
    return _post(node, client, grant_type="authorization_code", code=code, code_verifier=VERIFIER)


def test_what_one_node_issues_the_other_knows(nodes: tuple[Server, Server], client: Any) -> None:
    one, other = nodes
    tokens = _redeem(one, client, _code(nodes, client)).json()
    assert _post(other, client, "introspect", token=tokens["access_token"]).json()["active"] is True
    published = httpx.get(f"{other.url}/o/.well-known/jwks.json").json()["keys"]
    header, _ = jws.taken_apart(tokens["id_token"])
    (key,) = [key for key in published if key["kid"] == header["kid"]]
    assert jws.verify_token(tokens["id_token"], key)[1]["iss"] == ISSUER
    fresh = _post(other, client, grant_type="refresh_token", refresh_token=tokens["refresh_token"]).json()
    assert _post(one, client, "introspect", token=tokens["access_token"]).json() == {"active": False}
    assert _post(one, client, "revoke_token", token=fresh["refresh_token"]).status_code == 200
    assert _post(other, client, "introspect", token=fresh["access_token"]).json() == {"active": False}


def test_a_code_is_redeemed_once_by_both_together(nodes: tuple[Server, Server], client: Any) -> None:
    for _ in range(3):
        code = _code(nodes, client)
        with ThreadPoolExecutor(BY_TURNS) as pool:
            turns = [nodes[number % 2] for number in range(BY_TURNS)]
            answers = pool.map(_redeem, turns, [client] * BY_TURNS, [code] * BY_TURNS)
            assert Counter(answer.status_code for answer in answers) == {200: 1, 400: BY_TURNS - 1}


def test_a_client_that_is_shut_out_is_shut_out_everywhere_at_once(nodes: tuple[Server, Server]) -> None:
    made = nodes[0].run("--issuer", ISSUER, "createapplication", "confidential", "client-credentials")
    for node in nodes:
        assert _post(node, made, grant_type="client_credentials").status_code == 200
    nodes[0].run("--issuer", ISSUER, "clients", "disable", made["client_id"])
    for node in nodes:
        assert _post(node, made, grant_type="client_credentials").status_code == 401


def test_a_session_that_ends_at_one_node_ends_at_the_other(nodes: tuple[Server, Server]) -> None:
    with _browsing(nodes[0]) as (browser, balancer):
        browser.get("/accounts/login/")
        browser.sign_in("ann", PASSWORD)
        balancer.node = nodes[1]
        assert "ann" in browser.get("/accounts/").text
        balancer.node = nodes[0]
        browser.get("/accounts/logout/")
        browser.submit()
        balancer.node = nodes[1]
        assert "login-submit" in browser.get("/accounts/").text


def test_keys_that_are_rotated_at_one_node_are_known_at_the_other(
    nodes: tuple[Server, Server], client: Any
) -> None:
    nodes[0].run("--issuer", ISSUER, "keys", "rotate")
    tokens = _redeem(nodes[0], client, _code(nodes, client)).json()
    header, _ = jws.taken_apart(tokens["id_token"])
    deadline = time.monotonic() + 10  # a process reads its keys anew every few seconds
    while header["kid"] not in _published(nodes[1]):
        assert time.monotonic() < deadline
        time.sleep(0.2)


def _published(node: Server) -> set[str]:
    return {key["kid"] for key in httpx.get(f"{node.url}/o/.well-known/jwks.json").json()["keys"]}
