"""Single use holds under load: 50 codes, each redeemed by 20 requests at once, on four worker processes and SQLite."""

import base64
import hashlib
import sqlite3
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from support.browser import Browser, sent_back
from support.server import CONFIGURATION, Server, running

pytestmark = pytest.mark.thorough

CODES, REQUESTS_EACH = 50, 20
VERIFIER = "v" * 64
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
REDIRECT_URI = "https://client.example/callback"


def _codes(browser: Browser, client_id: str) -> list[str]:
    query = f"response_type=code&client_id={client_id}&scope=read&code_challenge={CHALLENGE}&code_challenge_method=S256"
    browser.get(f"/o/authorize/?{query}")
    browser.sign_in("ann", "correct horse battery staple")
    codes = []
    for _ in range(CODES):
        browser.get(f"/o/authorize/?{query}")
        codes.append(sent_back(browser.submit("consent-allow"))["code"])
    return codes


def _redeem_at_once(server: Server, code: str, client: dict[str, str]) -> list[int]:
    gate = threading.Barrier(REQUESTS_EACH)
    data = {
        "grant_type": "authorization_code",
        "code": code,
        "code_verifier": VERIFIER,
        "client_id": client["client_id"],
        "client_secret": client["client_secret"],
    }

    def redeem(http: httpx.Client) -> int:
        gate.wait()
        return http.post(f"{server.issuer}/token/", data=data).status_code

    with httpx.Client(timeout=60) as http, ThreadPoolExecutor(REQUESTS_EACH) as pool:
        return list(pool.map(redeem, [http] * REQUESTS_EACH))


def test_each_code_is_redeemed_exactly_once(tmp_path: Path) -> None:
    configuration = CONFIGURATION.replace("{", '{\n    "AUTHORIZATION_CODE_EXPIRE_SECONDS": 600,', 1)
    with running(tmp_path / "data", "--workers", "4", configuration=configuration) as server:
        server.create_user("ann", "correct horse battery staple")
        client = server.create_client("confidential", "authorization-code", redirect_uris=REDIRECT_URI)
        statuses: Counter[int] = Counter()
        with Browser(server.url) as browser:
            codes = _codes(browser, client["client_id"])
        for code in codes:
            outcome = Counter(_redeem_at_once(server, code, client))
            assert outcome[200] == 1, outcome
            statuses += outcome
        assert statuses == {200: CODES, 400: CODES * (REQUESTS_EACH - 1)}
        with sqlite3.connect(server.data_dir / "portula.sqlite3") as database:
            issued = database.execute("SELECT count(*) FROM portula_access_token").fetchone()[0]
        database.close()
        assert issued == CODES
