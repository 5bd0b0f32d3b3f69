"""S06: what a client may do is asked again at the end of the flow, not only at its start."""

import pytest

from security.driving import answered, error_of

ONLY_MACHINE = {"grant_types": ("client_credentials",)}


def test_a_response_type_that_nobody_contributes_is_refused(browser, client):
    for response_type in ("token", "id_token", "code token", "id_token token", "none", "code code", "CODE"):
        response = browser.ask(client, response_type=response_type)
        assert answered(response)["error"] == "unsupported_response_type"
        assert "token=" not in response.location


def test_a_client_without_the_code_grant_gets_no_code(house, browser):
    client = house.client(**ONLY_MACHINE)
    assert browser.sign_in().status_code == 302
    assert answered(browser.ask(client))["error"] == "unauthorized_client"


def test_the_grant_may_be_taken_away_while_the_consent_page_is_open(house, browser, client):
    page = browser.consent_page(client)
    assert page.status_code == 200
    house.change(client, **ONLY_MACHINE)
    response = browser.submit(page, "consent-allow")
    assert answered(response)["error"] == "unauthorized_client"
    assert "code" not in answered(response)


@pytest.mark.parametrize(
    "change",
    [{"disabled": True}, {"redirect_uris": ("https://client.example/other",)}],
    ids=["the client is disabled", "the redirect URI is no longer registered"],
)
def test_what_makes_a_redirect_safe_may_end_while_the_consent_page_is_open(house, browser, client, change):
    page = browser.consent_page(client)
    house.change(client, **change)
    response = browser.submit(page, "consent-allow")
    assert response.status_code == 400
    assert "Location" not in response.headers


def test_a_scope_may_be_taken_away_while_the_consent_page_is_open(house, browser, client):
    page = browser.consent_page(client, scope="read write")
    house.change(client, scope="read")
    assert answered(browser.submit(page, "consent-allow"))["error"] == "invalid_scope"


def test_the_grant_may_be_taken_away_before_the_code_is_redeemed(house, browser, door, client):
    code, verifier = browser.code(client)
    house.change(client, **ONLY_MACHINE)
    assert error_of(door.redeem(client, code, verifier)) == "unauthorized_client"


def test_the_grant_may_be_taken_away_before_the_token_is_refreshed(house, door, client):
    tokens = house.tokens(client)
    house.change(client, **ONLY_MACHINE)
    assert error_of(door.refresh(client, tokens["refresh_token"])) == "unauthorized_client"


def test_a_grant_type_that_is_off_is_unsupported(house, door):
    """The password grant is off by default; being asked for by name does not switch it on."""
    client = house.client()
    response = door.token(client, grant_type="password", username="ann", password="x")
    assert error_of(response) == "unsupported_grant_type"


def test_a_grant_type_the_client_lacks_is_unauthorized(make_house, kind):
    house = make_house(PASSWORD_GRANT_ENABLED=True)
    client = house.client()
    response = house.door(kind).token(client, grant_type="password", username="ann", password="x")
    assert error_of(response) == "unauthorized_client"
