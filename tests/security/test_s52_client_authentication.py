"""S52: one way of authenticating, the registered one, and a 401 that says how (RFC 6749 §2.3 and §5.2)."""

import base64
from dataclasses import replace

import pytest

from portula_testing.jws import TokenKey
from security.driving import basic, error_of

KEY = TokenKey("ES256")
GRANT = {"grant_type": "client_credentials"}
PATHS = ["/o/token/", "/o/revoke_token/", "/o/introspect/"]
BODY = {**GRANT, "token": "t"}

paths = pytest.mark.parametrize("path", PATHS)


def by_body(party, secret=None):
    return {**BODY, "client_id": party.client_id, "client_secret": secret or party.secret}


def is_refused(response):
    """Say whether it is the 401 that names the scheme."""
    challenge = response.headers.get("WWW-Authenticate", "")
    return error_of(response, 401) == "invalid_client" and challenge.startswith("Basic realm=")


@paths
def test_each_way_alone_passes(door, client, path):
    assert door.post(path, BODY, client.auth).status_code == 200
    assert door.post(path, by_body(client)).status_code == 200


@paths
def test_both_ways_at_once_are_refused_even_when_both_are_right(house, door, client, path):
    other = house.client()
    for headers, body in [
        (client.auth, by_body(client)),
        (client.auth, by_body(client, "wrong")),
        (basic(client.client_id, "wrong"), by_body(client)),
        (client.auth, by_body(other)),
        (basic("nobody", "x"), by_body(client)),
        ({"Authorization": "Basic rubbish"}, by_body(client)),
        (basic(other.client_id, ""), by_body(client)),
        (basic(client.client_id, ""), by_body(client)),
    ]:
        response = door.post(path, body, headers)
        assert response.status_code in (400, 401), (headers, body)
        assert error_of(response, response.status_code) in ("invalid_request", "invalid_client")


@paths
def test_two_right_ways_at_once_are_an_invalid_request(door, client, path):
    assert error_of(door.post(path, by_body(client), client.auth)) == "invalid_request"


@paths
def test_the_id_in_the_body_must_be_that_of_the_header(house, door, client, path):
    same = {**BODY, "client_id": client.client_id}
    assert door.post(path, same, client.auth).status_code == 200
    for other in (house.client().client_id, "nobody", client.client_id.swapcase()):
        assert is_refused(door.post(path, {**BODY, "client_id": other}, client.auth))


@paths
@pytest.mark.parametrize(
    ("method", "works"),
    [
        ("client_secret_basic", "basic"),
        ("client_secret_post", "post"),
        ("none", None),
        ("private_key_jwt", None),
        ("tls_client_auth", None),
    ],
)
def test_a_way_that_is_not_registered_is_refused(house, door, path, method, works):
    keys = {"jwks": {"keys": [KEY.jwk]}} if method == "private_key_jwt" else {}
    client = house.client(token_endpoint_auth_method=method, metadata=keys)
    for name, response in [
        ("basic", door.post(path, BODY, client.auth)),
        ("post", door.post(path, by_body(client))),
    ]:
        assert response.status_code == 200 if name == works else is_refused(response)
    assert is_refused(door.post(path, {**BODY, "client_id": client.client_id}))


@paths
def test_wrong_missing_and_malformed_credentials_are_401(door, client, path):
    raw = base64.b64encode(client.client_id.encode()).decode()
    for headers, body in [
        ({}, BODY),
        ({}, {**BODY, "client_id": client.client_id}),
        ({}, by_body(client, "wrong")),
        (basic(client.client_id, "wrong"), BODY),
        (basic(client.client_id, ""), BODY),
        (basic("", client.secret), BODY),
        (basic(client.client_id.upper(), client.secret), BODY),
        (basic(f" {client.client_id}", client.secret), BODY),
        (basic(client.secret, client.client_id), BODY),
        ({"Authorization": f"Basic {raw}"}, BODY),
        ({"Authorization": "Digest username=x"}, BODY),
        ({"Authorization": f"Basic {client.client_id}:{client.secret}"}, BODY),
    ]:
        assert is_refused(door.post(path, body, headers)), (headers, body)


def test_a_secret_is_taken_form_encoded_and_as_it_is(house, door):
    """RFC 6749 §2.3.1 has both parts form-encoded first; many clients send them as they are."""
    chosen = "a secret: with % and + and spaces, long"
    party = house.client(secret=chosen)
    raw = base64.b64encode(f"{party.client_id}:{chosen}".encode()).decode()
    assert door.post("/o/token/", GRANT, basic(party.client_id, chosen)).status_code == 200
    assert door.post("/o/token/", GRANT, {"Authorization": f"Basic {raw}"}).status_code == 200
    assert door.post("/o/token/", GRANT, {"Authorization": f"basic {raw}"}).status_code == 200


def test_each_of_two_live_secrets_passes_and_a_removed_one_does_not(house, door, client):
    other = house.client()
    records = [house.find(party) for party in (client, other)]
    both = records[0].secret_hashes + records[1].secret_hashes
    saved = house.provider.clients.save(replace(records[0], secret_hashes=both))
    new = basic(client.client_id, other.secret)
    assert door.post("/o/token/", GRANT, client.auth).status_code == 200
    assert door.post("/o/token/", GRANT, new).status_code == 200
    house.provider.clients.save(replace(saved, secret_hashes=records[1].secret_hashes))
    assert is_refused(door.post("/o/token/", GRANT, client.auth))
    assert door.post("/o/token/", GRANT, new).status_code == 200
