"""Distributions that are no part of portula, installed by pip, answering over HTTP in one running provider."""

import json
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from sqlite3 import connect
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
from security.driving import s256
from support.browser import Browser
from support.venvs import lines_of

from portula_testing import jws

pytestmark = [pytest.mark.thorough, pytest.mark.xdist_group("plugins-work")]

MORNING = datetime(2026, 3, 2, 10, 30, tzinfo=UTC).timestamp()
TEA_TIME = datetime(2026, 3, 2, 16, 30, tzinfo=UTC).timestamp()
CALLBACK = "http://127.0.0.1:9/cb"
VERIFIER = "v" * 43
GRANT_TYPE = "urn:example:kettle"
HOOKS = {
    "bad_listener": ["portula_token_issued"],
    "file_clock": ["portula_clock", "portula_settings"],
    "json_store": ["portula_settings", "portula_stores"],
    "kettle": [
        "portula_commands",
        "portula_grant_types",
        "portula_metadata",
        "portula_validate_client_registration",
    ],
    "scopes_db": ["portula_commands", "portula_scopes_backend", "portula_settings"],
    "shop_ids": [
        "portula_access_token_generator",
        "portula_client_id_generator",
        "portula_refresh_token_generator",
    ],
    "tea_time": ["portula_validate_token_request"],
    "tenant": ["portula_id_token_claims", "portula_introspection_response", "portula_token_response"],
}


@pytest.fixture(scope="module")
def deployment(good, tmp_path_factory):
    folder = tmp_path_factory.mktemp("shop")
    (folder / "clock").write_text(str(MORNING))
    settings = {"STORAGE": "json_store", "JSON_STORE_FILE": "store.json", "CLOCK_FILE": "clock"}
    deployment = good.deployment(folder, SCOPES_DB_FILE="scopes.sqlite3", **settings)
    deployment.text("addscope", "boil", "Boil water")
    deployment.text("addscope", "pour", "Pour it out")
    return deployment


@pytest.fixture(scope="module")
def client(deployment):
    return deployment.json("createapplication", "confidential", "client-credentials")


@pytest.fixture(scope="module")
def url(deployment, client):
    with deployment.serving() as url:
        yield url


@pytest.fixture
def ask(url, client):
    """Return a function that asks for a token."""

    def post(who=client, **fields):
        auth = (who["client_id"], who["client_secret"])
        return httpx.post(f"{url}/o/token/", auth=auth, data={"grant_type": "client_credentials", **fields})

    return post


@contextmanager
def at(deployment, time):
    """Set the file that the clock reads."""
    file = deployment.folder / "clock"
    file.write_text(str(time))
    try:
        yield
    finally:
        file.write_text(str(MORNING))


def test_all_of_them_are_listed_with_distribution_version_and_hooks(deployment):
    rows = lines_of(deployment.json("plugins"))
    assert {name for name, row in rows.items() if not row["default"]} == set(HOOKS)
    for name, hooks in HOOKS.items():
        row = rows[name]
        assert row["hooks"] == hooks
        assert (row["distribution"], row["version"]) == (f"portula-{name.replace('_', '-')}", "1.0")
        assert (row["tier"], row["status"]) == ("installed", "active")


@pytest.mark.parametrize(
    ("name", "winner"),
    [
        ("SCOPES_BACKEND_CLASS", "scopes_db"),
        ("CLIENT_ID_GENERATOR_CLASS", "shop_ids"),
        ("ACCESS_TOKEN_GENERATOR", "shop_ids"),
        ("clock", "file_clock"),
    ],
)
def test_explain_names_the_winner_and_whom_it_outranks(deployment, name, winner):
    ruling = deployment.json("explain", name)["slot"]
    assert (ruling["winner"]["plugin"], ruling["default"]) == (winner, False)
    assert {entry["tier"] for entry in ruling["outranked"]} <= {"default"}


def test_scopes_come_from_a_database_of_the_plugins_own(deployment, url, ask):
    assert ask(scope="boil pour").json()["scope"] == "boil pour"
    assert ask().json()["scope"] == "boil"
    assert ask(scope="read").json()["error"] == "invalid_scope"
    with closing(connect(deployment.folder / "scopes.sqlite3")) as database, database:
        database.execute("INSERT INTO scope VALUES ('whistle', 'Whistle')")
    assert ask(scope="whistle").json()["scope"] == "whistle"


def test_identifiers_and_tokens_are_made_by_the_plugin(client, ask):
    assert client["client_id"].startswith("shop-")
    assert len(client["client_id"]) == len("shop-") + 32
    assert ask().json()["access_token"].startswith("shop_at_")


def test_a_grant_type_of_a_plugin_needs_the_metadata_it_asks_for(deployment):
    done = deployment.try_("createapplication", "confidential", GRANT_TYPE)
    assert (done.returncode, done.stderr) == (1, "Error: a kettle needs kettle_serial\n")


