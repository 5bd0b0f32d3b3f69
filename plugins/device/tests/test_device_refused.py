"""What the two endpoints of a device refuse, and with which code (RFC 8628 §3.1, §3.5; attacks S23, S62, S65)."""

import pytest
from security.driving import error_of, s256
from support.browser import forms_of
from support.devices import answered, asked, begun, poll, television, typed

from portula import hookimpl
from portula.errors import AccessDeniedError
from portula.flow import strangers
from portula.plugin import SELF_REGISTERED, Artifact

VERIFIER = "v" * 43


# --- The request of a device ---


def test_a_client_that_is_not_registered_for_it_gets_no_code(world):
    assert error_of(asked(world, world.client())) == "unauthorized_client"


def test_a_client_has_to_prove_who_it_is(world, party):
    refused = world.door().post("/o/device_authorization/", {"client_id": party.client_id, "scope": "read"})
    assert error_of(refused, 401) == "invalid_client"
    assert (
        error_of(world.door().post("/o/device_authorization/", {"client_id": "nobody"}), 401)
        == "invalid_client"
    )


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"scope": "nosuch"}, "invalid_scope"),
        ({"code_challenge": "short", "code_challenge_method": "S256"}, "invalid_request"),
        ({"code_challenge": s256(VERIFIER), "code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": s256(VERIFIER)}, "invalid_request"),
        ({"code_challenge_method": "S256"}, "invalid_request"),
        ({"max_age": "soon"}, "invalid_request"),
        ({"claims": "{"}, "invalid_request"),
        ({"request": "a.b.c"}, "request_not_supported"),
        ({"request_uri": "urn:x"}, "request_uri_not_supported"),
    ],
    ids=str,
)
def test_what_is_wrong_is_told_at_once(world, party, form, error):
    assert error_of(asked(world, party, **form)) == error


def test_other_methods_are_refused(world):
    answer = world.door().open("/o/device_authorization/")
    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]


def test_parameters_of_browsers_are_ignored(world, browser, party):
    nothing = {
        "prompt": "none",
        "nonce": "n",
        "response_type": "token",
        "redirect_uri": "https://evil.example/",
    }
    codes = begun(world, party, **nothing)
    answered(browser, codes["user_code"])
    assert "nonce" not in world.read(poll(world, party, codes).json["id_token"], party)


def test_where_other_requests_have_to_be_pushed_or_signed_devices_go_on(make_world):
    world = make_world(
        REQUIRE_PUSHED_AUTHORIZATION_REQUESTS=True,
        PAR_REDIRECT_URI_REQUIRED=True,
        REQUIRE_SIGNED_REQUEST_OBJECT=True,
    )
    metadata = {"require_pushed_authorization_requests": True, "response_modes": ["jwt"]}
    assert begun(world, television(world, metadata=metadata))


def test_a_veto_on_authorization_requests_counts(make_world):
    class Closed:
        @hookimpl
        def portula_validate_authorization_request(self, exchange):
            if exchange.client.name == "A television":
                raise AccessDeniedError

    world = make_world(Closed())
    assert error_of(asked(world, television(world))) == "access_denied"


@pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"X-Forwarded-Host": "evil.example"}], ids=str)
def test_no_header_says_where_people_go(world, party, headers):
    told = asked(world, party, headers=headers).json
    assert told["verification_uri"] == "https://id.example/o/device/"
    assert told["verification_uri_complete"].startswith("https://id.example/o/device/?")


def test_more_codes_of_one_client_than_may_wait_are_refused(make_world):
    world = make_world(DEVICE_MAX_CODES_PER_CLIENT=2)
    party, browser = television(world), world.browser()
    first, _ = begun(world, party), begun(world, party)
    refused = asked(world, party)
    assert error_of(refused, 429) == "temporarily_unavailable"
    assert 0 < int(refused.headers["Retry-After"]) <= 600
    assert begun(world, television(world))
    answered(browser, first["user_code"], "consent-deny")
    assert begun(world, party)
    world.clock.forward(601)
    assert begun(world, party)


@pytest.mark.parametrize(
    "fields",
    [{"client_type": "public"}, {"metadata": {SELF_REGISTERED: True}}],
    ids=["public", "self-registered"],
)
def test_a_stranger_fills_no_storage(make_world, monkeypatch, fields):
    monkeypatch.setattr(strangers, "MAX_BYTES_PER_CLIENT", strangers.MAX_BYTES_PER_ADDRESS)
    world = make_world(DEVICE_MAX_CODES_PER_CLIENT=10_000)
    party = television(world, **fields)
    long = {"ui_locales": "x" * 16_000}
    answers = [asked(world, party, **long) for _ in range(70)]
    assert answers[0].status_code == 200
    assert error_of(answers[-1], 429) == "temporarily_unavailable"
    assert "Retry-After" in answers[-1].headers


def test_a_code_that_another_device_has_is_made_anew(make_world):
    given = iter(["1111", "11-11", "2222"])
    world = make_world(OAUTH_DEVICE_USER_CODE_GENERATOR=lambda: next(given))
    party = television(world)
    assert [begun(world, party)["user_code"] for _ in range(2)] == ["1111", "2222"]


