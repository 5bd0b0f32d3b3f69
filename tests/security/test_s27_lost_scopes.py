"""S27: a client that has lost a scope gets no further tokens with it (RFC 7591 §2, RFC 6749 §3.3)."""

import pytest

from security.driving import error_of


@pytest.fixture
def client(house):
    return house.client(scope="read write")


def test_a_refresh_leaves_out_what_the_client_has_lost(house, door, client):
    first = house.tokens(client, scope="read write")
    house.change(client, scope="read")
    second = door.refresh(client, first["refresh_token"]).json
    assert second["scope"] == "read"
    assert error_of(door.refresh(client, second["refresh_token"], scope="write")) == "invalid_scope"
    house.change(client, scope="read write")
    assert door.refresh(client, second["refresh_token"]).json["scope"] == "read write"


def test_one_that_has_lost_all_of_them_is_told_so(house, door, client):
    first = house.tokens(client, scope="write")
    house.change(client, scope="read")
    assert error_of(door.refresh(client, first["refresh_token"])) == "invalid_scope"


def test_so_does_a_code_that_was_sent_before(house, browser, door, client):
    code, verifier = browser.code(client, scope="read write")
    house.change(client, scope="read")
    assert door.redeem(client, code, verifier).json["scope"] == "read"
    code, verifier = browser.code(client, scope="read")
    house.change(client, scope="write")
    assert error_of(door.redeem(client, code, verifier)) == "invalid_scope"
