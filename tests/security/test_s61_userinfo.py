"""S61: userinfo needs the scope openid and a person; pages of any origin may read it, without cookies."""

import pytest

from portula import Plugin
from security.driving import bearer
from security.house import House


@pytest.fixture(scope="module")
def house():
    """A house in which OpenID Connect is on."""
    return House(OIDC_ENABLED=True)


def ask(door, token, **headers):
    return door.open("/o/userinfo/", headers={**bearer(token), **headers})


def test_it_needs_openid_and_a_person(house, door, client):
    without = house.tokens(client, scope="read")["access_token"]
    machine = door.token(client, grant_type="client_credentials", scope="openid").json["access_token"]
    for token in (without, machine):
        response = ask(door, token)
        assert (response.status_code, response.json["error"]) == (403, "insufficient_scope")
    assert ask(door, "x" * 43).status_code == 401


def test_the_subject_is_that_of_the_id_token(house, door, client):
    tokens = house.tokens(client, scope="openid")
    claims = house.provider.hooks.ask(Plugin.portula_jose).verify_own(tokens["id_token"], typ=("JWT",)).claims
    assert ask(door, tokens["access_token"]).json == {"sub": claims["sub"]}


def test_an_id_token_is_no_access_token_and_the_other_way_round(house, door, client, browser):
    tokens = house.tokens(client, scope="openid")
    assert ask(door, tokens["id_token"]).status_code == 401
    assert door.introspect(client, tokens["id_token"]).json == {"active": False}
    assert door.refresh(client, tokens["id_token"]).json["error"] == "invalid_grant"
    hinted = browser.ask(client, scope="openid", id_token_hint=tokens["access_token"], prompt="none")
    assert "error=invalid_request" in hinted.location


def test_pages_read_it_without_cookies(house, door, client):
    token = house.tokens(client, scope="openid")["access_token"]
    response = ask(door, token, Origin="https://page.example", Cookie="portula_session=x")
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in response.headers
    assert "Set-Cookie" not in response.headers


def test_cookies_alone_tell_nothing(house, browser):
    browser.sign_in()
    assert browser.get("/o/userinfo/").status_code == 401


def test_it_is_not_kept_by_caches(house, door, client):
    response = ask(door, house.tokens(client, scope="openid")["access_token"])
    assert response.headers["Cache-Control"] == "no-store"
