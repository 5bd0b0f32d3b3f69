"""S12: a POST is answered by 302 or 303, so that no browser posts a password to the next place (RFC 9700 §4.12)."""

from support.browser import forms_of

from security.driving import PASSWORD, pkce

SAFE = (302, 303)
REPEATS_THE_POST = (307, 308)


def test_signing_in_redirects_without_the_password(browser):
    response = browser.sign_in()
    assert response.status_code in SAFE
    assert "password" not in response.location


def test_answering_consent_redirects_without_the_form(browser, client):
    for answer in ("consent-allow", "consent-deny"):
        page = browser.consent_page(client)
        fields = forms_of(page.text)[0].fields
        response = browser.submit(page, answer)
        assert response.status_code in SAFE
        assert fields["csrf_token"] not in response.location
        assert fields["interaction"] not in response.location


def test_a_posted_authorization_request_comes_back_by_get(browser, client):
    asked = {
        "response_type": "code",
        "client_id": client.client_id,
        "redirect_uri": client.redirect_uri,
        "code_challenge": pkce()[1],
        "code_challenge_method": "S256",
    }
    assert browser.post("/o/authorize/", asked).status_code == 303
    refused = browser.post("/o/authorize/", {**asked, "scope": "everything"})
    assert refused.status_code in SAFE
    assert "error=invalid_scope" in refused.location


def test_taking_access_back_and_being_sent_to_sign_in(house, browser, client):
    person = house.user().username
    assert browser.authorize(client, username=person).status_code in SAFE
    apps = browser.get("/o/authorized_tokens/")
    assert browser.submit(apps, "").status_code in SAFE
    assert house.browser().post("/o/authorized_tokens/").status_code in SAFE


def test_no_way_of_writing_a_path_makes_a_post_repeat_itself(browser, client):
    """Flask answers POST /o//token/ by 308 unless told otherwise, and the browser posts the secret once more."""
    credentials = {"username": "ann", "password": PASSWORD, "client_secret": client.secret}
    paths = [
        "/accounts/login",
        "/accounts/logout",
        "/o/authorize",
        "/o/token",
        "/o/revoke_token",
        "/o/introspect",
    ]
    for path in [*paths, "/o/authorized_tokens", "/accounts"]:
        first, second = path.rsplit("/", 1)
        for written in (
            path,
            f"{path}/",
            f"/{path}/",
            f"{first}//{second}/",
            f"{path}//",
            f"{first}/./{second}/",
        ):
            response = browser.post(written, credentials)
            assert response.status_code not in REPEATS_THE_POST, written


def test_a_machine_endpoint_never_redirects(door, client):
    for path in ("/o/token", "/o/token/", "/o/revoke_token", "/o/introspect"):
        for method in ("GET", "POST", "PUT", "DELETE"):
            response = door.open(path, method=method, headers=client.auth)
            assert not 300 <= response.status_code < 400
