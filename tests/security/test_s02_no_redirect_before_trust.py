"""S02: nothing is sent to a redirect URI before the client and the URI are known to belong together."""

import pytest

from security.driving import CALLBACK, answered, pkce

EVIL = "https://evil.example/cb"

#: What else is wrong with the request; each alone would be answered by a redirect.
WRONGS = {
    "nothing": {},
    "no response_type": {"response_type": None},
    "unknown response_type": {"response_type": "magic"},
    "token": {"response_type": "token"},
    "id_token": {"response_type": "id_token"},
    "code token": {"response_type": "code token"},
    "none": {"response_type": "none"},
    "unknown scope": {"scope": "everything"},
    "no challenge": {"code_challenge": None},
    "plain challenge": {"code_challenge_method": "plain"},
    "unknown challenge method": {"code_challenge_method": "S512"},
    "short challenge": {"code_challenge": "short"},
    "unknown response_mode": {"response_mode": "carrier_pigeon"},
    "fragment": {"response_mode": "fragment"},
    "form_post": {"response_mode": "form_post"},
    "prompt=none": {"prompt": "none"},
    "prompt=login": {"prompt": "login"},
    "max_age": {"max_age": "0"},
    "request object": {"request": "e30.e30."},
    "request_uri": {"request_uri": "https://evil.example/request"},
}


@pytest.fixture(params=[False, True], ids=["signed out", "signed in"])
def somebody(house, request):
    browser = house.browser()
    if request.param:
        assert browser.sign_in().status_code == 302
    return browser


def ask(browser, party, **parameters):
    defaults = {"code_challenge": pkce()[1], "code_challenge_method": "S256"}
    return browser.ask(party, **{**defaults, **parameters})


def refused_on_a_page(response):
    return (
        response.status_code == 400
        and "Location" not in response.headers
        and response.mimetype == "text/html"
        and "evil.example" not in response.text
        and "code=" not in response.text
    )


@pytest.mark.parametrize("wrong", WRONGS.values(), ids=WRONGS)
def test_an_unregistered_uri_gets_a_page_whatever_else_is_wrong(somebody, client, wrong):
    assert refused_on_a_page(ask(somebody, client, redirect_uri=EVIL, **wrong))


@pytest.mark.parametrize("wrong", WRONGS.values(), ids=WRONGS)
@pytest.mark.parametrize("client_id", [None, "nobody", "nobody\u00e9", "a" * 10_000], ids=ascii)
def test_an_unknown_client_gets_a_page_whatever_else_is_wrong(browser, client, client_id, wrong):
    assert refused_on_a_page(ask(browser, client, client_id=client_id, redirect_uri=EVIL, **wrong))
    assert refused_on_a_page(ask(browser, client, client_id=client_id, **wrong))


@pytest.mark.parametrize("wrong", WRONGS.values(), ids=WRONGS)
def test_a_disabled_client_gets_a_page_whatever_else_is_wrong(house, browser, wrong):
    client = house.client()
    house.change(client, disabled=True)
    assert refused_on_a_page(ask(browser, client, **wrong))


def test_a_client_without_a_redirect_uri_gets_a_page(house, browser):
    client = house.client(grant_types=("client_credentials",), redirect_uris=())
    assert refused_on_a_page(ask(browser, client, redirect_uri=EVIL))
    assert refused_on_a_page(ask(browser, client, redirect_uri=None))


def test_another_clients_uri_is_not_registered_for_this_one(house, browser, client):
    other = house.client(redirect_uris=("https://other.example/cb",))
    assert refused_on_a_page(ask(browser, client, redirect_uri=other.redirect_uri))


def test_a_repeated_client_or_uri_gets_a_page(browser, client):
    for name, second in [("client_id", "nobody"), ("redirect_uri", EVIL)]:
        query = f"response_type=code&client_id={client.client_id}&redirect_uri={CALLBACK}&{name}={second}"
        assert refused_on_a_page(browser.get(f"/o/authorize/?{query}"))


def test_once_both_are_known_the_error_goes_to_the_client(browser, client):
    answer = answered(ask(browser, client, scope="everything"))
    assert answer["error"] == "invalid_scope"
    assert answer["state"] == "the state"
