"""S29: a token is of use where it is for, and nowhere else; whoever holds it, however it is made.

Rooms: resource_indicators, jwt_access_tokens, dpop, rar, jwt_introspection. Zitadel CVE-2026-55669.
"""

import json

import pytest
from support import details
from support.elsewhere import Elsewhere
from support.proofs import Prover

from portula_testing import jws
from security.driving import ISSUER, bearer, error_of
from security.house import House

API, FILES = "https://api.example", "https://files.example"
JWT = "application/token-introspection+jwt"


@pytest.fixture(scope="module")
def house():
    made = House(
        OIDC_ENABLED=True,
        PROTECTED_RESOURCES={API: {"client_id": "api"}, FILES: {"client_id": "files"}, ISSUER: {}},
        AUTHORIZATION_DETAILS_TYPES=details.TYPES,
        RESOURCE_SERVER_AUDIENCES=[ISSUER],
    )
    made.api, made.files = (made.client(client_id=name) for name in ("api", "files"))
    return made


@pytest.fixture(params=["opaque", "JWT"])
def party(house, request):
    metadata = {
        "jwt_access_token": request.param == "JWT",
        "authorization_details_types": list(details.TYPES),
    }
    return house.client(metadata=metadata, scope="openid read introspection")


def token_for(house, party, *resources, headers=None, **more):
    scope = "openid read introspection"
    code, verifier = house.browser().code(party, scope=scope, resource=list(resources), **more)
    answer = house.door().redeem(party, code, verifier, headers={**party.auth, **(headers or {})})
    assert answer.status_code == 200, answer.text
    return answer.json


def test_a_token_for_another_server_opens_nothing_here(house, party):
    """Userinfo, introspection and a view; the same token for this server opens all of them."""
    for resource, status in ((API, 401), (ISSUER, 200)):
        token = bearer(token_for(house, party, resource)["access_token"])
        door = house.door()
        for answer in (
            door.open("/o/userinfo/", headers=token),
            door.open("/o/userinfo/", method="POST", headers=token),
            door.post("/o/introspect/", {"token": "x"}, token),
            door.open("/resource", headers=token),
        ):
            assert answer.status_code == status, answer.text
            assert status == 200 or answer.json["error"] == "invalid_token"


def test_a_bound_token_for_another_server_opens_nothing_here(house, party):
    prover = Prover(lambda: house.clock.time)
    token = token_for(house, party, API, headers=prover.proof())["access_token"]
    for path in ("/o/userinfo/", "/resource"):
        answer = house.door().open(path, headers=prover.at(path, token))
        assert (answer.status_code, answer.json["error"]) == (401, "invalid_token")


def told(house, caller, token, form):
    answer = house.door().post("/o/introspect/", {"token": token}, {**caller.auth, "Accept": form})
    assert answer.status_code == 200, answer.text
    if form == "application/json":
        return answer.json
    claims = jws.taken_apart(answer.text)[1]
    assert claims["aud"] == caller.client_id
    return claims["token_introspection"]


@pytest.mark.parametrize("form", ["application/json", JWT])
def test_a_token_is_told_to_whom_it_is_for(house, party, form):
    token = token_for(house, party, API)["access_token"]
    assert told(house, house.api, token, form)["aud"] in (API, [API])
    assert told(house, house.files, token, form) == {"active": False}


@pytest.mark.parametrize("form", ["application/json", JWT])
def test_details_are_told_to_whom_they_are_for(house, party, form):
    """RFC 9396 §9.2, of a token that is for two."""
    named = json.dumps([details.PAYMENT, {**details.ACCOUNTS, "locations": [FILES]}])
    token = token_for(house, party, API, FILES, authorization_details=named)["access_token"]
    (seen,) = told(house, house.files, token, form)["authorization_details"]
    assert seen["type"] == "account_information"
    assert told(house, house.api, token, form)["authorization_details"] == []


@pytest.mark.parametrize("resource", [FILES, [API, FILES], "https://evil.example", f"{API}/more"])
def test_no_refresh_makes_a_token_for_more(house, party, resource):
    refresh = token_for(house, party, API)["refresh_token"]
    door = house.door()
    assert error_of(door.refresh(party, refresh, resource=resource)) == "invalid_target"
    assert door.refresh(party, refresh, resource=API).status_code == 200


def test_a_jwt_for_one_server_opens_no_other_elsewhere(house):
    party = house.client(metadata={"jwt_access_token": True})
    servers = {name: Elsewhere(house=house, RESOURCE_SERVER_AUDIENCES=[name]) for name in (API, FILES)}
    for resource in servers:
        token = token_for(house, party, resource)["access_token"]
        assert jws.taken_apart(token)[1]["aud"] in (resource, [resource])
        for name, server in servers.items():
            assert server.status(token) == (200 if name == resource else 401)


def test_an_id_token_is_no_access_token_for_its_audience(house):
    """Its audience is the client: a server of that name takes it for nothing, nor does the provider."""
    party = house.client(metadata={"jwt_access_token": True})
    id_token = token_for(house, party, ISSUER)["id_token"]
    assert jws.taken_apart(id_token)[1]["aud"] in (party.client_id, [party.client_id])
    server = Elsewhere(house=house, RESOURCE_SERVER_AUDIENCES=[party.client_id])
    assert server.status(id_token) == 401
    for path in ("/o/userinfo/", "/resource"):
        assert house.door().open(path, headers=bearer(id_token)).status_code == 401
