"""S30: no token is taken from a URL, and no answer that holds one is kept by anybody on the way."""

import pytest

from portula_resource_server import require_oauth
from security.driving import bearer


@pytest.fixture
def token(house, client):
    return house.tokens(client)["access_token"]


def test_a_token_in_the_query_opens_nothing(door, token):
    for name in ("access_token", "token", "bearer_token", "Authorization"):
        response = door.open("/resource", query_string={name: token})
        assert response.status_code == 401
        assert token not in response.text
        assert "Bearer" in response.headers["WWW-Authenticate"]
    assert door.resource(token).status_code == 200


def test_a_token_in_the_body_opens_nothing(house, token):
    view = require_oauth("read")(lambda: "the resource")
    with house.app.test_request_context("/posted", method="POST", data={"access_token": token}):
        assert view().status_code == 401
    with house.app.test_request_context("/posted", method="POST", headers=bearer(token)):
        assert view() == "the resource"


def test_a_token_in_the_query_does_not_let_one_ask_about_tokens(door, client, token):
    asking = door.token(client, grant_type="client_credentials", scope="introspection").json["access_token"]
    response = door.post(f"/o/introspect/?access_token={asking}", {"token": token})
    assert response.status_code == 401
    assert door.post("/o/introspect/", {"token": token}, bearer(asking)).json["active"]


def test_an_authorization_response_never_holds_a_token(browser, client):
    for response_type in ("code", "token", "id_token token", "code token"):
        response = browser.authorize(client, response_type=response_type)
        assert "access_token=" not in response.location
        assert "refresh_token=" not in response.location


def kept_by_nobody(response):
    return (response.headers["Cache-Control"], response.headers["Pragma"]) == ("no-store", "no-cache")


def test_answers_of_machine_endpoints_are_not_stored(house, browser, door, client, token):
    code, verifier = browser.code(client)
    answers = [
        door.redeem(client, code, verifier),
        door.redeem(client, code, verifier),
        door.token(client, grant_type="client_credentials"),
        door.token(client, grant_type="magic"),
        door.token(grant_type="client_credentials"),
        door.refresh(client, house.tokens(client)["refresh_token"]),
        door.refresh(client, "unknown"),
        door.introspect(client, token),
        door.introspect(client, "unknown"),
        door.revoke(client, token),
        door.revoke(client, "unknown"),
        door.open("/o/token/"),
        door.post("/o/token/", b"a" * 70_000),
        door.post("/o/introspect/"),
        door.post("/o/revoke_token/"),
        door.resource("unknown"),
        door.open("/resource"),
    ]
    assert {answer.status_code for answer in answers} >= {200, 400, 401, 405, 413}
    for answer in answers:
        assert kept_by_nobody(answer), (answer.request.path, answer.status_code)


def test_a_response_with_a_code_is_not_stored(browser, client):
    response = browser.authorize(client)
    assert "code=" in response.location
    assert response.headers["Cache-Control"] == "no-store"
    assert browser.authorize(client, response_mode="form_post").headers["Cache-Control"] == "no-store"


def test_signing_in_is_not_stored(browser):
    assert browser.sign_in().headers["Cache-Control"] == "no-store"
