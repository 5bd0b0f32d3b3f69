"""What an authentication request demands of the person: OpenID Connect Core §3.1.2.1."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest
from security.driving import PASSWORD, answered

from portula.plugin import Application
from portula_testing.writing import change_in

PLAIN = {"scope": "openid"}


@pytest.fixture
def at_home(browser, client):
    """A browser in which Ann is signed in and has allowed the client."""
    assert "code" in answered(browser.authorize(client, **PLAIN))
    return browser


def is_login(response):
    return response.status_code == 302 and response.location.startswith("/accounts/login/")


def sign_in(browser, response, username="ann"):
    """Sign in at the login page that a response leads to, and come back."""
    assert is_login(response)
    page = browser.get(response.location)
    back = browser.submit(page, "login-submit", username=username, password=PASSWORD)
    return browser.get(back.location)


def allow(browser, page):
    return answered(browser.submit(page, "consent-allow"))


def claims_of(world, client, answer):
    tokens = world.door().redeem(client, answer["code"], None).json
    return world.read(tokens["id_token"])


# --- prompt ---


def test_prompt_none_is_refused_when_nobody_is_signed_in(browser, client):
    answer = answered(browser.ask(client, **PLAIN, prompt="none", state="s-._~" * 25))
    assert answer["error"] == "login_required"
    assert answer["state"] == "s-._~" * 25


def test_prompt_none_is_refused_when_the_person_would_have_to_be_asked(world, browser, client):
    browser.sign_in()
    assert answered(browser.ask(client, **PLAIN, prompt="none"))["error"] == "consent_required"


def test_prompt_none_succeeds_on_remembered_consent(world, at_home, client):
    world.clock.forward(60)
    answer = answered(at_home.ask(client, **PLAIN, prompt="none"))
    assert claims_of(world, client, answer)["auth_time"] == world.clock.time - 60


def test_prompt_none_is_refused_for_what_was_not_allowed_before(at_home, client):
    answer = answered(at_home.ask(client, scope="openid email", prompt="none"))
    assert answer["error"] == "consent_required"
    asked = json.dumps({"userinfo": {"email": None}})
    answer = answered(at_home.ask(client, **PLAIN, prompt="none", claims=asked))
    assert answer["error"] == "consent_required"


def test_prompt_none_is_refused_to_a_client_that_demands_to_be_asked_about(at_home, client):
    answer = answered(at_home.ask(client, **PLAIN, prompt="none", approval_prompt="force"))
    assert answer["error"] == "consent_required"


@pytest.mark.parametrize("prompt", ["login", "select_account", "login consent"])
def test_prompt_login_lets_a_person_sign_in_again_and_only_once(world, at_home, client, prompt):
    world.clock.forward(100)
    page = sign_in(at_home, at_home.ask(client, **PLAIN, prompt=prompt))
    assert page.status_code == 200
    claims = claims_of(world, client, allow(at_home, page))
    assert claims["auth_time"] == world.clock.time


def test_within_one_second_too(world, at_home, client):
    page = sign_in(at_home, at_home.ask(client, **PLAIN, prompt="login"))
    assert page.status_code == 200


def test_who_comes_back_without_having_signed_in_is_sent_again(at_home, client):
    first = at_home.ask(client, **PLAIN, prompt="login")
    back = parse_qs(urlsplit(first.location).query)["next"][0]
    assert is_login(at_home.get(back))


def test_a_request_that_waits_for_a_login_is_no_other_browsers(world, at_home, client):
    first = at_home.ask(client, **PLAIN, prompt="login")
    back = parse_qs(urlsplit(first.location).query)["next"][0]
    other = world.browser()
    other.sign_in()
    response = other.get(back)
    assert response.status_code == 400
    assert "Location" not in response.headers


def test_signing_in_once_answers_one_request(world, browser):
    client = world.client(skip_authorization=True)
    browser.sign_in()
    first = browser.ask(client, **PLAIN, prompt="login")
    back = parse_qs(urlsplit(first.location).query)["next"][0]
    answer = sign_in(browser, first)
    assert "code" in answered(answer)
    assert browser.get(back).location == answer.location  # the same code, for some seconds
    world.clock.forward(10)
    assert browser.get(back).status_code == 400


def test_prompt_consent_asks_again(world, at_home, make_world):
    page = at_home.ask(world.client(skip_authorization=True), **PLAIN, prompt="consent")
    assert page.status_code == 200
    assert "consent-allow" in page.text
    lenient = make_world(REQUEST_APPROVAL_PROMPT="auto")
    client, browser = lenient.client(), lenient.browser()
    assert "code" in answered(browser.authorize(client, **PLAIN))
    assert "code" in answered(browser.ask(client, **PLAIN))
    assert browser.ask(client, **PLAIN, prompt="consent").status_code == 200


@pytest.mark.parametrize("prompt", ["none login", "none consent", "create", "LOGIN", "none none none x"])
def test_a_prompt_that_makes_no_sense_is_an_invalid_request(browser, client, prompt):
    assert answered(browser.ask(client, **PLAIN, prompt=prompt))["error"] == "invalid_request"


# --- max_age ---


def test_max_age_lets_a_person_sign_in_again_when_it_is_too_long_ago(world, at_home, client):
    world.clock.forward(2)
    assert at_home.ask(client, **PLAIN, max_age="2").status_code == 200
    page = sign_in(at_home, at_home.ask(client, **PLAIN, max_age="1"))
    assert claims_of(world, client, allow(at_home, page))["auth_time"] == world.clock.time


def test_max_age_is_kept_however_long_signing_in_takes(world, browser, client):
    first = browser.ask(client, **PLAIN, max_age="1")
    page = browser.get(first.location)
    back = browser.submit(page, "login-submit", username="ann", password=PASSWORD)
    world.clock.forward(30)
    assert browser.get(back.location).status_code == 200


def test_max_age_nought_is_prompt_login(at_home, client):
    assert sign_in(at_home, at_home.ask(client, **PLAIN, max_age="0")).status_code == 200


def test_max_age_and_prompt_none_do_not_go_round_the_login(world, at_home, client):
    world.clock.forward(11)
    assert answered(at_home.ask(client, **PLAIN, prompt="none", max_age="10"))["error"] == "login_required"
    assert answered(at_home.ask(client, **PLAIN, prompt="none", max_age="0"))["error"] == "login_required"
    assert "code" in answered(at_home.ask(client, **PLAIN, prompt="none", max_age="11"))


def test_a_client_may_be_registered_with_a_max_age(world, browser):
    client = world.client(metadata={"default_max_age": 10})
    assert "code" in answered(browser.authorize(client, **PLAIN))
    world.clock.forward(11)
    assert is_login(browser.ask(client, **PLAIN))
    assert browser.ask(client, **PLAIN, max_age="20").status_code == 200


@pytest.mark.parametrize("max_age", ["-1", "never", "1.5", "9" * 400, "१"])
def test_a_max_age_that_is_no_number_of_seconds_is_an_invalid_request(browser, client, max_age):
    assert answered(browser.ask(client, **PLAIN, max_age=max_age))["error"] == "invalid_request"


# --- Whom it is about ---


def test_a_hint_at_the_person_who_is_signed_in_succeeds(world, at_home, client):
    hint = world.sign_in(client)["id_token"]
    answer = answered(at_home.ask(client, **PLAIN, prompt="none", id_token_hint=hint))
    assert claims_of(world, client, answer)["sub"] == world.ann.sub


def test_an_expired_hint_still_says_whom_it_is_about(world, browser, client):
    hint = world.sign_in(client)["id_token"]
    world.clock.forward(40000)
    assert "code" in answered(browser.authorize(client, **PLAIN))
    assert "code" in answered(browser.ask(client, **PLAIN, prompt="none", id_token_hint=hint))


def test_a_hint_at_somebody_else_is_refused_or_signs_them_in(world, at_home, client):
    hint = world.sign_in(client)["id_token"]
    eve, other = world.user(), world.browser()
    assert "code" in answered(other.authorize(client, username=eve.username, **PLAIN))
    answer = answered(other.ask(client, **PLAIN, prompt="none", id_token_hint=hint))
    assert answer["error"] == "login_required"
    again = other.ask(client, **PLAIN, id_token_hint=hint)
    assert answered(sign_in(other, again, eve.username))["error"] == "login_required"
    assert sign_in(other, other.ask(client, **PLAIN, id_token_hint=hint), "ann").status_code == 200


def test_the_claim_sub_is_a_hint_too(world, at_home, client):
    def asked(sub):
        claims = json.dumps({"id_token": {"sub": {"value": sub}}})
        return answered(at_home.ask(client, **PLAIN, prompt="none", claims=claims))

    assert "code" in asked(world.ann.sub)
    assert asked("somebody else")["error"] == "login_required"
    assert asked(5)["error"] == "login_required"


def test_the_claim_sub_may_be_one_of_several_values(world, at_home, client):
    def asked(*values):
        claims = json.dumps({"id_token": {"sub": {"values": values}}})
        return answered(at_home.ask(client, **PLAIN, prompt="none", claims=claims))

    assert "code" in asked("somebody else", world.ann.sub)
    assert asked("somebody else", {"no": "text"})["error"] == "login_required"
    assert asked()["error"] == "login_required"


def test_a_hint_does_not_take_the_place_of_the_claim_sub(world, at_home, client):
    hint = world.sign_in(client, **PLAIN)["id_token"]

    def asked(sub):
        claims = json.dumps({"id_token": {"sub": {"value": sub}}})
        return answered(at_home.ask(client, **PLAIN, prompt="none", id_token_hint=hint, claims=claims))

    assert "code" in asked(world.ann.sub)
    assert asked(world.user().sub)["error"] == "login_required"


@pytest.mark.parametrize("hint", ["rubbish", "a.b.c", "é", "..", "A" * 40000])
def test_a_hint_that_is_none_is_an_invalid_request(at_home, client, hint):
    response = at_home.post(
        "/o/authorize/",
        {
            "response_type": "code",
            "client_id": client.client_id,
            "redirect_uri": client.redirect_uri,
            "scope": "openid",
            "prompt": "none",
            "id_token_hint": hint,
        },
    )
    if response.location.startswith("/"):  # one that is not too long to wait
        response = at_home.get(response.location)
    assert answered(response)["error"] == "invalid_request"


def test_other_tokens_of_this_server_are_no_hints(world, browser):
    client = world.client(metadata={"userinfo_signed_response_alg": "RS256"})
    code = answered(browser.authorize(client, **PLAIN, code_challenge=None, code_challenge_method=None))[
        "code"
    ]
    signed = world.userinfo(world.door().redeem(client, code, None).json["access_token"]).text
    response = answered(browser.ask(client, **PLAIN, prompt="none", response_mode="jwt"))["response"]
    for hint in (signed, response):
        answer = answered(browser.ask(client, **PLAIN, prompt="none", id_token_hint=hint))
        assert answer["error"] == "invalid_request"


def test_a_login_hint_is_filled_in(browser, client):
    response = browser.ask(client, **PLAIN, login_hint="ann & co", ui_locales="fr", display="popup")
    query = parse_qs(urlsplit(response.location).query)
    assert query["login_hint"] == ["ann & co"]
    assert 'value="ann &amp; co"' in browser.get(response.location).text


@pytest.mark.parametrize(
    ("ui_locales", "named"), [("fr de-CH", "Teehaus"), ("fr", "Tea house"), ("", "Tea house")]
)
def test_the_consent_page_names_the_app_in_a_language_of_ui_locales(
    world, browser, client, ui_locales, named
):
    names = {"client_name#de": "Teehaus"}
    where = {"client_id": client.client_id}
    change_in(world.provider.storage, Application, where, name="Tea house", metadata=names)
    browser.sign_in()
    page = browser.ask(client, **PLAIN, prompt="consent", ui_locales=ui_locales)
    assert named in page.text


# --- acr ---


def test_the_acr_is_one_of_those_asked_for_if_it_is_reached(make_world):
    world = make_world(ACR_VALUES={"low": (), "password": ("pwd",), "key": ("hwk",)})
    client = world.client()

    def acr(**asked):
        return world.read(world.sign_in(client, scope="openid", **asked)["id_token"])["acr"]

    assert acr() == "password"
    assert acr(acr_values="low password") == "low"
    assert acr(acr_values="key low") == "low"
    assert acr(acr_values="unknown") == "password"
    assert acr(claims='{"id_token": {"acr": {"values": ["low"]}}}') == "low"


def test_an_essential_acr_that_nobody_reaches_is_an_error_of_its_own(world, at_home, client):
    claims = json.dumps({"id_token": {"acr": {"essential": True, "values": ["key"]}}})
    silent = answered(at_home.ask(client, **PLAIN, prompt="none", claims=claims))
    assert silent["error"] == "login_required"
    again = sign_in(at_home, at_home.ask(client, **PLAIN, claims=claims))
    assert answered(again)["error"] == "unmet_authentication_requirements"
    met = json.dumps({"id_token": {"acr": {"essential": True, "value": "1"}}})
    assert "code" in answered(at_home.ask(client, **PLAIN, prompt="none", claims=met))


# --- Malformed ---


@pytest.mark.parametrize(
    "claims",
    [
        "{",
        "[]",
        "1",
        '{"userinfo": []}',
        '{"userinfo": {"name": 1}}',
        '{"id_token": "x"}',
        "[" * 5000,
        "9" * 9000,
        '{"id_token": {"acr": {"value": NaN}}}',
        '{"id_token": {"acr": {"value": 1e999}}}',
        '{"userinfo": {"name": {"value": "\\ud800"}}}',
        '{"userinfo": {"name\\u0000": null}}',
        '{"id_token": {"acr": null}, "id_token": {"sub": {"value": "x"}}}',
    ],
)
def test_a_claims_parameter_that_is_none_is_an_invalid_request(browser, client, claims):
    response = browser.post(
        "/o/authorize/",
        {
            "response_type": "code",
            "client_id": client.client_id,
            "redirect_uri": client.redirect_uri,
            "scope": "openid",
            "claims": claims,
        },
    )
    assert answered(response)["error"] == "invalid_request"


@pytest.mark.parametrize(
    "parameters",
    [
        {"response_type": "id_token", "scope": "openid"},
        {"response_type": "code id_token", "scope": "openid"},
        {"response_type": "code id_token token", "scope": "openid"},
        {"response_type": "id_token token", "scope": "read", "nonce": "n"},
        {"response_type": "id_token", "scope": "openid", "nonce": "n", "response_mode": "query"},
        {"response_type": "code token", "scope": "openid", "response_mode": "query"},
        {"response_type": "id_token", "scope": "openid", "nonce": "n", "code_challenge": "x" * 43},
    ],
)
def test_the_front_channel_answers_errors_in_the_fragment(browser, client, parameters):
    response = browser.ask(client, **parameters)
    assert "?" not in response.location
    assert answered(response)["error"] == "invalid_request"


def test_a_nonce_is_needed_by_no_code(world, client):
    assert "nonce" not in world.read(world.sign_in(client, scope="openid")["id_token"])


@pytest.mark.parametrize("size", [64, 384, 2000])
def test_a_long_nonce_comes_back_whole(world, client, size):
    claims = world.read(world.sign_in(client, scope="openid", nonce="n" * size)["id_token"])
    assert claims["nonce"] == "n" * size
