"""S08: a parameter stands once, in one place; the token endpoint hears the body alone, and only form-encoded."""

import json
from urllib.parse import urlencode

import pytest

from security.driving import CALLBACK, answered, error_of, pkce

AUTHORIZE = {
    "response_type": "code",
    "client_id": "id",
    "redirect_uri": CALLBACK,
    "scope": "read",
    "state": "s",
    "code_challenge": "A" * 43,
    "code_challenge_method": "S256",
    "response_mode": "query",
    "nonce": "n",
    "prompt": "login",
    "approval_prompt": "auto",
    "anything": "1",
}
TOKEN = {
    "grant_type": "authorization_code",
    "code": "c",
    "redirect_uri": CALLBACK,
    "code_verifier": "v" * 43,
    "client_id": "id",
    "client_secret": "s",
    "scope": "read",
    "refresh_token": "r",
    "anything": "1",
}
FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize("name", AUTHORIZE)
@pytest.mark.parametrize("second", ["other", ""], ids=["another value", "an empty value"])
def test_a_repeated_parameter_of_an_authorization_request_gets_a_page(browser, client, name, second):
    pairs = [*{**AUTHORIZE, "client_id": client.client_id}.items(), (name, second)]
    posted = browser.post("/o/authorize/", urlencode(pairs), content_type=FORM)
    for response in (browser.get("/o/authorize/", query_string=urlencode(pairs)), posted):
        assert response.status_code == 400
        assert "Location" not in response.headers
        assert "repeated" in response.text


@pytest.mark.parametrize("name", AUTHORIZE)
def test_a_parameter_of_a_posted_authorization_request_stands_in_the_body_alone(browser, client, name):
    asked = {**AUTHORIZE, "client_id": client.client_id}
    response = browser.post(f"/o/authorize/?{name}=other", asked)
    assert response.status_code == 400
    assert "Location" not in response.headers
    assert browser.post("/o/authorize/", asked).status_code == 303


def test_the_same_request_without_repetition_goes_on(browser, client):
    response = browser.get("/o/authorize/", query_string={**AUTHORIZE, "client_id": client.client_id})
    assert response.status_code == 302
    assert response.location.startswith("/accounts/login/")


@pytest.mark.parametrize("name", TOKEN)
def test_a_repeated_parameter_of_a_token_request_is_refused(door, client, name):
    pairs = [*TOKEN.items(), (name, TOKEN[name])]
    body = "&".join(f"{key}={value}" for key, value in pairs)
    response = door.post("/o/token/", body, client.auth, content_type=FORM)
    assert error_of(response) == "invalid_request"
    assert "repeated" in response.json["error_description"]


@pytest.mark.parametrize(
    "path", ["/o/token/", "/o/revoke_token/", "/o/introspect/", "/o/par/", "/o/device_authorization/"]
)
@pytest.mark.parametrize("name", ["token", "client_id", "grant_type", "token_type_hint"])
def test_a_repeated_parameter_is_refused_at_every_machine_endpoint(door, client, path, name):
    body = f"token=a&grant_type=client_credentials&client_id={client.client_id}&token_type_hint=x&{name}=b"
    assert error_of(door.post(path, body, client.auth, content_type=FORM)) == "invalid_request"


@pytest.mark.parametrize(
    "path", ["/o/token/", "/o/revoke_token/", "/o/introspect/", "/o/par/", "/o/device_authorization/"]
)
def test_a_parameter_in_both_query_and_body_is_refused(door, client, path):
    body = {"grant_type": "client_credentials", "token": "a"}
    for name, value in body.items():
        response = door.post(f"{path}?{name}={value}", body, client.auth)
        assert error_of(response) == "invalid_request"


def test_the_token_endpoint_hears_nothing_in_the_query(house, door, client):
    response = door.post("/o/token/?grant_type=client_credentials", {}, client.auth, content_type=FORM)
    assert error_of(response) == "invalid_request"
    query = f"client_id={client.client_id}&client_secret={client.secret}"
    response = door.post(f"/o/token/?{query}", {"grant_type": "client_credentials"})
    assert error_of(response, 401) == "invalid_client"
    assert door.token(client, grant_type="client_credentials").status_code == 200


def test_revocation_and_introspection_hear_nothing_in_the_query(house, door, client):
    token = house.tokens(client)["access_token"]
    for path in ("/o/revoke_token/", "/o/introspect/"):
        response = door.post(f"{path}?token={token}", {}, client.auth, content_type=FORM)
        assert error_of(response) == "invalid_request"
    assert door.is_active(client, token)


@pytest.mark.parametrize(
    "path", ["/o/token/", "/o/revoke_token/", "/o/introspect/", "/o/par/", "/o/device_authorization/"]
)
@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", json.dumps({"grant_type": "client_credentials", "token": "a"})),
        ("text/plain", "grant_type=client_credentials&token=a"),
        (
            "multipart/form-data; boundary=b",
            '--b\r\nContent-Disposition: form-data; name="token"\r\n\r\na\r\n--b--',
        ),
        ("application/x-www-form-urlencoded-not", "grant_type=client_credentials&token=a"),
        ("", "grant_type=client_credentials&token=a"),
    ],
)
def test_the_body_must_be_form_encoded(door, client, path, content_type, body):
    response = door.post(path, body, client.auth, content_type=content_type)
    assert error_of(response) == "invalid_request"


@pytest.mark.parametrize("content_type", [FORM, f"{FORM};charset=UTF-8", f"{FORM.upper()} ; charset=utf-8"])
def test_a_form_may_say_its_character_set(door, client, content_type):
    response = door.post("/o/token/", "grant_type=client_credentials", client.auth, content_type=content_type)
    assert response.status_code == 200


def test_names_that_hold_state_inside_are_not_taken_from_the_wire(house, browser, door, client):
    """oauthlib keeps its own state under these names on the request."""
    hostile = dict.fromkeys(("user", "client", "scopes", "extra_credentials", "request_token"), "write")
    verifier, challenge = pkce()
    code = answered(browser.authorize(client, code_challenge=challenge, **hostile))["code"]
    tokens = door.redeem(client, code, verifier, **hostile).json
    assert tokens["scope"] == "read"
    facts = door.introspect(client, tokens["access_token"]).json
    assert (facts["sub"], facts["scope"]) == (house.ann.sub, "read")
    machine = door.token(client, grant_type="client_credentials", scope="read", **hostile).json
    assert machine["scope"] == "read"
    assert "sub" not in door.introspect(client, machine["access_token"]).json


def test_more_parameters_than_anybody_needs_are_refused(door, browser, client):
    many = {f"name{number}": "value" for number in range(65)}
    assert error_of(door.token(client, grant_type="client_credentials", **many)) == "invalid_request"
    assert browser.ask(client, **many).status_code == 400
