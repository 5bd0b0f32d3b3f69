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


PLACES = ("client_id", "redirect_uri")
SECONDS = pytest.mark.parametrize("second", ["other", ""], ids=["another value", "an empty value"])


def ask_twice(browser, client, name, second, **parameters):
    """Send one parameter twice, by GET and by POST, and once in query and body each."""
    pairs = [*{**AUTHORIZE, "client_id": client.client_id, **parameters}.items()]
    pairs = [(key, value) for key, value in pairs if value is not None]
    twice = urlencode([*pairs, (name, second)])
    yield browser.get("/o/authorize/", query_string=twice)
    yield browser.post("/o/authorize/", twice, content_type=FORM)
    if second:
        yield browser.post(f"/o/authorize/?{name}={second}", urlencode(pairs), content_type=FORM)


def refused_on_a_page(response):
    return response.status_code == 400 and "Location" not in response.headers


@pytest.mark.parametrize("name", PLACES)
@SECONDS
def test_a_repeated_client_id_or_redirect_uri_gets_a_page(browser, client, name, second):
    for response in ask_twice(browser, client, name, second):
        assert refused_on_a_page(response)
        assert "repeated" in response.text or "both the query and the body" in response.text


@pytest.mark.parametrize("name", [name for name in AUTHORIZE if name not in PLACES])
@SECONDS
def test_the_client_hears_of_a_repeated_parameter_with_the_state_unless_that_is_it(
    browser, client, name, second
):
    for response in ask_twice(browser, client, name, second):
        answer = answered(response)
        assert answer["error"] == "invalid_request"
        assert "repeated" in answer["error_description"] or "both" in answer["error_description"]
        assert answer.get("state") == (None if name == "state" else "s")
        assert answer["iss"]


def test_a_repeated_parameter_of_a_request_without_a_redirect_uri_goes_to_the_clients_only_one(
    house, browser
):
    one, two = house.client(), house.client(redirect_uris=(CALLBACK, f"{CALLBACK}/2"))
    for response in ask_twice(browser, one, "scope", "write", redirect_uri=None):
        assert answered(response)["error"] == "invalid_request"
    for response in ask_twice(browser, two, "scope", "write", redirect_uri=None):
        assert refused_on_a_page(response)


def test_a_repeated_parameter_changes_nothing_about_whom_errors_are_sent_to(house, browser, client):
    disabled = house.client()
    house.change(disabled, disabled=True)
    for party, wrong in [
        (client, {"redirect_uri": "https://evil.example/cb"}),
        (client, {"client_id": "nobody"}),
        (client, {"client_id": None}),
        (disabled, {}),
        (client, {"redirect_uri": None, "request_uri": "urn:ietf:params:oauth:request_uri:x"}),
        (client, {"redirect_uri": None, "request": "e30.e30."}),
    ]:
        for response in ask_twice(browser, party, "scope", "write", **wrong):
            assert refused_on_a_page(response), wrong


def test_the_error_goes_by_the_response_mode_that_is_said_once(make_house):
    house = make_house(OIDC_ENABLED=True)
    browser, client = house.browser(), house.client()
    in_front = {"response_type": "code id_token", "scope": "openid"}
    for mode, repeated, more, begins in [
        ("fragment", "scope", {}, f"{CALLBACK}#"),
        ("fragment", "response_mode", {}, f"{CALLBACK}?"),
        ("fragment", "response_type", {}, f"{CALLBACK}#"),
        ("query.jwt", "scope", {}, f"{CALLBACK}?response="),
        ("carrier_pigeon", "scope", {}, f"{CALLBACK}?"),
        (None, "scope", in_front, f"{CALLBACK}#"),
        ("query", "scope", in_front, f"{CALLBACK}#"),
    ]:
        for response in ask_twice(browser, client, repeated, "other", response_mode=mode, **more):
            assert response.location.startswith(begins), (mode, repeated)
    for response in ask_twice(browser, client, "scope", "other", response_mode="form_post"):
        assert response.status_code == 200
        assert "invalid_request" in response.text


def test_a_fault_beside_a_repeated_parameter_is_told_at_the_redirect_uri(browser, client, monkeypatch):
    def fails(_exchange):
        raise ZeroDivisionError("bug")

    monkeypatch.setattr("portula.flow.authorization.response_mode", fails)
    for response in ask_twice(browser, client, "scope", "other"):
        assert answered(response)["error"] == "server_error"


def test_the_same_request_without_repetition_goes_on(browser, client):
    asked = {**AUTHORIZE, "client_id": client.client_id}
    assert browser.post("/o/authorize/", asked).status_code == 303
    response = browser.get("/o/authorize/", query_string=asked)
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
