"""S07: between the consent page and the answer the request stays on the server; the browser holds a random name."""

from urllib.parse import urlsplit

import pytest
from support.browser import forms_of

from security.driving import answered, pkce

EDITS = {
    "redirect_uri": "https://evil.example/cb",
    "client_id": "somebody else",
    "scope": "read write",
    "state": "another state",
    "response_type": "token",
    "response_mode": "fragment",
    "code_challenge": "A" * 43,
    "user": "bob",
    "subject": "bob",
    "skip_authorization": "1",
}


def test_the_page_holds_nothing_of_the_request_but_a_name(browser, client):
    form = forms_of(browser.consent_page(client, state="a state to find").text)[0]
    assert set(form.fields) == {"interaction", "csrf_token"}
    assert form.action == "/o/authorize/"
    assert "a state to find" not in str(form)
    assert client.client_id not in str(form)
    assert len(form.fields["interaction"]) >= 43


def test_cookies_hold_nothing_of_the_request(browser, client):
    browser.consent_page(client, state="a state to find")
    cookies = "".join(cookie for page in browser.seen for cookie in page.headers.getlist("Set-Cookie"))
    assert cookies
    assert "a+state" not in cookies
    assert "a state" not in cookies
    assert client.client_id not in cookies


@pytest.mark.parametrize(("name", "value"), EDITS.items(), ids=EDITS)
def test_an_edited_form_changes_nothing(house, browser, door, client, name, value):
    verifier, challenge = pkce()
    page = browser.consent_page(client, code_challenge=challenge)
    response = browser.submit(page, "consent-allow", **{name: value})
    assert response.location.startswith(f"{client.redirect_uri}?code=")
    answer = answered(response)
    assert answer["state"] == "the state"
    tokens = door.redeem(client, answer["code"], verifier)
    assert tokens.json["scope"] == "read"
    assert door.introspect(client, tokens.json["access_token"]).json["sub"] == house.ann.sub


@pytest.mark.parametrize("name", ["", "x", "A" * 43, "../interaction", "é"])
def test_a_made_up_name_is_refused(browser, client, name):
    page = browser.consent_page(client)
    response = browser.submit(page, "consent-allow", interaction=name)
    assert response.status_code == 400
    assert "Location" not in response.headers


def test_a_name_waits_for_some_time(house, browser, client):
    """For half of it the client is told; then nothing is known of the request, and nothing is sent anywhere."""
    page = browser.consent_page(client)
    house.clock.forward(1800)
    late = browser.submit(page, "consent-allow")
    assert answered(late)["error"] == "access_denied"
    house.clock.forward(1800)
    response = browser.submit(page, "consent-allow")
    assert response.status_code == 400
    assert "Location" not in response.headers


def test_a_posted_request_waits_on_the_server_too(browser, client):
    asked = {
        "response_type": "code",
        "client_id": client.client_id,
        "redirect_uri": client.redirect_uri,
        "state": "a state to find",
        "code_challenge": "A" * 43,
        "code_challenge_method": "S256",
    }
    assert browser.sign_in().status_code == 302
    response = browser.post("/o/authorize/", asked)
    assert response.status_code == 303
    query = urlsplit(response.location).query
    assert query.startswith("interaction=")
    assert "state" not in query
    page = browser.get(response.location)
    answer = answered(browser.submit(page, "consent-allow"))
    assert answer["state"] == "a state to find"


def test_parameters_beside_the_name_are_another_request(browser, client):
    """The name alone stands for the kept request; anything beside it is not mixed in."""
    page = browser.consent_page(client)
    name = forms_of(page.text)[0].fields["interaction"]
    response = browser.get(
        "/o/authorize/", query_string={"interaction": name, "redirect_uri": "https://evil.example"}
    )
    assert response.status_code == 400
    assert "Location" not in response.headers
