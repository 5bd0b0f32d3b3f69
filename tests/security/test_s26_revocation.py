"""S26: what a client gives back is gone at once, all that hangs on it too; what is not its own stays (RFC 7009)."""

import pytest
from security.driving import basic, error_of


@pytest.fixture
def tokens(house, client):
    return house.tokens(client)


@pytest.fixture
def alive(door, client, tokens):
    """Return a function that says which of the two tokens live."""
    return lambda: tuple(door.is_active(client, tokens[name]) for name in ("access_token", "refresh_token"))


HINTS = [{}, {"token_type_hint": "access_token"}, {"token_type_hint": "refresh_token"}, {"token_type_hint": "magic"}]
hints = pytest.mark.parametrize("hint", HINTS, ids=lambda hint: next(iter(hint.values()), "no hint"))


@hints
def test_an_access_token_goes_alone(door, client, tokens, alive, hint):
    response = door.revoke(client, tokens["access_token"], **hint)
    assert (response.status_code, response.data) == (200, b"")
    assert response.headers["Cache-Control"] == "no-store"
    assert alive() == (False, True)
    assert door.resource(tokens["access_token"]).status_code == 401
    assert door.refresh(client, tokens["refresh_token"]).status_code == 200


@hints
def test_a_refresh_token_takes_its_access_tokens_along(door, client, tokens, alive, hint):
    assert door.resource(tokens["access_token"]).status_code == 200
    assert door.revoke(client, tokens["refresh_token"], **hint).status_code == 200
    assert alive() == (False, False)
    assert door.resource(tokens["access_token"]).status_code == 401
    assert error_of(door.refresh(client, tokens["refresh_token"])) == "invalid_grant"


def test_a_superseded_refresh_token_takes_the_living_generation_along(door, client, tokens):
    second = door.refresh(client, tokens["refresh_token"]).json
    assert door.revoke(client, tokens["refresh_token"]).status_code == 200
    assert not door.is_active(client, second["access_token"])
    assert error_of(door.refresh(client, second["refresh_token"])) == "invalid_grant"


@hints
@pytest.mark.parametrize("which", ["access_token", "refresh_token"])
@pytest.mark.parametrize("type_of_other", ["confidential", "public"])
def test_another_clients_token_is_answered_200_and_stays(house, door, tokens, alive, hint, which, type_of_other):
    other = house.client() if type_of_other == "confidential" else house.public_client()
    response = door.revoke(other, tokens[which], **hint)
    assert (response.status_code, response.data) == (200, b"")
    assert alive() == (True, True)


@pytest.mark.parametrize("token", ["unknown", "A" * 43, "A" * 10_240, "é"], ids=lambda token: ascii(token)[:20])
def test_an_unknown_token_is_answered_like_a_known_one(door, client, alive, token):
    response = door.revoke(client, token)
    assert (response.status_code, response.data) == (200, b"")
    assert alive() == (True, True)


def test_revoking_twice_is_no_error(door, client, tokens):
    for _ in range(2):
        assert door.revoke(client, tokens["refresh_token"]).status_code == 200


def test_nobody_revokes_without_being_the_client(door, client, tokens, alive):
    form = {"token": tokens["refresh_token"]}
    for headers, body in [
        ({}, form),
        ({}, {**form, "client_id": client.client_id}),
        ({}, {**form, "client_id": client.client_id, "client_secret": "wrong"}),
        (basic(client.client_id, "wrong"), form),
        ({"Authorization": f"Bearer {tokens['access_token']}"}, form),
    ]:
        response = door.post("/o/revoke_token/", body, headers)
        assert error_of(response, 401) == "invalid_client"
        assert "Basic" in response.headers["WWW-Authenticate"]
    assert alive() == (True, True)


def test_a_missing_token_is_an_invalid_request(door, client):
    assert error_of(door.post("/o/revoke_token/", {"token_type_hint": "x"}, client.auth)) == "invalid_request"


def test_a_public_client_gives_back_what_is_its_own(house, door, client):
    public = house.public_client()
    tokens = house.tokens(public)
    assert door.revoke(public, tokens["refresh_token"]).status_code == 200
    assert not door.is_active(client, tokens["access_token"])


def test_the_revocation_of_one_authorization_leaves_the_other(house, door, client, tokens, alive):
    other = house.tokens(client)
    assert door.revoke(client, other["refresh_token"]).status_code == 200
    assert alive() == (True, True)
