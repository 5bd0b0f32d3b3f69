"""Codes of devices on PostgreSQL: 50 codes, each polled 20 times at once, on two worker processes (RFC 8628 §3.5)."""

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from support.browser import Browser
from support.commands import run_command
from support.databases import database_on
from support.server import CONFIGURATION, Server, running

pytestmark = [pytest.mark.service, pytest.mark.xdist_group("engines")]

GRANT = "urn:ietf:params:oauth:grant-type:device_code"
PASSWORD = "correct horse battery staple"
CODES, POLLS_EACH = 50, 20


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


def _allowed(server: Server, browser: Browser, client: dict[str, str]) -> str:
    """Return a code of a device that its person has allowed."""
    form = {**client, "scope": "read"}
    codes: Any = httpx.post(f"{server.issuer}/device_authorization/", data=form, timeout=30).json()
    browser.get(codes["verification_uri_complete"].removeprefix(server.url))
    browser.submit("device-continue")
    if "/accounts/login/" in str(browser.page.url):
        browser.sign_in("ann", PASSWORD)
    assert "The device is connected" in browser.submit("consent-allow").text
    return str(codes["device_code"])


def _polled_at_once(server: Server, client: dict[str, str], device_code: str) -> Counter[int]:
    gate = threading.Barrier(POLLS_EACH)
    form = {**client, "grant_type": GRANT, "device_code": device_code}

    def poll(http: httpx.Client) -> int:
        gate.wait()
        return http.post(f"{server.issuer}/token/", data=form).status_code

    with httpx.Client(timeout=60) as http, ThreadPoolExecutor(POLLS_EACH) as pool:
        return Counter(pool.map(poll, [http] * POLLS_EACH))


def test_each_code_of_a_device_is_redeemed_exactly_once(server: Server) -> None:
    client = {"client_id": server.create_client("public", GRANT)["client_id"]}
    with Browser(server.url) as browser:
        codes = [_allowed(server, browser, client) for _ in range(CODES)]
    for code in codes:
        assert _polled_at_once(server, client, code) == {200: 1, 400: POLLS_EACH - 1}
