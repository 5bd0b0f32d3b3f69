"""S47: a proof that is moved, replayed, made ahead, reordered or stripped proves nothing; nor does a bound token alone.

The rules one by one are tested where they stand, beside the plugin; here is what somebody does who has a token, or a
proof, of another.
"""

import json

import httpx
import pytest
from support.proofs import Prover

from portula import hookimpl
from portula_resource_server.remote import RemoteVerifier
from portula_resource_server.settings import ResourceServerSettings
from portula_testing import jws
from security.driving import bearer, error_of
from security.house import House

FORM = {"grant_type": "client_credentials", "scope": "read"}
RESOURCES = ("/o/userinfo/", "/resource")


@pytest.fixture(scope="module")
def house():
    """A house in which OpenID Connect is on."""
    return House(OIDC_ENABLED=True)


@pytest.fixture
def victim(house):
    return Prover(lambda: house.clock.time)


@pytest.fixture
def thief(house):
    return Prover(lambda: house.clock.time)


@pytest.fixture
def stolen(house, client, victim):
    """A bound token of the victim's."""
    code, verifier = house.browser().code(client, scope="openid read")
    headers = {**client.auth, **victim.proof()}
    return house.door().redeem(client, code, verifier, headers=headers).json["access_token"]


def errors(answer):
    assert "error=" in answer.headers["WWW-Authenticate"]
    return answer.status_code, answer.json["error"]


def test_a_stolen_token_is_of_no_use_by_itself(door, stolen, thief):
    for path in RESOURCES:
        assert errors(door.open(path, headers=bearer(stolen))) == (401, "invalid_token")
        stripped = {"Authorization": f"DPoP {stolen}"}
        assert errors(door.open(path, headers=stripped)) == (401, "invalid_dpop_proof")
        assert errors(door.open(path, headers=thief.at(path, stolen))) == (401, "invalid_token")
    for sent in (
        {"query_string": {"access_token": stolen}},
        {"method": "POST", "data": {"access_token": stolen}},
    ):
        assert door.open("/o/userinfo/", **sent).status_code == 401


def test_a_proof_that_was_seen_is_of_no_use_elsewhere(door, client, stolen, victim):
    seen = {path: victim.at(path, stolen) for path in RESOURCES}
    for path, other in (RESOURCES, RESOURCES[::-1]):
        assert errors(door.open(path, headers=seen[other])) == (401, "invalid_dpop_proof")
    posted = victim.at("/o/userinfo/", stolen)
    assert errors(door.open("/o/userinfo/", method="POST", headers=posted)) == (401, "invalid_dpop_proof")
    at_token = {**client.auth, "DPoP": victim.at("/o/token/", stolen, method="POST")["DPoP"]}
    assert (
        door.token(client, at_token, **FORM).status_code == 200
    )  # it is the victim's own, by method and URL


def test_a_proof_of_one_token_is_none_of_another(house, door, client, stolen, victim):
    headers = {**client.auth, **victim.proof()}
    another = door.token(client, headers, **FORM).json["access_token"]
    mixed = {**victim.at("/resource", stolen), "Authorization": f"DPoP {another}"}
    assert errors(door.open("/resource", headers=mixed)) == (401, "invalid_dpop_proof")


def test_proofs_out_of_order_count_once_each(door, stolen, victim):
    headers = [victim.at("/resource", stolen) for _ in range(3)]
    for sent, status in ((2, 200), (0, 200), (2, 401), (1, 200), (0, 401)):
        assert door.open("/resource", headers=headers[sent]).status_code == status


def test_proofs_made_ahead_do_not_count_later(house, door, client):
    fresh = House(DPOP_NONCE_REQUIRED=True)
    party, prover = fresh.client(), Prover(lambda: fresh.clock.time)
    ahead = prover.proof(iat=fresh.clock.time + 3600)
    fresh.clock.forward(3600)
    assert error_of(fresh.door().token(party, {**party.auth, **ahead}, **FORM)) == "use_dpop_nonce"
    ahead = Prover(lambda: house.clock.time).proof(iat=house.clock.time + 3600)
    assert error_of(door.token(client, {**client.auth, **ahead}, **FORM)) == "invalid_dpop_proof"


