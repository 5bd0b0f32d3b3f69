"""S15: max_age, auth_time and acr are honoured; auth_time is the session's own, not the last sign-in elsewhere."""

import json

import pytest

from portula import Plugin
from security.driving import answered, pkce
from security.house import House

PARAMETERS = [
    {"max_age": "0"},
    {"max_age": "1"},
    {"max_age": "-1"},
    {"max_age": "never"},
    {"max_age": "9" * 400},
    {"prompt": "none"},
    {"prompt": "none", "max_age": "0"},
    {"prompt": "login"},
    {"acr_values": "urn:example:loa:4"},
    {"claims": '{"id_token": {"auth_time": {"essential": true}}}'},
]
parameters = pytest.mark.parametrize("parameters", PARAMETERS, ids=str)


@pytest.fixture(params=[True, False], ids=["openid", "without"])
def scope(request):
    return "openid read" if request.param else "read"


@pytest.fixture(scope="module")
def house():
    """A house in which OpenID Connect is on."""
    return House(OIDC_ENABLED=True)


def ask(browser, client, **extra):
    return browser.ask(client, code_challenge=pkce()[1], code_challenge_method="S256", **extra)


@parameters
def test_without_a_session_nobody_is_spoken_for(house, browser, scope, parameters):
    response = ask(browser, house.client(skip_authorization=True), scope=scope, **parameters)
    assert "code=" not in response.location
    assert response.location.startswith("/accounts/login/") or "error=" in response.location


@parameters
def test_after_the_session_has_ended_one_signs_in_again(house, browser, scope, parameters):
    assert browser.sign_in().status_code == 302
    house.clock.forward(2 * 3600 + 60)
    response = ask(browser, house.client(skip_authorization=True), scope=scope, **parameters)
    assert "code=" not in response.location


@parameters
def test_with_a_session_nobody_gets_by_without_consent(house, browser, scope, parameters):
    assert browser.sign_in().status_code == 302
    response = ask(browser, house.client(), scope=scope, **parameters)
    assert response.status_code == 200 or "code=" not in response.location


def test_without_openid_max_age_counts_as_well_and_the_others_are_no_error(house, browser):
    """RFC 9470 §4."""
    assert browser.sign_in().status_code == 302
    for given in PARAMETERS:
        response, age = ask(browser, house.client(), scope="read", **given), given.get("max_age", "99")
        if age.isdigit() and int(age[:9]) > 0 and len(age) < 10:
            assert response.status_code == 200
        else:
            assert response.location.startswith(
                "/accounts/login/" if age == "0" else "https://client.example"
            )


def claims_of(house, party, code, verifier):
    token = house.door().redeem(party, code, verifier).json["id_token"]
    return house.provider.hooks.ask(Plugin.portula_jose).verify_own(token, typ=("JWT",)).claims


def test_the_time_of_signing_in_is_the_sessions(house, browser):
    """Signing in once more elsewhere does not make this session younger."""
    client = house.client()
    signed_in_at = house.clock.time
    assert browser.sign_in().status_code == 302
    house.clock.forward(600)
    assert house.browser().sign_in().status_code == 302
    claims = claims_of(house, client, *browser.code(client, scope="openid"))
    assert claims["auth_time"] == signed_in_at
    silent = ask(browser, client, scope="openid", prompt="none", max_age="599")
    assert answered(silent)["error"] == "login_required"


def test_an_acr_that_was_not_reached_is_never_told(house, browser):
    client = house.client()
    asked = json.dumps({"id_token": {"acr": {"values": ["urn:example:loa:4"]}}})
    claims = claims_of(house, client, *browser.code(client, scope="openid", claims=asked))
    assert claims["acr"] == "1"
