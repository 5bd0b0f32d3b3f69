"""S10: consent is given on our page, by the browser and the person it was shown to, once, and never in a frame."""

import pytest
from support.browser import forms_of

from security.driving import answered, pkce

#: Written out, not imported: whoever changes the policy changes it here as well.
POLICY = "default-src 'none'; style-src 'self'; img-src 'self' https: data:; base-uri 'none'; frame-ancestors 'none'"
PAGES = ["login", "consent", "logout", "account", "apps", "error", "logged out"]


@pytest.fixture
def page(browser, client):
    """A consent page that is open in the browser."""
    response = browser.consent_page(client)
    assert response.status_code == 200
    return response


def open_page(browser, client, name):
    if name == "login":
        return browser.get("/accounts/login/")
    if name == "error":
        return browser.get("/o/authorize/?client_id=nobody")
    if name == "logged out":
        return browser.get("/accounts/logout/")
    if name == "consent":
        return browser.consent_page(client)
    assert browser.sign_in().status_code == 302
    return browser.get(
        {"logout": "/accounts/logout/", "account": "/accounts/", "apps": "/o/authorized_tokens/"}[name]
    )


def refused(response):
    """Say whether nothing was granted: no redirect, and no code anywhere."""
    return response.status_code == 400 and "Location" not in response.headers and "code=" not in response.text


@pytest.mark.parametrize("name", PAGES)
def test_no_page_can_be_framed_or_leak_its_address(browser, client, name):
    response = open_page(browser, client, name)
    assert response.status_code == (400 if name == "error" else 200)
    assert response.headers["Content-Security-Policy"] == POLICY
    assert response.headers["X-Frame-Options"] == "DENY"
    assert response.headers["Referrer-Policy"] == "same-origin"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("name", PAGES)
def test_no_policy_blocks_the_redirect_behind_a_form(browser, client, name):
    """Chromium applies form-action to where a POST leads in the end."""
    assert "form-action" not in open_page(browser, client, name).headers["Content-Security-Policy"]


def test_the_page_that_posts_a_response_may_run_our_script_and_nothing_else(browser, client):
    response = browser.authorize(client, response_mode="form_post")
    policy = f"{POLICY}; script-src 'self'"
    assert response.headers["Content-Security-Policy"] == policy
    assert response.headers["Referrer-Policy"] == "same-origin"
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("token", ["", "x", "A" * 43, "\u00e9" * 43, "x" * 10_000])
def test_a_form_without_its_csrf_token_is_refused(browser, page, token):
    assert refused(browser.submit(page, "consent-allow", csrf_token=token))


def test_a_form_that_leaves_the_csrf_token_out_is_refused(browser, page):
    fields = forms_of(page.text)[0].fields
    assert refused(browser.post("/o/authorize/", {"interaction": fields["interaction"], "allow": "yes"}))


def test_the_token_of_another_page_is_refused(browser, client, page):
    other = forms_of(browser.consent_page(client).text)[0].fields["csrf_token"]
    assert other != forms_of(page.text)[0].fields["csrf_token"]
    assert refused(browser.submit(page, "consent-allow", csrf_token=other))


def test_the_token_of_the_login_form_is_refused(browser, page):
    token = forms_of(browser.get("/accounts/login/").text)[0].fields["csrf_token"]
    assert refused(browser.submit(page, "consent-allow", csrf_token=token))


def test_a_page_shown_to_one_browser_is_refused_from_another_of_the_same_person(house, page):
    other = house.browser()
    assert other.sign_in().status_code == 302
    assert refused(other.submit(page, "consent-allow"))


def test_a_page_shown_to_one_person_is_refused_from_another(house, browser, client):
    """The same browser, where somebody else has signed in meanwhile."""
    page = browser.consent_page(client)
    assert browser.sign_in(house.user().username).status_code == 302
    assert refused(browser.submit(page, "consent-allow"))


def test_a_page_is_refused_after_signing_out(browser, page):
    signed_out = browser.submit(browser.get("/accounts/logout/"), "logout-confirm")
    assert "signed out" in signed_out.text
    assert refused(browser.submit(page, "consent-allow"))


