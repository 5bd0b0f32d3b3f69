"""S16: an id_token_hint signs nobody in, whoever it names; with another person's the request does not succeed."""

import pytest

from portula import Plugin
from portula_testing import jws
from security.driving import answered, pkce
from security.house import House

ISSUER = "https://id.example/o"


@pytest.fixture(scope="module")
def house():
    """A house in which OpenID Connect is on."""
    return House(OIDC_ENABLED=True)


def id_token(house, client, browser):
    code, verifier = browser.code(client, scope="openid")
    return house.door().redeem(client, code, verifier).json["id_token"]


@pytest.fixture(params=["unsigned", "foreign", "rubbish", "long", "empty parts"])
def forged(house, request):
    claims = {"iss": ISSUER, "sub": house.ann.sub, "aud": "client"}
    return {
        "unsigned": lambda: jws.unsigned_token(claims),
        "foreign": lambda: jws.TokenKey().sign(claims),
        "rubbish": lambda: "é",
        "long": lambda: "A" * 4096,
        "empty parts": lambda: "..",
    }[request.param]()


def ask(browser, client, **extra):
    return browser.ask(client, code_challenge=pkce()[1], code_challenge_method="S256", **extra)


@pytest.mark.parametrize("scope", ["read", "openid"])
@pytest.mark.parametrize("prompt", [None, "none"])
def test_a_forged_hint_signs_nobody_in(house, browser, forged, prompt, scope):
    client = house.client(skip_authorization=True)
    response = ask(browser, client, id_token_hint=forged, prompt=prompt, scope=scope)
    assert response.status_code == 302
    assert "code=" not in response.location


def test_a_forged_hint_is_refused_to_who_is_signed_in(house, browser, forged):
    client = house.client(skip_authorization=True)
    browser.sign_in()
    response = ask(browser, client, id_token_hint=forged, scope="openid")
    assert answered(response)["error"] == "invalid_request"


def test_a_true_hint_signs_nobody_in_either(house, browser):
    client = house.client(skip_authorization=True)
    hint = id_token(house, client, house.browser())
    response = ask(browser, client, id_token_hint=hint, scope="openid", prompt="none")
    assert answered(response)["error"] == "login_required"
    assert ask(browser, client, id_token_hint=hint, scope="openid").location.startswith("/accounts/login/")


def test_a_hint_at_somebody_else_never_succeeds(house, browser):
    client, eve = house.client(skip_authorization=True), house.user()
    hint = id_token(house, client, house.browser())
    browser.sign_in(eve.username)
    response = ask(browser, client, id_token_hint=hint, scope="openid", prompt="none")
    assert answered(response)["error"] == "login_required"
    again = ask(browser, client, id_token_hint=hint, scope="openid")
    page = browser.get(again.location)
    back = browser.submit(page, "login-submit", username=eve.username, password="a long password of hers")
    assert answered(browser.get(back.location))["error"] == "login_required"


def test_a_hint_of_another_issuer_is_refused(house, browser):
    """Both providers have the same keys, as two tenants of one deployment may."""
    jose = house.provider.hooks.ask(Plugin.portula_jose)
    now = house.clock.time
    claims = {
        "iss": "https://id.example/other",
        "sub": house.ann.sub,
        "aud": "c",
        "exp": now + 60,
        "iat": now,
    }
    browser.sign_in()
    hint = jose.sign(claims, typ="JWT")
    response = ask(browser, house.client(), id_token_hint=hint, scope="openid", prompt="none")
    assert answered(response)["error"] == "invalid_request"


def test_without_openid_a_hint_does_not_change_whom_the_code_stands_for(house, browser, forged):
    client, person, door = house.client(), house.user(), house.door()
    code, verifier = browser.code(client, username=person.username, id_token_hint=forged)
    tokens = door.redeem(client, code, verifier).json
    assert door.introspect(client, tokens["access_token"]).json["sub"] == person.sub
