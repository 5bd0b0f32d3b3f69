"""S24: a code is redeemed with the redirect URI it was sent to, if the request named one (RFC 6749 §4.1.3)."""

import pytest

from security.driving import CALLBACK, answered, error_of
from security.house import House

OTHER = "https://client.example/other"


@pytest.fixture
def two(house):
    """A client with two redirect URIs."""
    return house.client(redirect_uris=(CALLBACK, OTHER))


@pytest.mark.parametrize(
    "presented",
    [
        None,
        "",
        OTHER,
        f"{CALLBACK}/",
        f"{CALLBACK}?",
        CALLBACK.upper(),
        f"{CALLBACK}#",
        "https://evil.example",
        "é",
    ],
)
def test_another_uri_or_none_is_refused_and_the_code_survives(browser, door, two, presented):
    code, verifier = browser.code(two, redirect_uri=CALLBACK)
    assert error_of(door.redeem(two, code, verifier, redirect_uri=presented)) == "invalid_grant"
    assert door.redeem(two, code, verifier, redirect_uri=CALLBACK).status_code == 200


@pytest.mark.parametrize("uri", [CALLBACK, OTHER])
def test_each_registered_uri_redeems_its_own_code(browser, door, two, uri):
    code, verifier = browser.code(two, redirect_uri=uri)
    assert door.redeem(two, code, verifier, redirect_uri=uri).status_code == 200


def test_a_uri_that_the_request_left_out_may_be_left_out_again(browser, door, client):
    response = browser.authorize(client, redirect_uri=None)
    assert response.location.startswith(f"{CALLBACK}?code=")
    code, verifier = browser.code(client, redirect_uri=None)
    assert door.redeem(client, code, verifier, redirect_uri=None).status_code == 200


def test_a_uri_that_the_request_left_out_may_be_the_registered_one_and_no_other(browser, door, client):
    code, verifier = browser.code(client, redirect_uri=None)
    assert error_of(door.redeem(client, code, verifier, redirect_uri=OTHER)) == "invalid_grant"
    assert door.redeem(client, code, verifier, redirect_uri=CALLBACK).status_code == 200


@pytest.fixture(scope="module")
def modern():
    return House(TOKEN_REQUEST_REDIRECT_URI_REQUIRED=False, PKCE_REQUIRED="public")


def test_with_pkce_in_its_place_it_may_be_left_out_and_is_compared_where_it_is_not(modern):
    """OAuth 2.1 §10.2."""
    client, browser, door = modern.client(redirect_uris=(CALLBACK, OTHER)), modern.browser(), modern.door()
    code, verifier = browser.code(client, redirect_uri=OTHER)
    assert error_of(door.redeem(client, code, verifier, redirect_uri=CALLBACK)) == "invalid_grant"
    assert error_of(door.redeem(client, code, "v" * 43, redirect_uri=None)) == "invalid_grant"
    assert door.redeem(client, code, verifier, redirect_uri=None).status_code == 200


def test_without_a_challenge_nothing_stands_in_its_place(modern):
    client, browser, door = modern.client(), modern.browser(), modern.door()
    code, _ = browser.code(client, code_challenge=None, code_challenge_method=None)
    assert error_of(door.redeem(client, code, None, redirect_uri=None)) == "invalid_grant"
    assert door.redeem(client, code, None).status_code == 200


def test_a_stolen_code_cannot_be_redeemed_through_a_page_of_the_attacker(house, browser, door):
    """RFC 6749 §10.6: the attacker begins the flow with a URI that a victim's code is then sent to."""
    client = house.client(redirect_uris=(CALLBACK, OTHER))
    stolen, verifier = browser.code(client, redirect_uri=OTHER)
    assert answered(browser.authorize(client, redirect_uri=CALLBACK))["code"]
    assert error_of(door.redeem(client, stolen, verifier, redirect_uri=CALLBACK)) == "invalid_grant"