def test_a_page_is_refused_from_a_browser_that_never_signed_in(house, page):
    assert refused(house.browser().submit(page, "consent-allow"))


@pytest.mark.parametrize("first", ["consent-allow", "consent-deny"])
@pytest.mark.parametrize("second", ["consent-allow", "consent-deny"])
def test_a_page_is_answered_once(house, browser, page, first, second):
    """A second click gets the first one's answer for some seconds, another answer never."""
    answer = browser.submit(page, first)
    again = browser.submit(page, second)
    assert again.location == answer.location if first == second else refused(again)
    house.clock.forward(10)
    assert refused(browser.submit(page, second))


def test_a_wrong_answer_does_not_use_the_page_up(house, browser, page):
    assert refused(browser.submit(page, "consent-allow", csrf_token="x"))
    assert refused(house.browser().submit(page, "consent-allow"))
    assert answered(browser.submit(page, "consent-allow"))["code"]


def test_without_the_word_allow_the_answer_is_no(browser, page):
    fields = forms_of(page.text)[0].fields
    assert answered(browser.post("/o/authorize/", fields))["error"] == "access_denied"


def test_consent_cannot_be_given_by_a_link(browser, page):
    fields = forms_of(page.text)[0].fields
    response = browser.get("/o/authorize/", query_string={**fields, "allow": "yes"})
    assert refused(response)


def test_scopes_that_were_not_shown_cannot_be_posted(browser, door, client):
    verifier, challenge = pkce()
    page = browser.consent_page(client, code_challenge=challenge, scope="read")
    response = browser.submit(page, "consent-allow", scope="read write", scopes="write")
    assert door.redeem(client, answered(response)["code"], verifier).json["scope"] == "read"


def test_signing_out_needs_the_form_of_this_browser(house, browser):
    assert browser.sign_in().status_code == 302
    form = browser.get("/accounts/logout/")
    assert browser.post("/accounts/logout/").status_code == 400
    assert browser.submit(form, "logout-confirm", csrf_token="x").status_code == 400
    assert browser.post("/accounts/logout/", {"csrf_token": "x"}).status_code == 400
    assert browser.get("/accounts/").status_code == 200
    other = house.browser()
    assert other.sign_in().status_code == 302
    assert other.submit(form, "logout-confirm").status_code == 400


def test_signing_in_needs_the_form_of_this_browser(house, browser):
    """Otherwise somebody else could sign a victim in as themselves."""
    form = house.browser().get("/accounts/login/")
    response = browser.submit(form, "login-submit", username="ann", password="a long password of hers")
    assert response.status_code == 400
    assert browser.get("/accounts/").status_code == 302


def test_taking_access_back_needs_the_form_of_this_browser(house, browser, door):
    client, person = house.client(), house.user().username
    token = house.tokens(client, username=person)["access_token"]
    assert browser.sign_in(person).status_code == 302
    form = browser.get("/o/authorized_tokens/")
    other = house.browser()
    assert other.sign_in(person).status_code == 302
    assert other.submit(form, "").status_code == 400
    assert browser.submit(form, "", csrf_token="").status_code == 400
    assert door.is_active(client, token)
    assert browser.submit(form, "").status_code == 303
    assert not door.is_active(client, token)


def test_cookies_stay_with_this_host_and_out_of_scripts(browser):
    response = browser.sign_in()
    cookies = [cookie for page in browser.seen for cookie in page.headers.getlist("Set-Cookie")]
    assert response.status_code == 302
    assert {cookie.partition("=")[0] for cookie in cookies} == {
        "__Host-portula_browser",
        "__Host-portula_known",
        "__Host-portula_session",
    }
    for cookie in cookies:
        attributes = {part.strip().lower() for part in cookie.split(";")[1:]}
        assert {"secure", "httponly", "path=/", "samesite=lax"} <= attributes
        assert not any(part.startswith("domain") for part in attributes)
