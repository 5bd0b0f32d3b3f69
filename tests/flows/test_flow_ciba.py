"""Backchannel authentication on PostgreSQL: 50 requests, each polled 20 times at once, by two workers (CIBA §11)."""

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from support.backchannel import GRANT, PATH, pages
from support.browser import Browser
from support.commands import run_command
from support.databases import database_on
from support.server import CONFIGURATION, Server, running

pytestmark = [pytest.mark.service, pytest.mark.xdist_group("engines")]

PASSWORD = "correct horse battery staple"
REQUESTS, POLLS_EACH = 50, 20


@pytest.fixture(scope="module")
def database_url() -> Iterator[str]:
    yield from database_on("PORTULA_TEST_POSTGRESQL_URL")


@pytest.fixture(scope="module")
def server(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder: Path = tmp_path_factory.mktemp("engine") / "data"
    configuration = CONFIGURATION.replace("{", f'{{\n    "DATABASE_URL": {database_url!r},', 1)
    common = ["--data-dir", str(folder), "--database-url", database_url]
    for command in (["init"], ["db", "upgrade"]):
        run_command(*command, *common)
    with running(folder, "--workers", "2", configuration=configuration) as running_server:
        running_server.create_user("ann", PASSWORD)
        yield running_server


@pytest.fixture(scope="module")
def till(server: Server) -> tuple[str, str]:
    made = server.create_client("confidential", GRANT)
    return made["client_id"], made["client_secret"]


def _allowed(server: Server, browser: Browser, till: tuple[str, str]) -> str:
    """Return an `auth_req_id` whose person has allowed the request."""
    form = {"scope": "openid read", "login_hint": "ann", "requested_expiry": "600"}
    begun = httpx.post(f"{server.url}{PATH}", data=form, auth=till, timeout=30)
    browser.get(pages(browser)[0])
    assert "The app may go on" in browser.submit("consent-allow").text
    return str(begun.json()["auth_req_id"])


def _polled_at_once(server: Server, till: tuple[str, str], auth_req_id: str) -> Counter[int]:
    gate = threading.Barrier(POLLS_EACH)
    form = {"grant_type": GRANT, "auth_req_id": auth_req_id}

    def poll(http: httpx.Client) -> int:
        gate.wait()
        return http.post(f"{server.issuer}/token/", data=form).status_code

    with httpx.Client(auth=till, timeout=60) as http, ThreadPoolExecutor(POLLS_EACH) as pool:
        return Counter(pool.map(poll, [http] * POLLS_EACH))


def test_each_request_is_redeemed_exactly_once(server: Server, till: tuple[str, str]) -> None:
    with Browser(server.url) as browser:
        browser.get("/o/ciba/")
        browser.sign_in("ann", PASSWORD)
        requests = [_allowed(server, browser, till) for _ in range(REQUESTS)]
    for auth_req_id in requests:
        assert _polled_at_once(server, till, auth_req_id) == {200: 1, 400: POLLS_EACH - 1}