def test_a_grant_type_of_a_plugin_gives_tokens(deployment, url, ask):
    kettle = deployment.json("createkettle", "K-7")
    good = ask(kettle, grant_type=GRANT_TYPE, serial="K-7", scope="boil")
    assert (good.status_code, good.json()["scope"]) == (200, "boil")
    for serial in ("K-8", ""):
        wrong = ask(kettle, grant_type=GRANT_TYPE, serial=serial)
        assert (wrong.status_code, wrong.json()) == (
            400,
            {"error": "invalid_grant", "error_description": "This is not your serial number."},
        )


def test_a_client_of_another_kind_cannot_use_the_grant_type(ask):
    answer = ask(grant_type=GRANT_TYPE, serial="K-7")
    assert (answer.status_code, answer.json()["error"]) == (400, "unauthorized_client")


def test_the_server_metadata_tells_of_the_plugins(url):
    document = httpx.get(f"{url}/.well-known/oauth-authorization-server/o").json()
    assert document["kettle_serial_required"] is True
    assert GRANT_TYPE in document["grant_types_supported"]
    assert {"boil", "pour"} <= set(document["scopes_supported"])


def test_a_rule_denies_by_the_time_of_day(deployment, ask):
    with at(deployment, TEA_TIME):
        denied = ask()
    assert (denied.status_code, denied.json()) == (
        400,
        {"error": "temporarily_unavailable", "error_description": "We are having tea."},
    )
    assert ask().status_code == 200


def test_time_is_what_the_clock_slot_says(deployment, url, client, ask):
    answer = ask().json()
    with at(deployment, MORNING + answer["expires_in"] + 1):
        assert facts(url, client, answer["access_token"]) == {"active": False}
    assert facts(url, client, answer["access_token"])["iat"] == int(MORNING)


def facts(url, client, token):
    auth = (client["client_id"], client["client_secret"])
    return httpx.post(f"{url}/o/introspect/", auth=auth, data={"token": token}).json()


def test_members_are_added_and_none_is_overwritten(url, client, ask):
    answer = ask().json()
    assert answer["tenant"] == "north"
    assert answer["access_token"] != "mine"
    told = facts(url, client, answer["access_token"])
    assert (told["tenant"], told["active"], told["client_id"]) == ("north", True, client["client_id"])


def test_claims_are_added_to_id_tokens_and_none_is_overwritten(deployment, url):
    password = "a long password of hers"
    made = deployment.try_("createuser", "ada", "--password-stdin", "--json", typed=password)
    party = deployment.json(
        "createapplication", "confidential", "authorization-code", "--redirect-uris", CALLBACK
    )
    asked = {
        "response_type": "code",
        "client_id": party["client_id"],
        "scope": "openid",
        "code_challenge": s256(VERIFIER),
        "code_challenge_method": "S256",
    }
    with Browser(url) as browser:
        browser.get(f"/o/authorize/?{urlencode(asked)}")
        browser.sign_in("ada", password)
        code = parse_qs(urlsplit(browser.submit("consent-allow").headers["location"]).query)["code"][0]
    answer = httpx.post(
        f"{url}/o/token/",
        auth=(party["client_id"], party["client_secret"]),
        data={"grant_type": "authorization_code", "code": code, "code_verifier": VERIFIER},
    ).json()
    (key,) = [
        key
        for key in httpx.get(f"{url}/o/.well-known/jwks.json").json()["keys"]
        if key["kid"] == jws.taken_apart(answer["id_token"])[0]["kid"]
    ]
    claims = jws.verify_token(answer["id_token"], key)[1]
    assert claims["tenant"] == "north"
    assert claims["sub"] == json.loads(made.stdout)["sub"]
    assert claims["aud"] == party["client_id"]


def test_what_is_kept_is_in_the_file_of_the_plugin_and_holds_no_secret(deployment, client, ask):
    token = ask().json()["access_token"]
    text = (deployment.folder / "store.json").read_text()
    held = json.loads(text)
    assert client["client_id"] in [row["client_id"] for row in held["application"]]
    assert len(held["access_token"]) >= 1
    assert token not in text
    assert client["client_secret"] not in text
    assert not (deployment.folder / "portula.sqlite3").exists()


def test_a_listener_that_fails_is_logged_and_harms_nobody(deployment, ask):
    assert ask().status_code == 200
    deployment.wait_for_log(
        "portula_token_issued of plugin 'bad_listener' of distribution portula-bad-listener 1.0",
        "RuntimeError: no room for client_credentials",
    )


def test_the_server_says_at_start_who_takes_part(deployment, url):
    (line,) = [line for line in deployment.log.read_text().splitlines() if line.startswith("Plugins")]
    for name in HOOKS:
        assert f"{name} (portula-{name.replace('_', '-')} 1.0)" in line
