"""What request objects have to be like, pushed ones too: RFC 9101 §10.5, RFC 9126 §3, FAPI 2.0 Message Signing."""

import pytest
from security.driving import answered, error_of, s256
from support.pushing import VERIFIER, pushed, refused_on_page, to_page

from portula.errors import ConfigError
from portula_testing import jws

ISSUER = "https://id.example/o"
FAPI = {
    "REQUIRE_SIGNED_REQUEST_OBJECT": True,
    "REQUEST_OBJECT_MAX_LIFETIME_SECONDS": 3600,
    "REQUEST_OBJECT_REQUIRED_CLAIMS": ("aud", "exp", "nbf"),
}
PLAIN = dict.fromkeys(
    ("response_type", "redirect_uri", "scope", "state", "code_challenge", "code_challenge_method")
)


@pytest.fixture(scope="module")
def key():
    return jws.TokenKey("ES256")


@pytest.fixture(scope="module")
def strict(make_world):
    return make_world(**FAPI)


@pytest.fixture(scope="module")
def held(strict, key):
    return strict.client(metadata={"jwks": key.jwks})


def claims(world, party, **others):
    now = world.clock.time
    given = {
        "iss": party.client_id,
        "aud": ISSUER,
        "nbf": now,
        "exp": now + 300,
        "client_id": party.client_id,
        "response_type": "code",
        "redirect_uri": party.redirect_uri,
        "scope": "openid read",
        "state": "of the object",
        "code_challenge": s256(VERIFIER),
        "code_challenge_method": "S256",
        **others,
    }
    return {name: value for name, value in given.items() if value is not ...}


def push(world, party, token, **beside):
    return pushed(world, party, request=token, **{**PLAIN, **beside})


# --- Pushed (RFC 9126 §3) ---


@pytest.mark.parametrize("typ", ["oauth-authz-req+jwt", "JWT", None])
def test_an_object_may_be_pushed(strict, held, key, typ):
    answer = push(strict, held, key.sign(claims(strict, held), typ=typ))
    assert answer.status_code == 201, answer.text
    browser = strict.browser()
    brought = {"client_id": held.client_id, "request_uri": answer.json["request_uri"]}
    sent = answered(browser.submit(to_page(browser, brought), "consent-allow"))
    assert sent["state"] == "of the object"
    assert strict.door().redeem(held, sent["code"], VERIFIER).status_code == 200


def test_a_client_that_authenticates_otherwise_says_who_it_is_in_the_object_alone(strict, held, key):
    token = key.sign(claims(strict, held))
    assert push(strict, held, token, client_id=None).status_code == 201
    assert error_of(push(strict, held, token, client_id=None, auth={}), 401) == "invalid_client"
    other = strict.client(metadata={"jwks": key.jwks})
    of_another = pushed(strict, other, request=token, **{**PLAIN, "client_id": None})
    assert error_of(of_another) == "invalid_request_object"


def test_parameters_may_be_required_of_an_object(make_world, key):
    world = make_world(REQUEST_OBJECT_REQUIRED_CLAIMS=("redirect_uri", "scope"))
    party = world.client(metadata={"jwks": key.jwks})
    assert push(world, party, key.sign(claims(world, party))).status_code == 201
    for name in ("redirect_uri", "scope"):
        missing = key.sign(claims(world, party, **{name: ...}))
        assert error_of(push(world, party, missing)) == "invalid_request_object"


def test_what_is_pushed_beside_the_object_is_ignored(strict, held, key):
    beside = {"state": "outside", "redirect_uri": "https://evil.example/", "scope": "write"}
    assert push(strict, held, key.sign(claims(strict, held)), **beside).status_code == 201
    missing = key.sign(claims(strict, held, response_type=...))
    assert error_of(push(strict, held, missing, response_type="code")) == "invalid_request"


@pytest.mark.parametrize(
    "wrong",
    [
        {"exp": ...},
        {"nbf": ...},
        {"aud": ...},
        {"exp": -61},
        {"exp": 70 * 60},
        {"nbf": -70 * 60},
        {"nbf": 61},
        {"iat": 61},
        {"iat": "soon"},
        {"exp": "soon"},
        {"aud": "https://other.example"},
        {"aud": f"{ISSUER}/par/"},
        {"iss": "another"},
        {"client_id": "another"},
        {"request_uri": "urn:ietf:params:oauth:request_uri:x"},
        {"request": "a.b.c"},
    ],
    ids=str,
)
def test_an_object_at_fault_is_refused_by_its_own_code(strict, held, key, wrong):
    now = strict.clock.time
    shifted = {name: now + value if isinstance(value, int) else value for name, value in wrong.items()}
    token = key.sign(claims(strict, held, **shifted))
    assert error_of(push(strict, held, token)) == "invalid_request_object"


@pytest.mark.parametrize(
    "right", [{"aud": [ISSUER, "https://other.example"]}, {"nbf": 8}, {"iat": 8}, {"exp": 3600}], ids=str
)
def test_what_is_allowed_is_taken(strict, held, key, right):
    now = strict.clock.time
    shifted = {name: now + value if isinstance(value, int) else value for name, value in right.items()}
    assert push(strict, held, key.sign(claims(strict, held, **shifted))).status_code == 201


