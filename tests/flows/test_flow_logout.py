"""An app signs a person out, and its server hears of it, from a server with several processes."""

import base64
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qs, urlencode

import httpx
import pytest
from support.browser import Browser, sent_back
from support.server import Server, running
from support.signing_out import SHOP, TEA, House, deliver, heard

import portula_storage_sql
from portula.plugin import CORE_RECORDS
from portula_storage_sql.engine import make_engine
from portula_storage_sql.migrate import upgrade
from portula_testing import jws
from portula_testing.tls import Authority, HttpsServer, Reply

pytestmark = pytest.mark.thorough

PASSWORD = "correct horse battery staple"
CALLBACK = "https://app.example/cb"
BYE = "https://app.example/bye"
VERIFIER = "a" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
EVENT = "http://schemas.openid.net/event/backchannel-logout"
CONFIGURATION = """
OAUTH2_PROVIDER = {{
    "OIDC_ENABLED": True,
    "OIDC_RP_INITIATED_LOGOUT_ENABLED": True,
    "FETCH_ALLOWED_PRIVATE_HOSTS": ["localhost"],
    "FETCH_CA_BUNDLE": {bundle!r},
    "PASSWORD_HASH_PROFILE": "testing",
    "CLIENT_SECRET_HASH_PROFILE": "testing",
}}
"""


@pytest.fixture(scope="module")
def app_server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("app")
    authority = Authority()
    with HttpsServer(authority, folder) as server:
        server.bundle = authority.write(folder)
        server.answer("/out", Reply(200))
        yield server


@pytest.fixture(scope="module")
def server(tmp_path_factory, app_server):
    folder: Path = tmp_path_factory.mktemp("provider") / "data"
    configuration = CONFIGURATION.format(bundle=str(app_server.bundle))
    with running(folder, "--workers", "2", configuration=configuration) as running_server:
        running_server.create_user("ann", PASSWORD)
        yield running_server


def registered(server: Server, app_server: HttpsServer):
    """Register the app."""
    metadata = {"backchannel_logout_uri": f"{app_server.url}/out", "post_logout_redirect_uris": [BYE]}
    return server.run(
        *("createapplication", "confidential", "authorization-code", "--redirect-uris", CALLBACK),
        *("--metadata", json.dumps(metadata)),
    )


def signed_in(server: Server, browser: Browser, client) -> str:
    """Sign ann in to the app; return the ID token."""
    query = {
        "response_type": "code",
        "client_id": client["client_id"],
        "redirect_uri": CALLBACK,
        "scope": "openid",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    browser.get(f"/o/authorize/?{urlencode(query)}")
    browser.sign_in("ann", PASSWORD)
    answer = sent_back(browser.submit("consent-allow"))
    form = {
        "grant_type": "authorization_code",
        "code": answer["code"],
        "redirect_uri": CALLBACK,
        "code_verifier": VERIFIER,
    }
    auth = (client["client_id"], client["client_secret"])
    tokens = httpx.post(f"{server.issuer}/token/", data=form, auth=auth).json()
    return tokens["id_token"]


def claims_of(server: Server, token: str):
    """Verify a token by the keys that the provider publishes; return header and claims."""
    header, _ = jws.taken_apart(token)
    keys = httpx.get(f"{server.issuer}/.well-known/jwks.json").json()["keys"]
    (key,) = [key for key in keys if key["kid"] == header["kid"]]
    return jws.verify_token(token, key)


def arrived(app_server: HttpsServer, count: int):
    """Wait until the app's server has heard so often."""
    for _ in range(200):
        if len(app_server.asked) >= count:
            return app_server.asked[-1]
        app_server.closing.wait(0.05)
    raise AssertionError("the app's server was not told within ten seconds")


def test_an_app_signs_a_person_out_and_its_server_hears_of_it(server, app_server):
    client, before = registered(server, app_server), len(app_server.asked)
    with Browser(server.url) as browser:
        id_token = signed_in(server, browser, client)
        _, identity = claims_of(server, id_token)
        query = {"id_token_hint": id_token, "post_logout_redirect_uri": BYE, "state": "s" * 128}
        browser.get(f"/o/logout/?{urlencode(query)}")
        answer = browser.submit("logout-confirm")
        assert answer.headers["location"] == f"{BYE}?state={'s' * 128}"
        asked = arrived(app_server, before + 1)
        assert (asked.method, asked.path) == ("POST", "/out")
        (form,) = [parse_qs(asked.body.decode())]
        header, told = claims_of(server, form["logout_token"][0])
        assert header["typ"] == "logout+jwt"
        assert {told[name] == identity[name] for name in ("iss", "aud", "sub", "sid")} == {True}
        assert told["events"] == {EVENT: {}}
        silent = f"/o/authorize/?response_type=code&client_id={client['client_id']}&scope=openid&prompt=none"
        silent += f"&redirect_uri={CALLBACK}&code_challenge={CHALLENGE}&code_challenge_method=S256"
        assert sent_back(browser.get(silent))["error"] == "login_required"


def test_the_page_of_sessions_ends_one_and_the_apps_server_hears_of_it(server, app_server):
    client, before = registered(server, app_server), len(app_server.asked)
    with Browser(server.url) as browser:
        signed_in(server, browser, client)
        assert "Where you are signed in" in browser.get("/accounts/").text
        assert "This browser" in browser.get("/o/sessions/").text
        browser.submit()
        arrived(app_server, before + 1)
        assert "login-submit" in browser.get("/accounts/").text


KILLED = """
import os, sys
from support.signing_out import House, sign_out, with_servers
import portula_storage_sql
house = House(portula_storage_sql, STORAGE="storage_sql", DATABASE_URL=sys.argv[1])
with_servers(house)
sign_out(house.browser("ada", "teapot", "shop"))
print(house.browser().who, flush=True)
os._exit(9)
"""


def test_what_a_process_leaves_that_is_killed_after_the_logout_is_delivered_by_the_next(tmp_path):
    url = f"sqlite:///{tmp_path / 'portula.sqlite3'}"
    engine = make_engine(url)
    upgrade(engine, CORE_RECORDS)
    engine.dispose()
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, url],
        capture_output=True,
        text=True,
        env=environment,
        timeout=60,
        check=False,
    )
    assert (killed.returncode, killed.stdout) == (9, "nobody\n"), killed.stderr
    settings = {"STORAGE": "storage_sql", "DATABASE_URL": url, "DELIVERY_THREADS": 2}
    house = House(portula_storage_sql, furnished=False, **settings)
    house.browser().get("/who")
    house.fetcher.wait_for(2)
    assert heard(house) == [SHOP, TEA]
    assert deliver(house)["delivered"] == 0
