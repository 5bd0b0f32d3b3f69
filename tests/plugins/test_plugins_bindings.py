"""Tokens bound to a key (RFC 9449) and to a certificate (RFC 8705 §3), each by one small distribution, over HTTP."""

import base64
import hashlib
import json
import secrets
import time
from pathlib import Path
from ssl import PEM_cert_to_DER_cert
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
import pytest
from security.driving import s256
from support.browser import Browser
from support.venvs import lines_of

from portula_testing import jws
from portula_testing.tls import Authority

pytestmark = [pytest.mark.xdist_group("plugins-bindings"), pytest.mark.thorough]

DISTS = Path(__file__).parent / "dists"
SPIKES = ("spike_dpop", "spike_mtls")
CALLBACK = "http://127.0.0.1:9/cb"
VERIFIER = "v" * 43
PASSWORD = "a long password of hers"
HEADER = "X-Client-Certificate"
KEY, OTHER_KEY = jws.TokenKey("ES256"), jws.TokenKey("ES256")
DER, OTHER_DER = (PEM_cert_to_DER_cert(Authority(name).pem.decode()) for name in ("one", "two"))
BOUND = {"tls_client_certificate_bound_access_tokens": True}


def digest(raw):
    return base64.urlsafe_b64encode(hashlib.sha256(raw).digest()).decode().rstrip("=")


def certificate(der):
    return {HEADER: f":{base64.b64encode(der).decode()}:"}


@pytest.fixture(scope="module")
def deployment(make_venv, tmp_path_factory):
    settings = {"TRUSTED_PROXIES": 1, "CLIENT_CERTIFICATE_HEADER": HEADER}
    settings["PLUGINS_BLOCKED"] = ["dpop"]  # which binds by the same scheme
    deployment = make_venv(*SPIKES).deployment(tmp_path_factory.mktemp("bindings"), **settings)
    deployment.try_("createuser", "ada", "--password-stdin", "--json", typed=PASSWORD)
    return deployment


@pytest.fixture(scope="module")
def url(deployment):
    with deployment.serving() as url:
        yield url


@pytest.fixture(scope="module")
def make_client(deployment):
    def make(kind="confidential", **metadata):
        arguments = (
            "createapplication",
            kind,
            "authorization-code",
            "refresh-token",
            "--redirect-uris",
            CALLBACK,
        )
        return deployment.json(*arguments, "--metadata", json.dumps(metadata))

    return make


@pytest.fixture(scope="module")
def public(make_client):
    return make_client("public")


@pytest.fixture(scope="module")
def confidential(make_client):
    return make_client()


@pytest.fixture(scope="module")
def tied(make_client):
    """A client whose tokens are bound to its certificate."""
    return make_client(**BOUND)


def redeem(url, client, headers, **form):
    given = {"client_id": client["client_id"], **form}
    if client.get("client_secret"):
        given["client_secret"] = client["client_secret"]
    return httpx.post(f"{url}/o/token/", data=given, headers=headers)


@pytest.fixture(scope="module")
def tokens(url):
    """Return a function that signs Ada in and gives the answer to the code, redeemed with these headers."""

    def get(client, headers):
        asked = {"response_type": "code", "client_id": client["client_id"], "scope": "openid offline_access"}
        asked |= {"code_challenge": s256(VERIFIER), "code_challenge_method": "S256", "redirect_uri": CALLBACK}
        with Browser(url) as browser:
            browser.get(f"/o/authorize/?{urlencode(asked)}")
            browser.sign_in("ada", PASSWORD)
            location = browser.submit("consent-allow").headers["location"]
        form = {"grant_type": "authorization_code", "redirect_uri": CALLBACK}
        form |= {"code": dict(parse_qsl(urlsplit(location).query))["code"]}
        return redeem(url, client, headers, **form, code_verifier=VERIFIER)

    return get


def refresh(url, client, tokens, headers):
    return redeem(url, client, headers, grant_type="refresh_token", refresh_token=tokens["refresh_token"])


