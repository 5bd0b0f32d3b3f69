"""S53: a client that proves nothing gets nothing for itself and learns nothing of tokens."""

import pytest

from portula.errors import InvalidClientMetadata
from portula.plugin import Application
from portula_testing.writing import change_in
from security.driving import basic, bearer, error_of


def test_a_public_client_cannot_be_registered_for_client_credentials(house):
    with pytest.raises(InvalidClientMetadata):
        house.public_client(grant_types=("client_credentials",), redirect_uris=())


def test_a_public_client_has_no_secret(house):
    with pytest.raises(InvalidClientMetadata):
        house.public_client(secret="a secret that nobody could keep, long enough")
    assert house.public_client().secret is None


def test_a_public_client_that_got_the_grant_all_the_same_cannot_use_it(house, door, public):
    """By an older version, or by a hand in the database."""
    forced = {"grant_types": ("authorization_code", "client_credentials")}
    change_in(house.provider.storage, Application, {"client_id": public.client_id}, **forced)
    assert error_of(door.token(public, grant_type="client_credentials")) == "unauthorized_client"


def test_a_client_made_public_cannot_go_on_with_its_secret(house, door, client):
    forced = {"client_type": "public"}
    assert door.token(client, grant_type="client_credentials").status_code == 200
    change_in(house.provider.storage, Application, {"client_id": client.client_id}, **forced)
    response = door.token(client, grant_type="client_credentials")
    assert response.status_code in (400, 401)
    assert error_of(response, response.status_code) in ("unauthorized_client", "invalid_client")


def test_a_public_client_does_not_ask_about_tokens(house, door, client, public):
    for token in (house.tokens(client)["access_token"], house.tokens(public)["access_token"], "unknown"):
        for headers, body in [
            ({}, {"token": token}),
            ({}, {"token": token, "client_id": public.client_id}),
            (basic(public.client_id, ""), {"token": token}),
            ({}, {"token": token, "client_id": client.client_id}),
        ]:
            assert error_of(door.post("/o/introspect/", body, headers), 401) == "invalid_client"


def test_a_token_of_a_public_client_does_not_let_it_ask(house, door, public):
    token = house.tokens(public, scope="read introspection")["access_token"]
    response = door.post("/o/introspect/", {"token": token}, bearer(token))
    assert error_of(response, 403) == "insufficient_scope"


def test_a_token_without_the_scope_does_not_let_one_ask(house, door, client):
    token = house.tokens(client)["access_token"]
    response = door.post("/o/introspect/", {"token": token}, bearer(token))
    assert error_of(response, 403) == "insufficient_scope"
    assert error_of(door.post("/o/introspect/", {"token": token}, bearer("unknown")), 401) == "invalid_token"


def test_a_confidential_client_cannot_do_as_if_it_were_public(house, browser, door, client):
    code, verifier = browser.code(client)
    refresh = house.tokens(client)["refresh_token"]
    for asked in (
        {"grant_type": "authorization_code", "code": code, "code_verifier": verifier},
        {"grant_type": "refresh_token", "refresh_token": refresh},
        {"grant_type": "client_credentials"},
    ):
        response = door.token(client_id=client.client_id, redirect_uri=client.redirect_uri, **asked)
        assert error_of(response, 401) == "invalid_client"


@pytest.mark.parametrize(
    "grant_type", ["password", "urn:ietf:params:oauth:grant-type:token-exchange", "implicit"]
)
def test_other_grants_are_not_there_by_default(door, public, grant_type):
    assert error_of(door.token(public, grant_type=grant_type)) == "unsupported_grant_type"


def test_a_public_client_is_known_by_its_id_in_either_place(house, browser, door, public):
    for headers, body in [({}, {"client_id": public.client_id}), (basic(public.client_id, ""), {})]:
        code, verifier = browser.code(public)
        asked = {"grant_type": "authorization_code", "code": code, "code_verifier": verifier, **body}
        response = door.post("/o/token/", {**asked, "redirect_uri": public.redirect_uri}, headers)
        assert response.status_code == 200


def test_a_public_client_that_sends_a_secret_is_refused(door, public):
    response = door.token(
        client_id=public.client_id, client_secret="x", grant_type="refresh_token", refresh_token="x"
    )
    assert error_of(response, 401) == "invalid_client"
