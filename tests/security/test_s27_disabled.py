"""S27: who is disabled, person or client, is refused from that moment on, whatever they hold."""

import pytest

from portula_testing.writing import change_in
from security.driving import error_of


@pytest.fixture
def person(house):
    return house.user()


@pytest.fixture
def watcher(house):
    """A client that stays."""
    return house.client()


@pytest.fixture(params=["confidential", "public"])
def app(house, request):
    return house.client() if request.param == "confidential" else house.public_client()


def test_a_disabled_person_has_no_tokens(house, door, app, watcher, person):
    tokens = house.tokens(app, username=person.username)
    assert door.resource(tokens["access_token"]).status_code == 200
    assert door.is_active(watcher, tokens["access_token"])
    if app.secret is not None:  # a refresh token is shown to its own client alone
        assert door.is_active(app, tokens["refresh_token"])
    house.users.disable(person)
    assert door.resource(tokens["access_token"]).status_code == 401
    assert door.introspect(watcher, tokens["access_token"]).json == {"active": False}
    assert door.introspect(watcher, tokens["refresh_token"]).json == {"active": False}
    assert error_of(door.refresh(app, tokens["refresh_token"])) == "invalid_grant"


def test_a_disabled_persons_code_is_refused(house, browser, door, app, person):
    code, verifier = browser.code(app, username=person.username)
    house.users.disable(person)
    assert error_of(door.redeem(app, code, verifier)) == "invalid_grant"


def test_a_disabled_person_is_signed_out_and_cannot_sign_in(house, browser, app, person):
    page = browser.consent_page(app, person.username)
    assert page.status_code == 200
    house.users.disable(person)
    assert browser.get("/accounts/").status_code == 302
    response = browser.submit(page, "consent-allow")
    assert response.status_code == 400
    assert "Location" not in response.headers
    assert browser.sign_in(person.username).status_code == 400


def test_a_person_disabled_by_a_hand_in_the_database_is_nobody_although_the_session_stands(house, browser):
    person = house.user()
    assert browser.sign_in(person.username).status_code == 302
    assert browser.get("/accounts/").status_code == 200
    change_in(house.provider.storage, type(person), {"sub": person.sub}, disabled=True)
    assert browser.get("/accounts/").location.startswith("/accounts/login/")
    assert "code=" not in browser.ask(house.client(skip_authorization=True)).headers.get("Location", "")


def test_a_disabled_person_is_refused_like_a_wrong_password(house, person):
    wrong = house.browser().sign_in(person.username, "not the password")
    house.users.disable(person)
    disabled = house.browser().sign_in(person.username)
    assert disabled.status_code == wrong.status_code == 400
    notice = "The user name or the password is not right."
    assert notice in wrong.text
    assert notice in disabled.text


def test_the_password_grant_refuses_a_disabled_person(make_house, kind):
    house = make_house(PASSWORD_GRANT_ENABLED=True)
    client, person = house.client(grant_types=("password",)), house.user()
    asked = {"grant_type": "password", "username": person.username, "password": "a long password of hers"}
    assert house.door(kind).token(client, **asked).status_code == 200
    house.users.disable(person)
    assert error_of(house.door(kind).token(client, **asked)) == "invalid_grant"


def test_a_disabled_client_has_no_tokens(house, door, app, watcher):
    tokens = house.tokens(app)
    assert door.resource(tokens["access_token"]).status_code == 200
    house.change(app, disabled=True)
    assert door.resource(tokens["access_token"]).status_code == 401
    assert door.introspect(watcher, tokens["access_token"]).json == {"active": False}
    assert door.introspect(watcher, tokens["refresh_token"]).json == {"active": False}
    assert error_of(door.refresh(app, tokens["refresh_token"]), 401) == "invalid_client"
    assert error_of(door.revoke(app, tokens["refresh_token"]), 401) == "invalid_client"


def test_a_disabled_clients_code_is_refused(house, browser, door, app):
    code, verifier = browser.code(app)
    house.change(app, disabled=True)
    assert error_of(door.redeem(app, code, verifier), 401) == "invalid_client"


def test_a_disabled_client_gets_nothing_by_itself(house, door):
    client = house.client()
    token = door.token(client, grant_type="client_credentials").json["access_token"]
    house.change(client, disabled=True)
    assert error_of(door.token(client, grant_type="client_credentials"), 401) == "invalid_client"
    assert error_of(door.introspect(client, token), 401) == "invalid_client"
    assert door.resource(token).status_code == 401


def test_a_disabled_client_is_sent_nowhere(house, browser, app):
    page = browser.consent_page(app)
    house.change(app, disabled=True)
    for response in (browser.submit(page, "consent-allow"), browser.ask(app)):
        assert response.status_code == 400
        assert "Location" not in response.headers


def test_a_token_with_the_scope_introspection_dies_with_its_client(house, door, client, watcher):
    asking = door.token(client, grant_type="client_credentials", scope="introspection").json["access_token"]
    headers = {"Authorization": f"Bearer {asking}"}
    about = house.tokens(watcher)["access_token"]
    assert door.post("/o/introspect/", {"token": about}, headers).json["active"]
    house.change(client, disabled=True)
    assert error_of(door.post("/o/introspect/", {"token": about}, headers), 401) == "invalid_token"


def test_others_go_on(house, door, watcher, person):
    tokens = house.tokens(watcher)
    house.users.disable(person)
    house.change(house.client(), disabled=True)
    assert door.is_active(watcher, tokens["access_token"])
    assert door.refresh(watcher, tokens["refresh_token"]).status_code == 200
