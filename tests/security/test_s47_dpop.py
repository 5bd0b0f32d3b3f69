"""S47: nothing here binds a token to a key, so nothing pretends to: no proof is promised, believed or rewarded.

A resource server that asks another provider refuses a token that is bound to a key and comes as a bearer's.
"""

import json

import httpx
import pytest

from portula import hookimpl
from portula_resource_server.remote import RemoteVerifier
from portula_resource_server.settings import ResourceServerSettings
from portula_testing import jws
from security.driving import basic
from security.house import House

KEY = jws.TokenKey("ES256")


@pytest.fixture(scope="module")
def house():
    """A house in which OpenID Connect is on."""
    return House(OIDC_ENABLED=True)


def proof(house, **claims):
    asked = {"htm": "POST", "htu": "https://id.example/o/token/", "iat": house.clock.time, "jti": "1"}
    return KEY.sign({**asked, **claims}, typ="dpop+jwt", jwk=KEY.jwk, kid=None)


def test_no_proof_is_promised(door):
    for name in ("oauth-authorization-server", "openid-configuration"):
        document = door.open(f"/o/.well-known/{name}").json
        assert not [member for member in document if "dpop" in member]
        assert "tls_client_certificate_bound_access_tokens" not in document


def test_a_proof_makes_no_token_that_claims_to_be_bound(house, door, client):
    headers = {**basic(client.client_id, client.secret), "DPoP": proof(house)}
    answer = door.token(client, headers, grant_type="client_credentials", scope="read")
    assert answer.json["token_type"] == "Bearer"
    told = door.introspect(client, answer.json["access_token"]).json
    assert told["token_type"] == "Bearer"
    assert "cnf" not in told


@pytest.mark.parametrize("path", ["/o/userinfo/", "/resource"])
def test_the_scheme_of_bound_tokens_is_no_bearers(house, door, client, path):
    token = house.tokens(client, scope="openid read")["access_token"]
    assert door.open(path, headers={"Authorization": f"Bearer {token}"}).status_code == 200
    for scheme in ("DPoP", "dpop", "DPOP"):
        headers = {"Authorization": f"{scheme} {token}", "DPoP": proof(house, htm="GET")}
        answer = door.open(path, headers=headers)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer ")


@pytest.mark.parametrize(
    "bound",
    [
        {"token_type": "DPoP"},
        {"token_type": "dpop", "cnf": {"jkt": "x"}},
        {"cnf": {"jkt": "x"}},
        {"token_type": "Bearer", "cnf": {"x5t#S256": "x"}},
        {"token_type": "N_A"},
    ],
    ids=["type", "type and key", "key", "certificate", "no type"],
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