def test_each_spike_is_a_file_of_less_than_a_hundred_lines(deployment):
    rows = lines_of(deployment.json("plugins"))
    for name in SPIKES:
        assert rows[name]["status"] == "active"
        (path,) = (DISTS / name).glob("*.py")
        assert len(path.read_text().splitlines()) < 100


# --- A key ---


@pytest.fixture(scope="module")
def proof(url):
    """Return a function that makes the header of a proof; arguments change its claims, `None` takes one out."""

    def make(key=KEY, method="GET", path="/o/userinfo/", token=None, typ="dpop+jwt", jwk=None, **changes):
        claims = {"htm": method, "htu": f"{url}{path}", "iat": int(time.time()), "jti": secrets.token_hex(8)}
        claims |= {"ath": digest(token.encode())} if token else {}
        claims = {name: value for name, value in {**claims, **changes}.items() if value is not None}
        return {"DPoP": key.sign(claims, typ=typ, jwk=jwk or key.jwk, kid=None)}

    return make


@pytest.fixture(scope="module")
def at_token(proof):
    return lambda key=KEY, **changes: proof(key, "POST", "/o/token/", **changes)


def thumbprint(key):
    members = {name: key.jwk[name] for name in ("crv", "kty", "x", "y")}
    return digest(json.dumps(members, separators=(",", ":")).encode())


def userinfo(url, scheme, token, headers):
    return httpx.get(f"{url}/o/userinfo/", headers={"Authorization": f"{scheme} {token}", **headers})


@pytest.fixture(scope="module")
def dpop_token(tokens, confidential, at_token):
    given = tokens(confidential, at_token()).json()
    assert given["token_type"] == "DPoP"
    return given["access_token"]


def test_a_token_is_issued_shown_and_taken_as_bound_to_its_key(url, confidential, dpop_token, proof):
    auth = (confidential["client_id"], confidential["client_secret"])
    told = httpx.post(f"{url}/o/introspect/", auth=auth, data={"token": dpop_token}).json()
    assert (told["token_type"], told["cnf"]) == ("DPoP", {"jkt": thumbprint(KEY)})
    for scheme in ("DPoP", "dpop"):
        assert userinfo(url, scheme, dpop_token, proof(token=dpop_token)).status_code == 200


def test_a_bound_token_is_no_bearers(url, dpop_token, proof):
    for headers in ({}, proof(token=dpop_token)):
        refused = userinfo(url, "Bearer", dpop_token, headers)
        assert (refused.status_code, refused.json()["error"]) == (401, "invalid_token")
        bearers, others = refused.headers["www-authenticate"].split("DPoP ")
        assert 'error="invalid_token"' in bearers
        assert 'algs="ES256 RS256"' in others


WRONG = {
    "another method": {"method": "POST"},
    "another endpoint": {"path": "/o/token/"},
    "another token": {"token": "another"},
    "no token": {"token": None},
    "an old one": {"iat": 1_700_000_000},
    "one to come": {"iat": 4_000_000_000},
    "no time": {"iat": None},
    "no number": {"iat": "now"},
    "no jti": {"jti": None},
    "another typ": {"typ": "JWT"},
    "another key's signature": {"jwk": OTHER_KEY.jwk},
    "a private key": {"jwk": {**KEY.jwk, "d": "AAAA"}},
    "no key": {"jwk": {"kty": "oct", "k": "AAAA"}},
    "a key that is none": {"jwk": "key"},
}


@pytest.mark.parametrize("changes", WRONG.values(), ids=WRONG)
def test_a_wrong_proof_is_refused_by_its_name(url, dpop_token, proof, changes):
    refused = userinfo(url, "DPoP", dpop_token, proof(**{"token": dpop_token, **changes}))
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_dpop_proof")
    assert 'DPoP realm="portula", error="invalid_dpop_proof"' in refused.headers["www-authenticate"]


