"""S23: what was given to one client is of no use to another, and outlives the attempt."""

import pytest

from security.driving import basic, error_of


@pytest.fixture(params=["confidential", "public"])
def thief(house, request):
    return house.client() if request.param == "confidential" else house.public_client()


@pytest.fixture(params=["confidential", "public"])
def owner(house, request):
    return house.client() if request.param == "confidential" else house.public_client()


@pytest.fixture
def watcher(house):
    """A confidential client that may ask about tokens."""
    return house.client()


def test_a_code_of_another_client(browser, door, owner, thief):
    code, verifier = browser.code(owner)
    assert error_of(door.redeem(thief, code, verifier)) == "invalid_grant"
    assert door.redeem(owner, code, verifier).status_code == 200


def test_a_refresh_token_of_another_client(house, door, owner, thief, watcher):
    tokens = house.tokens(owner)
    assert error_of(door.refresh(thief, tokens["refresh_token"])) == "invalid_grant"
    assert door.is_active(watcher, tokens["access_token"])
    assert door.refresh(owner, tokens["refresh_token"]).status_code == 200


def test_a_superseded_refresh_token_of_another_client_ends_nothing(house, door, owner, thief, watcher):
    first = house.tokens(owner)
    second = door.refresh(owner, first["refresh_token"]).json
    assert error_of(door.refresh(thief, first["refresh_token"])) == "invalid_grant"
    assert door.is_active(watcher, second["access_token"])
    assert door.refresh(owner, second["refresh_token"]).status_code == 200


def test_naming_the_owner_in_the_body_does_not_help(house, browser, door):
    owner, thief = house.client(), house.client()
    code, verifier = browser.code(owner)
    response = door.redeem(thief, code, verifier, client_id=owner.client_id)
    assert error_of(response, 401) == "invalid_client"
    response = door.redeem(owner, code, verifier, headers=basic(owner.client_id, thief.secret))
    assert error_of(response, 401) == "invalid_client"
    assert door.redeem(owner, code, verifier).status_code == 200


def test_a_public_client_cannot_pass_for_a_confidential_one(house, browser, door):
    owner = house.client()
    code, verifier = browser.code(owner)
    response = door.token(
        grant_type="authorization_code",
        code=code,
        code_verifier=verifier,
        redirect_uri=owner.redirect_uri,
        client_id=owner.client_id,
    )
    assert error_of(response, 401) == "invalid_client"
    assert door.redeem(owner, code, verifier).status_code == 200


def test_tokens_are_no_codes_and_codes_are_no_tokens(house, browser, door, client):
    tokens = house.tokens(client)
    code, verifier = browser.code(client)
    access, refresh = tokens["access_token"], tokens["refresh_token"]
    for wrong in (access, refresh):
        assert error_of(door.redeem(client, wrong, verifier)) == "invalid_grant"
    for wrong in (access, code):
        assert error_of(door.refresh(client, wrong)) == "invalid_grant"
    for wrong in (refresh, code):
        assert door.resource(wrong).status_code == 401
    assert not door.is_active(client, code)
    assert door.redeem(client, code, verifier).status_code == 200
    assert door.refresh(client, refresh).status_code == 200
