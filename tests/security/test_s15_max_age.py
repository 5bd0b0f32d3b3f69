"""S15: max_age and auth_time are parameters of OpenID Connect; its room completes this line.

What holds without it: asked for or not, they are no error, no way around signing in, and no way around consent; and the
time of signing in is the session's own.
"""

import pytest

from security.driving import answered, pkce

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


def ask(browser, client, **extra):
    return browser.ask(client, code_challenge=pkce()[1], code_challenge_method="S256", **extra)


@parameters
def test_without_a_session_nobody_is_spoken_for(house, browser, parameters):
    response = ask(browser, house.client(skip_authorization=True), **parameters)
    assert "code=" not in response.location
    assert response.location.startswith("/accounts/login/") or "error=" in response.location


@parameters
def test_with_a_session_consent_is_still_asked(browser, client, parameters):
    assert browser.sign_in().status_code == 302
    response = ask(browser, client, **parameters)
    assert response.status_code == 200
    assert answered(browser.submit(response, "consent-allow"))["code"]


@parameters
def test_after_the_session_has_ended_one_signs_in_again(house, browser, parameters):
    assert browser.sign_in().status_code == 302
    house.clock.forward(2 * 3600 + 60)
    response = ask(browser, house.client(skip_authorization=True), **parameters)
    assert "code=" not in response.location


def test_the_time_of_signing_in_is_the_sessions(house, browser, client):
    """Signing in once more elsewhere does not make this session younger."""
    assert browser.sign_in().status_code == 302
    signed_in_at = house.clock.time
    house.clock.forward(600)
    assert house.browser().sign_in().status_code == 302
    with browser.http as http:
        http.get("/accounts/", base_url=browser.host)
        session = house.provider.hooks.sessions.current()
    assert session.auth_time == signed_in_at