def test_a_key_is_not_another_kind_of_key(house, door, client):
    p384, rsa = jws.TokenKey("ES384"), jws.TokenKey("RS256")
    claims = {"htm": "POST", "htu": "https://id.example/o/token/", "iat": house.clock.time, "jti": "1"}
    secret = json.dumps(rsa.jwk, separators=(",", ":")).encode()
    for proof in (
        p384.sign(claims, typ="dpop+jwt", jwk=p384.jwk, alg="ES256"),
        p384.sign(claims, typ="dpop+jwt", jwk=p384.jwk),
        jws.signed_with_secret(secret, claims, typ="dpop+jwt", jwk=rsa.jwk),
        jws.unsigned_token(claims, typ="dpop+jwt", jwk=rsa.jwk),
        rsa.sign(claims, typ="dpop+jwt", jwk={**rsa.jwk, "d": "AAAA"}),
        rsa.sign(claims, typ="dpop+jwt", jwk=None, x5c=["AAAA"], jku="https://evil.example/keys"),
    ):
        headers = {**client.auth, "DPoP": proof}
        assert error_of(door.token(client, headers, **FORM)) == "invalid_dpop_proof"


def test_the_key_is_the_same_from_request_to_refresh(house, door, public, victim, thief):
    code, verifier = house.browser().code(public, dpop_jkt=victim.thumbprint)
    for proof in ({}, thief.proof()):
        assert error_of(door.redeem(public, code, verifier, headers=proof)) == "invalid_grant"
    tokens = door.redeem(public, code, verifier, headers=victim.proof()).json
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    for proof in ({}, thief.proof()):  # no bearer's token comes of it
        assert error_of(door.token(public, proof, **form)) == "invalid_grant"
    assert door.token(public, victim.proof(), **form).json["token_type"] == "DPoP"


def test_a_proof_is_no_client_s_assertion_and_no_token(house, door, client, victim):
    proof = victim.proof()["DPoP"]
    form = {
        "client_assertion": proof,
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    }
    assert error_of(door.token(None, **FORM, **form), 401) == "invalid_client"
    assert door.open("/resource", headers={**victim.at("/resource", proof)}).status_code == 401


@pytest.mark.parametrize("size", [10_000, 200_000])
def test_a_huge_proof_is_refused(door, client, victim, size):
    proof = victim.proof(more="x" * size)["DPoP"]
    answer = door.token(client, {**client.auth, "DPoP": proof}, **FORM)
    assert answer.status_code in (200, 400)
    assert size < 100_000 or error_of(answer) == "invalid_dpop_proof"


# --- A resource server that asks another provider ---


@pytest.mark.parametrize(
    "bound",
    [
        {"token_type": "DPoP"},
        {"token_type": "dpop", "cnf": {"jkt": "x"}},
        {"cnf": {"jkt": "x"}},
        {"token_type": "Bearer", "cnf": {"x5t#S256": "x"}},
        {"token_type": "Bearer", "cnf": {"kid": "x"}},
        {"token_type": "N_A"},
    ],
    ids=["type", "type and key", "key", "certificate", "what nobody proves", "no type"],
)
def test_a_token_that_another_provider_bound_is_refused_as_a_bearers(bound):
    told = {"active": True, "scope": "read", "client_id": "app", "exp": 2_000_000_000, **bound}
    body = httpx.ByteStream(json.dumps(told).encode())
    transport = httpx.MockTransport(lambda _request: httpx.Response(200, stream=body))
    settings = ResourceServerSettings(
        RESOURCE_SERVER_INTROSPECTION_URL="https://other.example/introspect",
        RESOURCE_SERVER_AUTH_TOKEN="x",
    )
    with httpx.Client(transport=transport) as http:
        verifier = RemoteVerifier(http, settings, lambda: 1_700_000_000)
        remote = type("Remote", (), {"portula_token_verifier": hookimpl(lambda self, provider: verifier)})()
        house = House(remote, PLUGINS_CHOICE={"token_verifier": "Remote"})
        answer = house.door().resource("token")
    assert (answer.status_code, answer.json["error"]) == (401, "invalid_token")
