"""S66 at the newer endpoints and forms of answers: what is one client's is kept by no cache and read by no other page.

Rooms: par, device, dpop, jwt_introspection, jarm, rar, mtls. Who may read answers across origins is tested in
plugins/oauth2/tests/test_oauth2_cors.py for the first endpoints.
"""

import pytest
from support.devices import GRANTS
from support.proofs import Prover

from security.driving import CALLBACK, bearer, s256
from security.house import House

PAGE, EVIL = "https://app.example", "https://evil.example"
JWT = "application/token-introspection+jwt"
ASKED = {
    "response_type": "code",
    "redirect_uri": CALLBACK,
    "scope": "read",
    "code_challenge": s256("v" * 43),
    "code_challenge_method": "S256",
}
REQUESTS = {
    "token": ("/o/token/", {"grant_type": "client_credentials", "scope": "read"}, {}),
    "token, refused": ("/o/token/", {"grant_type": "client_credentials", "scope": "everything"}, {}),
    "push": ("/o/par/", ASKED, {}),
    "push, refused": ("/o/par/", {**ASKED, "redirect_uri": f"{EVIL}/cb"}, {}),
    "device": ("/o/device_authorization/", {"scope": "read"}, {}),
    "device, refused": ("/o/device_authorization/", {"scope": "everything"}, {}),
    "introspection": ("/o/introspect/", {"token": "x"}, {}),
    "introspection by JWT": ("/o/introspect/", {"token": "x"}, {"Accept": JWT}),
    "introspection, refused": ("/o/introspect/", {}, {"Accept": JWT}),
    "revocation": ("/o/revoke_token/", {"token": "x"}, {}),
}


@pytest.fixture(scope="module")
def house():
    return House(OIDC_ENABLED=True)


@pytest.fixture(scope="module")
def party(house):
    grants = ("authorization_code", "client_credentials", *GRANTS)
    return house.client(allowed_origins=(PAGE,), grant_types=grants)


def sent(house, party, name, **headers):
    path, form, given = REQUESTS[name]
    form = {"client_id": party.client_id, **form}
    return house.door().post(path, form, {**party.auth, **given, **headers})


@pytest.mark.parametrize("name", REQUESTS)
def test_no_cache_keeps_an_answer(house, party, name):
    answer = sent(house, party, name)
    assert answer.status_code in ((400,) if "refused" in name else (200, 201)), answer.text
    assert "no-store" in answer.headers["Cache-Control"]


@pytest.mark.parametrize("origin", [PAGE, EVIL, "null"])
@pytest.mark.parametrize("name", REQUESTS)
def test_no_page_of_another_reads_an_answer(house, party, name, origin):
    headers = sent(house, party, name, Origin=origin).headers
    assert headers.get("Access-Control-Allow-Origin") in ((None, PAGE) if origin == PAGE else (None,))
    assert "Access-Control-Allow-Credentials" not in headers
    if "Access-Control-Allow-Origin" in headers:
        assert "Origin" in headers["Vary"]


@pytest.mark.parametrize("origin", [PAGE, EVIL])
@pytest.mark.parametrize("name", REQUESTS)
def test_a_preflight_promises_no_credentials(house, party, name, origin):
    asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    asked |= {"Access-Control-Request-Headers": "authorization, dpop"}
    headers = house.door().open(REQUESTS[name][0], method="OPTIONS", headers=asked).headers
    assert "Access-Control-Allow-Credentials" not in headers


@pytest.mark.parametrize("path", ["/o/userinfo/", "/resource"])
def test_a_challenge_is_kept_by_no_cache(path):
    """A nonce in it is fresh (RFC 9449 §8), and whose token it is nobody else's business."""
    house = House(OIDC_ENABLED=True, DPOP_NONCE_REQUIRED=True)
    party, prover, door = house.client(), Prover(lambda: house.clock.time), house.door()
    code, verifier = house.browser().code(party, scope="openid read")
    asked = door.redeem(party, code, verifier, headers={**party.auth, **prover.proof()})
    nonce = asked.headers["DPoP-Nonce"]
    assert "no-store" in asked.headers["Cache-Control"]
    headers = {**party.auth, **prover.proof(nonce=nonce)}
    token = door.redeem(party, code, verifier, headers=headers).json["access_token"]
    for given in (prover.at(path, token), bearer(token), prover.at(path, token, nonce=nonce)):
        answer = door.open(path, headers={**given, "Origin": EVIL})
        if "DPoP-Nonce" in answer.headers:
            assert "no-store" in answer.headers["Cache-Control"]
        assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize("mode", ["jwt", "query.jwt", "fragment.jwt", "form_post.jwt"])
def test_no_cache_keeps_a_signed_response(house, mode):
    answer = house.browser().consent_page(house.client(skip_authorization=True), response_mode=mode)
    assert answer.status_code in (200, 302)
    assert "no-store" in answer.headers["Cache-Control"]


def test_what_is_everybodys_may_be_cached_and_read(house):
    for path in ("/.well-known/openid-configuration", "/.well-known/jwks.json"):
        headers = house.door().open(f"/o{path}", headers={"Origin": EVIL}).headers
        assert headers["Access-Control-Allow-Origin"] == "*"
        assert "Access-Control-Allow-Credentials" not in headers
        assert "no-store" not in headers.get("Cache-Control", "")
