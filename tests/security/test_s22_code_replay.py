"""S22: a code that comes twice ends all that grew from it; but only its own client can cause that."""

import pytest

from portula import hookimpl
from portula.plugin import Grant
from security.driving import error_of


@pytest.fixture
def redeemed(browser, door, client):
    """A redeemed code, its verifier, and the tokens."""
    code, verifier = browser.code(client)
    response = door.redeem(client, code, verifier)
    assert response.status_code == 200
    return code, verifier, response.json


def alive(door, client, tokens):
    """Say which of the tokens live: (access, refresh)."""
    access, refresh = tokens["access_token"], tokens["refresh_token"]
    return door.is_active(client, access), door.is_active(client, refresh)


def test_the_second_redemption_revokes_what_the_first_one_gave(door, client, redeemed):
    code, verifier, tokens = redeemed
    assert alive(door, client, tokens) == (True, True)
    assert error_of(door.redeem(client, code, verifier)) == "invalid_grant"
    assert alive(door, client, tokens) == (False, False)
    assert door.resource(tokens["access_token"]).status_code == 401
    assert error_of(door.refresh(client, tokens["refresh_token"])) == "invalid_grant"


def test_it_revokes_later_generations_too(door, client, redeemed):
    code, verifier, tokens = redeemed
    second = door.refresh(client, tokens["refresh_token"]).json
    third = door.refresh(client, second["refresh_token"]).json
    assert error_of(door.redeem(client, code, verifier)) == "invalid_grant"
    assert alive(door, client, third) == (False, False)
    assert error_of(door.refresh(client, third["refresh_token"])) == "invalid_grant"


@pytest.mark.parametrize("cleans", [False, True])
def test_it_revokes_after_the_code_has_expired(house, door, client, redeemed, cleans):
    code, verifier, tokens = redeemed
    house.clock.forward(3600)
    if (
        cleans
    ):  # a code goes when the access token does that was issued for it, and one that nobody used before
        house.browser().code(client)
        house.clock.forward(3600)
        assert house.provider.storage.purge(Grant, now=house.provider.now(), limit=100) >= 1
    assert error_of(door.redeem(client, code, verifier)) == "invalid_grant"
    assert alive(door, client, tokens) == (False, False)


def test_it_leaves_other_authorizations_alone(house, door, client, redeemed):
    code, verifier, _ = redeemed
    other = house.tokens(client)
    assert error_of(door.redeem(client, code, verifier)) == "invalid_grant"
    assert alive(door, client, other) == (True, True)


def test_another_client_cannot_revoke_with_a_code_it_found(house, door, client, redeemed):
    code, verifier, tokens = redeemed
    for thief in (house.client(), house.public_client()):
        response = door.redeem(thief, code, verifier)
        assert error_of(response) == "invalid_grant"
    assert alive(door, client, tokens) == (True, True)


def test_nobody_can_revoke_without_the_clients_secret(door, client, redeemed):
    code, verifier, tokens = redeemed
    asked = {"grant_type": "authorization_code", "code": code, "code_verifier": verifier}
    response = door.token(client_id=client.client_id, redirect_uri=client.redirect_uri, **asked)
    assert error_of(response, 401) == "invalid_client"
    response = door.token(client_id=client.client_id, client_secret="wrong", **asked)
    assert error_of(response, 401) == "invalid_client"
    assert alive(door, client, tokens) == (True, True)


def test_the_listeners_hear_of_it(make_house, kind):
    heard = []

    class Listener:
        @hookimpl
        def portula_code_replayed(self, event):
            heard.append(event)

    house = make_house(Listener())
    client, door = house.client(), house.door(kind)
    code, verifier = house.browser().code(client)
    assert door.redeem(client, code, verifier).status_code == 200
    assert heard == []
    assert door.redeem(client, code, verifier).status_code == 400
    assert [(event.client_id, event.subject) for event in heard] == [(client.client_id, house.ann.sub)]
    assert code not in repr(heard)