def test_the_proof_of_another_key_or_none_is_refused(url, dpop_token, proof):
    other = userinfo(url, "DPoP", dpop_token, proof(OTHER_KEY, token=dpop_token))
    assert (other.status_code, other.json()["error"]) == (401, "invalid_token")
    assert userinfo(url, "DPoP", dpop_token, {}).json()["error"] == "invalid_dpop_proof"


def test_a_proof_serves_once_at_each_endpoint(url, dpop_token, proof, tokens, confidential, at_token):
    headers = proof(token=dpop_token)
    assert userinfo(url, "DPoP", dpop_token, headers).status_code == 200
    assert userinfo(url, "DPoP", dpop_token, headers).json()["error"] == "invalid_dpop_proof"
    headers = at_token()
    given = tokens(confidential, headers).json()
    refused = refresh(url, confidential, given, headers)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_dpop_proof")
    assert refresh(url, confidential, given, at_token()).status_code == 200


@pytest.mark.parametrize("changes", [{"htm": "GET"}, {"htu": "https://evil.example/"}, {"typ": "JWT"}])
def test_a_wrong_proof_at_the_token_endpoint_costs_nothing(url, tokens, confidential, at_token, changes):
    given = tokens(confidential, at_token()).json()
    refused = refresh(url, confidential, given, at_token(**changes))
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_dpop_proof")
    assert refresh(url, confidential, given, at_token()).status_code == 200


def test_an_unbound_token_does_not_come_by_the_scheme(url, tokens, confidential, proof):
    given = tokens(confidential, {}).json()
    assert given["token_type"] == "Bearer"
    token = given["access_token"]
    assert userinfo(url, "Bearer", token, {}).status_code == 200
    refused = userinfo(url, "DPoP", token, proof(token=token))
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_token")


def test_a_public_client_refreshes_with_its_key_alone(url, tokens, public, at_token):
    given = tokens(public, at_token()).json()
    for headers in ({}, at_token(OTHER_KEY)):
        assert refresh(url, public, given, headers).json()["error"] == "invalid_grant"
    assert refresh(url, public, given, at_token()).json()["token_type"] == "DPoP"


# --- A certificate ---


@pytest.fixture(scope="module")
def tied_token(tokens, tied):
    given = tokens(tied, certificate(DER)).json()
    assert given["token_type"] == "Bearer"
    return given["access_token"]


def test_a_token_passes_with_its_certificate_alone(url, tied, tied_token):
    auth = (tied["client_id"], tied["client_secret"])
    told = httpx.post(f"{url}/o/introspect/", auth=auth, data={"token": tied_token}).json()
    assert (told["token_type"], told["cnf"]) == ("Bearer", {"x5t#S256": digest(DER)})
    assert userinfo(url, "Bearer", tied_token, certificate(DER)).status_code == 200
    for headers in ({}, certificate(OTHER_DER), {"Client-Cert": certificate(DER)[HEADER]}):
        refused = userinfo(url, "Bearer", tied_token, headers)
        assert (refused.status_code, refused.json()["error"]) == (401, "invalid_token")


def test_a_certificate_that_a_client_adds_to_the_proxys_is_refused(deployment, url, tied_token):
    both = ",".join(certificate(der)[HEADER] for der in (DER, OTHER_DER))
    refused = userinfo(url, "Bearer", tied_token, {HEADER: both})
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_request")
    deployment.wait_for_log("cannot be read")


def test_a_client_that_is_registered_so_gets_nothing_without_one(tokens, tied):
    refused = tokens(tied, {})
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_request")


def test_a_token_may_be_bound_to_both(url, tokens, tied, at_token, proof):
    given = tokens(tied, {**at_token(), **certificate(DER)}).json()
    assert given["token_type"] == "DPoP"
    token = given["access_token"]
    for shown, status in ((certificate(DER), 200), ({}, 401), (certificate(OTHER_DER), 401)):
        assert userinfo(url, "DPoP", token, {**proof(token=token), **shown}).status_code == status