def test_a_signature_that_is_wrong_or_missing_is_a_fault_of_the_object(strict, held, key, make_world):
    stranger, given = jws.TokenKey("ES256"), claims(strict, held)
    header, body, signature = key.sign(given).split(".")
    forged = [stranger.sign(given), jws.unsigned_token(given), f"{header}.{body}.{signature[::-1]}", "a.b.c"]
    for token in forged:
        assert error_of(push(strict, held, token)) == "invalid_request_object"
    lax = make_world()
    party = lax.client(metadata={"jwks": key.jwks})
    assert error_of(push(lax, party, jws.unsigned_token(claims(lax, party)))) == "invalid_request_object"


def test_an_algorithm_that_is_not_the_registered_one_is_refused(strict, key):
    other = jws.TokenKey("RS256", "2")
    jwks = {"keys": [key.jwk, other.jwk]}
    party = strict.client(metadata={"jwks": jwks, "request_object_signing_alg": "ES256"})
    assert error_of(push(strict, party, other.sign(claims(strict, party)))) == "invalid_request_object"
    assert push(strict, party, key.sign(claims(strict, party))).status_code == 201


def test_an_object_of_another_client_is_refused(strict, held, key):
    other = strict.client(metadata={"jwks": key.jwks})
    token = key.sign(claims(strict, held))
    assert error_of(push(strict, other, token)) == "invalid_request_object"


def test_what_the_object_asks_for_is_judged_as_ever(strict, held, key):
    for wrong, error in (
        ({"redirect_uri": "https://evil.example/"}, "invalid_request"),
        ({"scope": "nothing-of-ours"}, "invalid_scope"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
    ):
        assert error_of(push(strict, held, key.sign(claims(strict, held, **wrong)))) == error


def test_where_nobody_understands_objects_they_are_not_supported(make_world, key):
    world = make_world(REQUEST_OBJECTS_ENABLED=False)
    party = world.client(metadata={"jwks": key.jwks})
    assert error_of(push(world, party, key.sign(claims(world, party)))) == "request_not_supported"


# --- Required ---


def test_a_plain_request_is_refused_where_objects_are_required(strict, held):
    assert error_of(pushed(strict, held)) == "invalid_request"
    assert answered(strict.browser().ask(held))["error"] == "invalid_request"


def test_a_signed_one_is_taken_in_the_browser_too(strict, held, key):
    browser = strict.browser()
    login = browser.ask(held, request=key.sign(claims(strict, held)))
    assert login.status_code == 302
    assert "request" not in login.location
    sent = answered(browser.authorize(held, request=key.sign(claims(strict, held))))
    assert "code" in sent


def test_scope_and_response_type_outside_do_not_count_then(strict, held, key):
    token = key.sign(claims(strict, held, response_type=...))
    assert answered(strict.browser().ask(held, request=token))["error"] == "invalid_request"


def test_an_unsigned_one_does_not_count_as_signed(make_world):
    world = make_world(REQUIRE_SIGNED_REQUEST_OBJECT=True, UNSIGNED_REQUEST_OBJECTS_ALLOWED=True)
    party = world.client()
    token = jws.unsigned_token(claims(world, party))
    assert error_of(push(world, party, token)) == "invalid_request"
    assert answered(world.browser().ask(party, request=token))["error"] == "invalid_request"


def test_a_single_client_may_be_held_to_it(world, key):
    metadata = {"jwks": key.jwks, "require_signed_request_object": True}
    party, free = world.client(metadata=metadata), world.client()
    assert error_of(pushed(world, party)) == "invalid_request"
    assert answered(world.browser().ask(party))["error"] == "invalid_request"
    assert push(world, party, key.sign(claims(world, party))).status_code == 201
    assert pushed(world, free).status_code == 201


def test_it_is_published_and_contradictions_stop_the_start(make_world, strict):
    published = strict.door().open("/o/.well-known/openid-configuration").json
    assert published["require_signed_request_object"] is True
    with pytest.raises(ConfigError, match="REQUIRE_SIGNED_REQUEST_OBJECT"):
        make_world(REQUIRE_SIGNED_REQUEST_OBJECT=True, REQUEST_OBJECTS_ENABLED=False)
    with pytest.raises(ConfigError, match="REQUEST_OBJECT_REQUIRED_CLAIMS"):
        make_world(REQUEST_OBJECT_REQUIRED_CLAIMS=("sub",))


# --- Where faults are told ---


def test_a_fault_is_a_page_where_the_redirect_uri_is_not_in_the_open(world, key):
    uris = ("https://client.example/one", "https://client.example/two")
    party = world.client(metadata={"jwks": key.jwks}, redirect_uris=uris)
    browser, token = world.browser(), key.sign(claims(world, party, iss="another"))
    assert refused_on_page(browser.ask(party, redirect_uri=None, request=token), "invalid_request_object")
    evil = browser.ask(party, redirect_uri="https://evil.example/", request=token)
    assert refused_on_page(evil, "invalid_request_object")
    told = answered(browser.ask(party, redirect_uri=uris[1], request=token))
    assert told["error"] == "invalid_request_object"
    single = world.client(
        metadata={"jwks": key.jwks}
    )  # its state, which is in the object, would be missing there
    stale = key.sign(claims(world, single, exp=1))
    assert refused_on_page(browser.ask(single, redirect_uri=None, request=stale), "invalid_request_object")


def test_an_object_that_runs_out_while_its_person_signs_in_goes_on(world, browser, key):
    party = world.client(metadata={"jwks": key.jwks})
    token = key.sign(claims(world, party, exp=world.clock.time + 30))
    login = browser.get(browser.ask(party, request=token).location)
    world.clock.forward(600)
    signed_in = browser.submit(login, "login-submit", username="ann", password="a long password of hers")
    page = browser.get(signed_in.location)
    assert "code" in answered(browser.submit(page, "consent-allow"))