def test_no_code_is_kept_in_the_clear(world, browser, party):
    codes = begun(world, party)
    browser.sign_in()
    typed(browser, codes["user_code"])
    kept = repr(world.provider.storage.select(Artifact, limit=10_000))
    for secret in (codes["device_code"], codes["user_code"], codes["user_code"].replace("-", "")):
        assert secret not in kept


# --- The device polls ---


def test_the_code_is_needed(world, party):
    assert error_of(poll(world, party, {"device_code": None})) == "invalid_request"
    assert error_of(poll(world, party, {"device_code": "nobody's"})) == "invalid_grant"


def test_what_a_person_types_is_no_code_of_a_device(world, browser, party):
    codes = begun(world, party)
    answered(browser, codes["user_code"])
    assert error_of(poll(world, party, {"device_code": codes["user_code"]})) == "invalid_grant"


def test_another_client_neither_gets_nor_spends_it(world, browser, party):
    codes = begun(world, party)
    answered(browser, codes["user_code"])
    assert error_of(poll(world, television(world), codes)) == "invalid_grant"
    assert error_of(poll(world, world.client(), codes)) == "unauthorized_client"
    assert poll(world, party, codes).status_code == 200


def test_its_time_is_over(world, browser, party):
    codes, late = begun(world, party), begun(world, party)
    answered(browser, late["user_code"])
    world.clock.forward(600)
    assert error_of(poll(world, party, codes)) == "expired_token"
    assert error_of(poll(world, party, late)) == "expired_token"
    assert "No device waits" in typed(browser, codes["user_code"]).text
    world.clock.forward(601)
    world.provider.storage.purge(Artifact, now=world.provider.now(), limit=10_000)
    assert error_of(poll(world, party, codes)) == "invalid_grant"


def test_who_polls_too_early_slows_down_for_good(world, party):
    codes = begun(world, party)
    heard = []
    for wait in (0, 5, 1, 6, 10, 3, 15):
        world.clock.forward(wait)
        heard.append(error_of(poll(world, party, codes)))
    pending, slow = "authorization_pending", "slow_down"
    # 5 seconds, then 10, then 15 (it came after 6), then 20, then 25
    assert heard == [pending, pending, slow, slow, slow, slow, slow]


def test_a_device_that_waits_as_it_is_told_is_not_slowed_down(world, browser, party):
    codes = begun(world, party)
    poll(world, party, codes)
    assert error_of(poll(world, party, codes)) == "slow_down"
    for _ in range(3):
        world.clock.forward(10)
        assert error_of(poll(world, party, codes)) == "authorization_pending"
    answered(browser, codes["user_code"])
    assert poll(world, party, codes).status_code == 200


def test_a_storm_of_polls_is_not_listened_to(world, party):
    codes = begun(world, party)
    answers = [poll(world, party, codes) for _ in range(14)]
    assert [answer.json["error"] for answer in answers[1:12]] == ["slow_down"] * 11
    assert error_of(answers[-1], 429) == "temporarily_unavailable"
    assert int(answers[-1].headers["Retry-After"]) == 60
    world.clock.forward(60)
    assert error_of(poll(world, party, codes)) == "authorization_pending"


# --- The challenge ---


def test_who_gave_a_challenge_needs_the_verifier(world, browser, party):
    codes = begun(world, party, code_challenge=s256(VERIFIER), code_challenge_method="S256")
    answered(browser, codes["user_code"])
    for wrong in (None, "w" * 43, "short"):
        assert error_of(poll(world, party, codes, code_verifier=wrong)) == "invalid_grant"
    assert poll(world, party, codes, code_verifier=VERIFIER).status_code == 200


def test_a_verifier_without_a_challenge_is_refused(world, browser, party):
    codes = begun(world, party)
    answered(browser, codes["user_code"])
    assert error_of(poll(world, party, codes, code_verifier=VERIFIER)) == "invalid_grant"


# --- What changed in between ---


def test_a_person_who_was_disabled_gives_nothing(make_world):
    world = make_world()
    party, browser = television(world), world.browser()
    codes = begun(world, party)
    answered(browser, codes["user_code"])
    world.users.disable(world.ann)
    assert error_of(poll(world, party, codes)) == "invalid_grant"


def test_access_that_was_taken_away_before_the_device_came_is_gone(world, browser, party):
    codes = begun(world, party)
    answered(browser, codes["user_code"])
    apps = browser.get("/o/authorized_tokens/")
    form = next(form for form in forms_of(apps.text) if form.fields.get("client_id") == party.client_id)
    browser.post(form.action, form.fields)
    assert error_of(poll(world, party, codes)) == "invalid_grant"


def test_a_scope_that_was_taken_away_is_refused(world, browser, party):
    codes, other = begun(world, party), begun(world, party)
    answered(browser, codes["user_code"])
    world.change(party, scope="openid")
    assert error_of(poll(world, party, codes)) == "invalid_scope"
    assert typed(browser, other["user_code"]).status_code == 400
