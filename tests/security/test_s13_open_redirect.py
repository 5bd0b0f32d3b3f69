"""S13: signing in leads back to a path on this host and nowhere else; error pages lead nowhere."""

import pytest
from support.browser import forms_of

from security.driving import PASSWORD

ELSEWHERE = [
    "https://evil.example",
    "http://evil.example/",
    "HTTPS://evil.example/",
    "//evil.example",
    "///evil.example",
    "////evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "\\/evil.example",
    "/\\/evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "/\r\n/evil.example",
    "\t//evil.example",
    " //evil.example",
    " https://evil.example",
    "\x00//evil.example",
    "\x01https://evil.example",
    "javascript:alert(1)",
    "JavaScript:alert(1)",
    "data:text/html,x",
    "vbscript:x",
    "https:evil.example",
    "https:/evil.example",
    "https:///evil.example",
    "evil.example",
    "evil.example/path",
    "@evil.example",
    ".evil.example",
    ":443@evil.example",
    "?next=//evil.example",
    "#//evil.example",
    "http://id.example@evil.example/",
    "https://id.example.evil.example/",
    "https://id.example/accounts/",
    "/accounts/\u2028//evil.example",
    "\u2044\u2044evil.example",
    "/\uff0fevil.example",
    "/" + "a" * 10_000,
]
HERE = "/accounts/"


def location_of(response):
    assert response.status_code == 302
    return response.location


@pytest.mark.parametrize("where", ELSEWHERE, ids=lambda where: ascii(where)[1:40])
def test_an_address_elsewhere_in_the_link_to_the_login_page_is_dropped(browser, where):
    page = browser.get("/accounts/login/", query_string={"next": where})
    if page.status_code == 400:
        assert "Location" not in page.headers
        return
    assert forms_of(page.text)[0].fields["next"] == ""
    response = browser.submit(page, "login-submit", username="ann", password=PASSWORD)
    assert location_of(response) == HERE


@pytest.mark.parametrize("where", ELSEWHERE, ids=lambda where: ascii(where)[1:40])
def test_an_address_elsewhere_in_the_form_is_dropped(browser, where):
    page = browser.get("/accounts/login/")
    response = browser.submit(page, "login-submit", username="ann", password=PASSWORD, next=where)
    if response.status_code == 400:
        assert "Location" not in response.headers
        return
    assert location_of(response) == HERE


@pytest.mark.parametrize(
    "where", ["/o/authorized_tokens/", "/o/authorize/?client_id=x&state=%2F%2Fevil.example", "/"]
)
def test_a_path_on_this_host_is_where_one_comes_back_to(browser, where):
    page = browser.get("/accounts/login/", query_string={"next": where})
    response = browser.submit(page, "login-submit", username="ann", password=PASSWORD)
    assert location_of(response) == where


def test_repeated_addresses_are_refused(browser):
    assert browser.get("/accounts/login/?next=/o/authorized_tokens/&next=//evil.example").status_code == 400


@pytest.mark.parametrize(
    "name", ["next", "redirect_uri", "post_logout_redirect_uri", "url", "continue", "return_to"]
)
def test_signing_out_leads_nowhere(browser, name):
    assert browser.sign_in().status_code == 302
    page = browser.get("/accounts/logout/", query_string={name: "https://evil.example"})
    assert "evil.example" not in page.text
    response = browser.submit(page, "logout-confirm", **{name: "https://evil.example"})
    assert response.status_code == 200
    assert "evil.example" not in response.text
    assert "Refresh" not in response.headers


def test_an_error_page_leads_nowhere(browser, client):
    response = browser.ask(client, redirect_uri="https://evil.example", error_uri="https://evil.example/e")
    assert response.status_code == 400
    assert "evil.example" not in response.text
    assert "Refresh" not in response.headers
    assert "http-equiv" not in response.text.lower()


def test_a_path_that_the_app_does_not_know_cannot_send_people_away(browser):
    for path in (
        "//evil.example/o/authorize/",
        "//evil.example/%2e%2e",
        "/o//authorize/",
        "/\\evil.example/",
    ):
        response = browser.get(path)
        assert "evil.example" not in response.headers.get("Location", "")
