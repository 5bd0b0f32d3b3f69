"""S28: a token, a code, a session counts to the last bit and to the last character."""

from itertools import product

import pytest

from security.driving import error_of


def spoiled(value):
    """Return ways in which a value can be nearly right."""
    near = [
        value[:-1],
        value[1:],
        value[: len(value) // 2],
        value + "A",
        value + "=",
        value + value,
        "A" + value,
        value.lower(),
        value.upper(),
        value.swapcase(),
        value[::-1],
        value + "%00",
        value + ".",
        value.replace(value[3], "A" if value[3] != "A" else "B"),
    ]
    near += [flipped(value, position) for position in (0, len(value) // 2, len(value) - 2, len(value) - 1)]
    return [wrong for wrong in dict.fromkeys(near) if wrong != value]


def flipped(value, position):
    """Return the value with the lowest bit of one character turned over."""
    other = chr(ord(value[position]) ^ 1)
    return value[:position] + other + value[position + 1 :]


@pytest.fixture
def tokens(house, client):
    return house.tokens(client)


def test_there_are_enough_ways(tokens):
    assert len(spoiled(tokens["access_token"])) >= 15


def test_an_access_token_that_is_nearly_right(door, client, tokens):
    right = tokens["access_token"]
    for wrong in spoiled(right):
        assert not door.is_active(client, wrong), wrong
        assert door.resource(wrong).status_code in (400, 401), wrong
    assert door.is_active(client, right)
    assert door.resource(right).status_code == 200


def test_a_refresh_token_that_is_nearly_right(door, client, tokens):
    right = tokens["refresh_token"]
    for wrong in spoiled(right):
        assert error_of(door.refresh(client, wrong)) == "invalid_grant", wrong
        assert not door.is_active(client, wrong), wrong
        assert door.revoke(client, wrong).status_code == 200
    assert door.is_active(client, right)
    assert door.refresh(client, right).status_code == 200


def test_a_code_that_is_nearly_right(browser, door, client):
    right, verifier = browser.code(client)
    for wrong in spoiled(right):
        assert error_of(door.redeem(client, wrong, verifier)) == "invalid_grant", wrong
    assert door.redeem(client, right, verifier).status_code == 200


def test_a_client_secret_that_is_nearly_right(house, door):
    chosen = {"secret": "a secret that a person chose, long enough"}
    for fields, number in product(({}, chosen), range(len(spoiled("x" * 40)))):
        party = house.client(
            **fields
        )  # a new one each time: an address may fail with a client a few times only
        wrong = spoiled(party.secret)[number]
        response = door.token(client_id=party.client_id, client_secret=wrong, grant_type="client_credentials")
        assert error_of(response, 401) == "invalid_client", wrong
        assert door.token(party, grant_type="client_credentials").status_code == 200


def test_a_session_that_is_nearly_right(house, browser):
    assert browser.sign_in().status_code == 302
    cookies = dict(cookie.split("=", 1) for cookie in browser.cookies.split("; "))
    right = cookies["__Host-portula_session"]
    for wrong in spoiled(right):
        assert house.browser(f"__Host-portula_session={wrong}").get("/accounts/").status_code == 302, wrong
    assert house.browser(f"__Host-portula_session={right}").get("/accounts/").status_code == 200


def test_one_kind_of_value_is_not_another(house, browser, door, client, tokens):
    """Each is digested under a purpose of its own."""
    assert browser.sign_in().status_code == 302
    cookies = dict(cookie.split("=", 1) for cookie in browser.cookies.split("; "))
    session = cookies["__Host-portula_session"]
    code, verifier = browser.code(client)
    for value in (tokens["access_token"], tokens["refresh_token"], code):
        assert house.browser(f"__Host-portula_session={value}").get("/accounts/").status_code == 302
    assert not door.is_active(client, session)
    assert error_of(door.redeem(client, session, verifier)) == "invalid_grant"
