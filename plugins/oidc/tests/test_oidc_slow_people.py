"""People who take long over signing in, and people with two tabs (OpenID Connect Core §3.1.2.1)."""

import pytest
from security.driving import PASSWORD, answered, pkce

S256 = {"code_challenge_method": "S256"}
DEMANDS = [{"max_age": "0"}, {"prompt": "login"}, {"prompt": "select_account"}]


def ask(browser, client, **parameters):
    challenge = {"code_challenge": pkce()[1], "code_challenge_method": "S256"}
    response = browser.ask(client, scope="openid", nonce="n", **challenge, **parameters)
    assert response.location.startswith("/accounts/login/")
    return response.location


def sign_in_at(browser, url):
    """Sign in at a login page and return what the browser is led to."""
    done = browser.submit(browser.get(url), "login-submit", username="ann", password=PASSWORD)
    return browser.get(done.location)


@pytest.fixture(scope="module")
def house(make_world):
    return make_world()


@pytest.fixture
def trusted(house):
    return house.client(skip_authorization=True)


@pytest.mark.parametrize("demand", DEMANDS, ids=str)
@pytest.mark.parametrize("first", [True, False], ids=["signed in before", "signed in by nobody"])
def test_who_signs_in_after_eleven_minutes_goes_on(house, trusted, demand, first):
    browser = house.browser()
    if first:
        browser.sign_in()
    login = ask(browser, trusted, **demand)
    house.clock.forward(660)
    assert "code" in answered(sign_in_at(browser, login))


def test_a_request_that_was_posted_waits_as_long(house, trusted):
    browser = house.browser()
    asked = {"response_type": "code", "client_id": trusted.client_id, "scope": "openid", "state": "s"}
    posted = browser.post("/o/authorize/", {**asked, "nonce": "n", "code_challenge": pkce()[1], **S256})
    assert posted.status_code == 303
    login = browser.get(posted.location).location
    house.clock.forward(660)
    assert "code" in answered(sign_in_at(browser, login))


@pytest.mark.parametrize("demand", DEMANDS, ids=str)
def test_after_the_time_of_the_setting_the_client_is_told(make_world, demand):
    house = make_world(INTERACTION_EXPIRE_SECONDS=60)
    browser, client = house.browser(), house.client(skip_authorization=True)
    login = ask(browser, client, **demand)
    house.clock.forward(60)
    answer = answered(sign_in_at(browser, login))
    assert (answer["error"], answer["state"]) == ("access_denied", "the state")
    assert "took too long" in answer["error_description"]


def test_a_tab_that_is_loaded_again_goes_on_when_the_person_signed_in_in_another(house, trusted):
    browser = house.browser()
    login = ask(browser, trusted)
    assert browser.get(login).status_code == 200
    browser.sign_in()
    onward = browser.get(login)
    assert onward.status_code == 302
    assert "code" in answered(browser.get(onward.location))


@pytest.mark.parametrize("demand", DEMANDS, ids=str)
def test_a_demanded_sign_in_is_asked_for_until_it_is_done_in_whatever_tab(house, trusted, demand):
    browser = house.browser()
    browser.sign_in()
    house.clock.forward(10)
    login = ask(browser, trusted, **demand)
    assert browser.get(login).status_code == 200
    assert browser.get(login).status_code == 200
    house.clock.forward(10)
    browser.sign_in()
    onward = browser.get(login)
    assert onward.status_code == 302
    assert "code" in answered(browser.get(onward.location))


@pytest.mark.parametrize("told", ["0", "", "-1", "x", "9" * 30, "²"])
def test_what_a_browser_says_of_the_time_ends_no_demand(house, trusted, told):
    browser = house.browser()
    browser.sign_in()
    login = ask(browser, trusted, prompt="login")
    forged = login.rpartition("signed_in_at=")[0] + f"signed_in_at={told}"
    response = browser.get(forged)
    if response.status_code == 302:
        again = browser.get(response.location)
        assert again.location.startswith("/accounts/login/")
        assert browser.get(again.location).status_code == 200


def test_a_page_of_the_account_goes_on_too_and_the_bare_page_still_asks(house):
    browser = house.browser()
    login = browser.get("/accounts/").location
    browser.sign_in()
    assert browser.get(login).location == "/accounts/"
    assert browser.get("/accounts/login/").status_code == 200
