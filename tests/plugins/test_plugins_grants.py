"""Joints of core under grants of plugins, resources and an audit: small distributions that are no part of portula."""

import json
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest
from security.driving import s256
from support.browser import Browser
from support.venvs import lines_of

pytestmark = [pytest.mark.thorough, pytest.mark.xdist_group("plugins-grants")]

DISTS = Path(__file__).parent / "dists"
SPIKES = ("spike_audit", "spike_ciba", "spike_exchange", "spike_resources")
CALLBACK, VERIFIER, PASSWORD = "http://127.0.0.1:9/cb", "v" * 43, "a long password of hers"
API, OTHER = "https://api.example/v1", "https://other.example"
CIBA = "urn:openid:params:grant-type:ciba"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"


class World:
    """A provider with the spikes, a person, and three clients."""

    def __init__(self, deployment, folder):
        self.deployment, self.audit = deployment, folder / "audit.jsonl"
        settings = {"PROTECTED_RESOURCES": [API, OTHER], "AUDIT_FILE": str(self.audit)}
        blocked = ["resource_indicators", "ciba"]  # spikes are in their place
        deployment.configure(**settings, PLUGINS_BLOCKED=blocked)
        deployment.try_("createuser", "ada", "--password-stdin", "--json", typed=PASSWORD)
        deployment.try_("createuser", "bob", "--password-stdin", "--json", typed=PASSWORD)
        self.app = self.client("authorization-code", "--redirect-uris", CALLBACK)
        self.ciba = self.client(CIBA, "refresh-token")
        self.backend = self.client("client-credentials", EXCHANGE)
        self.api = self.client("client-credentials", "--client-id", API)

    def client(self, *options):
        return self.deployment.json("createapplication", "confidential", *options)

    def post(self, path, client, **form):
        known = {name: client[name] for name in ("client_id", "client_secret")}
        return httpx.post(f"{self.url}/o/{path}/", data={**known, **form})

    def introspect(self, client, token):
        return self.post("introspect", client, token=token).json()

    def authorize(self, **more):
        """Send an authorization request, and return the page or the answer."""
        parameters = {
            "response_type": "code",
            "client_id": self.app["client_id"],
            "scope": "openid read",
            "code_challenge": s256(VERIFIER),
            "code_challenge_method": "S256",
            **more,
        }
        return f"/o/authorize/?{urlencode(parameters, doseq=True)}"

    def redeem(self, response, **more):
        code = httpx.URL(response.headers["location"]).params["code"]
        form = {"grant_type": "authorization_code", "code": code, "code_verifier": VERIFIER, **more}
        return self.post("token", self.app, **form)


@pytest.fixture(scope="module")
def world(make_venv, tmp_path_factory):
    folder = tmp_path_factory.mktemp("grants")
    world = World(make_venv(*SPIKES).deployment(folder / "deployment"), folder)
    with world.deployment.serving() as world.url:
        yield world


@pytest.fixture
def browser(world):
    with Browser(world.url) as browser:
        yield browser


def allowed(browser, path, who="ada"):
    """Open a page, sign in and allow."""
    browser.get(path)
    browser.sign_in(who, PASSWORD)
    return browser.submit("consent-allow")


def test_each_spike_is_a_file_of_under_a_hundred_lines(world):
    rows = lines_of(world.deployment.json("plugins"))
    for name in SPIKES:
        assert rows[name]["status"] == "active"
        (path,) = (DISTS / name).glob("*.py")
        assert len(path.read_text().splitlines()) < 100


# --- Resources ---


def test_a_token_is_for_the_resource_that_was_named_and_a_refresh_keeps_all(world, browser):
    first = world.redeem(allowed(browser, world.authorize(resource=[API, OTHER])), resource=API).json()
    assert world.introspect(world.api, first["access_token"])["aud"] == [API]
    assert world.introspect(world.app, first["access_token"]) == {"active": False}
    form = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"], "resource": OTHER}
    second = world.post("token", world.app, **form).json()
    assert world.introspect(world.api, second["access_token"]) == {"active": False}


@pytest.mark.parametrize("resource", ["https://nobody.example", OTHER])
def test_a_resource_that_is_unknown_or_was_not_granted_is_no_target(world, browser, resource):
    answer = world.redeem(allowed(browser, world.authorize(resource=API)), resource=resource)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_target")


# --- Token exchange ---


def test_a_token_is_exchanged_for_one_of_another_client_and_never_a_wider_one(world, browser):
    token = world.redeem(allowed(browser, world.authorize())).json()["access_token"]
    form = {"grant_type": EXCHANGE, "subject_token": token, "subject_token_type": ACCESS_TOKEN}
    exchanged = world.post("token", world.backend, **form, scope="read").json()
    assert (exchanged["issued_token_type"], exchanged["scope"]) == (ACCESS_TOKEN, "read")
    shown = world.introspect(world.backend, exchanged["access_token"])
    assert (shown["client_id"], shown["scope"]) == (world.backend["client_id"], "read")
    assert shown["act"] == {"client_id": world.backend["client_id"]}
    wider = world.post("token", world.backend, **form, scope="write")
    assert wider.json()["error"] == "invalid_scope"
    forged = world.post("token", world.backend, **{**form, "subject_token": "x"})
    assert forged.json()["error"] == "invalid_request"


# --- CIBA ---


def begun(world):
    sent = world.post("bc-authorize", world.ciba, scope="openid read", login_hint="ada").json()
    return {"grant_type": CIBA, "auth_req_id": sent["auth_req_id"]}


def test_what_a_person_allows_at_a_page_is_redeemed_once(world, browser):
    form = begun(world)
    assert world.post("token", world.ciba, **form).json()["error"] == "authorization_pending"
    assert allowed(browser, f"/o/ciba/?auth_req_id={form['auth_req_id']}").text == "Thank you."
    tokens = world.post("token", world.ciba, **form).json()
    assert {"access_token", "id_token", "refresh_token"} <= set(tokens)
    assert world.post("token", world.ciba, **form).json()["error"] == "invalid_grant"


def test_nobody_else_allows_it(world, browser):
    form = begun(world)
    allowed(browser, f"/o/ciba/?auth_req_id={form['auth_req_id']}", "bob")
    assert world.post("token", world.ciba, **form).json()["error"] == "authorization_pending"


# --- Audit ---


def test_what_is_issued_is_on_record_and_every_event_is_a_line(world):
    assert world.post("token", world.backend, grant_type="client_credentials").status_code == 200
    printed = world.deployment.text("audit", world.backend["client_id"])
    kept = [json.loads(line) for line in printed.splitlines()]
    lines = [json.loads(line) for line in world.audit.read_text().splitlines()]
    issued = [line for line in lines if line["type"] == "token_issued"]
    assert kept
    assert {row["id"] for row in kept} <= {line["id"] for line in issued}
    assert "client_authenticated" in {line["type"] for line in lines}
