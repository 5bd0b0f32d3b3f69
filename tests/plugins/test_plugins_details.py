"""A type of authorization details by one small distribution (RFC 9396), over HTTP."""

import json
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
import pytest
from security.driving import s256
from support.browser import Browser
from support.venvs import lines_of

from portula_testing import jws

pytestmark = [pytest.mark.thorough, pytest.mark.xdist_group("plugins-details")]

DISTS = Path(__file__).parent / "dists"
CALLBACK, VERIFIER, PASSWORD = "http://127.0.0.1:9/cb", "v" * 43, "a long password of hers"
ALLOWED = {"type": "transfers", "identifier": "DE021001", "sum": 100}
LESS, MORE = {**ALLOWED, "sum": 40}, {**ALLOWED, "sum": 101}


@pytest.fixture(scope="module")
def deployment(make_venv, tmp_path_factory):
    deployment = make_venv("spike_transfers").deployment(tmp_path_factory.mktemp("details"))
    deployment.try_("createuser", "ada", "--password-stdin", "--json", typed=PASSWORD)
    return deployment


@pytest.fixture(scope="module")
def client(deployment):
    metadata = {"authorization_details_types": ["transfers"], "jwt_access_token": True}
    options = ("authorization-code", "refresh-token", "--redirect-uris", CALLBACK)
    return deployment.json("createapplication", "confidential", *options, "--metadata", json.dumps(metadata))


@pytest.fixture(scope="module")
def url(deployment, client):
    with deployment.serving() as url:
        yield url


@pytest.fixture(scope="module")
def post(url, client):
    auth = (client["client_id"], client["client_secret"])
    return lambda path, **form: httpx.post(f"{url}/o/{path}/", auth=auth, data=form)


def test_it_is_one_file_of_under_a_hundred_lines(deployment):
    assert lines_of(deployment.json("plugins"))["spike_transfers"]["status"] == "active"
    assert len((DISTS / "spike_transfers" / "portula_spike_transfers.py").read_text().splitlines()) < 100


def test_a_person_allows_it_and_no_refresh_gets_more(url, post, client, deployment):
    document = httpx.get(f"{url}/o/.well-known/oauth-authorization-server").json()
    assert document["authorization_details_types_supported"] == ["transfers"]
    form = {
        "client_id": client["client_id"],
        "response_type": "code",
        "redirect_uri": CALLBACK,
        "scope": "openid",
        "code_challenge": s256(VERIFIER),
        "code_challenge_method": "S256",
    }
    refused = post("par", **form, authorization_details=json.dumps([{**ALLOWED, "sum": "100"}]))
    assert refused.json()["error"] == "invalid_authorization_details"
    reference = post("par", **form, authorization_details=json.dumps([ALLOWED])).json()["request_uri"]
    with Browser(url) as browser:
        brought = {"client_id": client["client_id"], "request_uri": reference}
        browser.get(f"/o/authorize/?{urlencode(brought)}")
        page = browser.sign_in("ada", PASSWORD)
        assert "Move your money" in page.text
        assert "100 EUR" in page.text
        sent = dict(parse_qsl(urlsplit(browser.submit("consent-allow").headers["location"]).query))
        assert "Move your money" in browser.get("/o/authorized_tokens/").text
    code = {"grant_type": "authorization_code", "code": sent["code"], "redirect_uri": CALLBACK}
    tokens = post("token", **code, code_verifier=VERIFIER).json()
    assert tokens["authorization_details"] == [ALLOWED]
    assert jws.taken_apart(tokens["access_token"])[1]["authorization_details"] == [ALLOWED]
    refresh = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    for details in ([MORE], [ALLOWED, LESS], [{**LESS, "identifier": "DE999999"}]):
        refused = post("token", **refresh, authorization_details=json.dumps(details))
        assert (refused.status_code, refused.json()["error"]) == (400, "invalid_authorization_details")
    again = post("token", **refresh, authorization_details=json.dumps([LESS, {**LESS, "sum": 60}])).json()
    told = post("introspect", token=again["access_token"]).json()
    assert told["authorization_details"] == [LESS, {**LESS, "sum": 60}]
    (row,) = deployment.json("tokens", "list", "--client", client["client_id"])
    assert row["allows"] == ["Move your money: From DE021001; At most 100 EUR"]
