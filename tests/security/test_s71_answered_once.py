"""S71: a request that waited for its person to sign in is answered once, by whatever page."""

import pytest

from security.driving import PASSWORD, answered, pkce

DEMANDS = [{"scope": "openid read", "prompt": "login"}, {"scope": "read", "max_age": "0"}]


@pytest.fixture(scope="module")
def house(make_house):
    return make_house(OIDC_ENABLED=True)


@pytest.fixture
def signed_in(house):
    """Where the browser comes back to that has signed in for a request, by what the request demands."""

    def sign_in(browser, **demanded):
        browser.sign_in()
        challenge = {"code_challenge": pkce()[1], "code_challenge_method": "S256"}
        sent = browser.ask(house.client(), **challenge, **demanded)
        login = browser.get(sent.location)
        return browser.submit(login, "login-submit", username="ann", password=PASSWORD).location

    return sign_in


@pytest.mark.parametrize("button", ["consent-allow", "consent-deny"])
@pytest.mark.parametrize("demanded", DEMANDS, ids=str)
def test_who_goes_back_behind_the_answer_gets_no_other(house, browser, signed_in, demanded, button):
    """Who comes to the browser later has not signed in, as the app demands."""
    back = signed_in(browser, **demanded)
    first = browser.submit(browser.get(back), button)
    assert first.status_code == 302
    for seconds in (1, 300):
        house.clock.forward(seconds)
        page = browser.get(back)
        assert page.status_code == 400
        assert "consent-allow" not in page.text


def test_of_two_pages_about_it_one_is_answered(house, browser, signed_in):
    back = signed_in(browser, **DEMANDS[0])
    pages = [browser.get(back), browser.get(back)]
    assert answered(browser.submit(pages[1], "consent-allow"))["code"]
    assert "answered before" in browser.submit(pages[0], "consent-allow").text


def test_until_then_the_page_may_be_loaded_again_and_a_second_click_gets_the_same(house, browser, signed_in):
    back = signed_in(browser, **DEMANDS[0])
    assert browser.get(back).status_code == 200
    page = browser.get(back)
    first, second = (browser.submit(page, "consent-allow") for _ in range(2))
    assert answered(first) == answered(second)


def test_one_that_was_posted_is_answered_once_too(house, browser):
    """It came without cookies, so it waited for its browser (attack S10)."""
    browser.sign_in()
    party = house.client()
    asked = {
        "client_id": party.client_id,
        "response_type": "code",
        "redirect_uri": party.redirect_uri,
        "scope": "read",
        "code_challenge": pkce()[1],
        "code_challenge_method": "S256",
    }
    back = browser.post("/o/authorize/", asked).location
    assert answered(browser.submit(browser.get(back), "consent-allow"))["code"]
    assert browser.get(back).status_code == 400
