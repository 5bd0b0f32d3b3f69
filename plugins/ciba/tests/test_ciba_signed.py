"""Requests that are signed: CIBA Core §7.1.1, FAPI-CIBA §5.2.2; whatever is wrong is invalid_request (§13)."""

import pytest
from security.driving import error_of
from support.backchannel import PATH, asked, begun, object_claims, till

from portula_testing import jws

HOUR = 3600


@pytest.fixture(scope="module")
def key():
    return jws.TokenKey("ES256")


@pytest.fixture(scope="module")
def world(make_world):
    return make_world(CIBA_MAX_REQUESTS_PER_USER=64)


@pytest.fixture(scope="module")
def party(world, key):
    return till(world, metadata={"jwks": key.jwks})


def sent(world, party, token, **beside):
    return world.door().post(PATH, {"request": token, **party.body, **beside}, party.auth)


@pytest.mark.parametrize("typ", [None, "JWT", "oauth-authz-req+jwt", "application/oauth-authz-req+jwt"])
def test_a_signed_request_is_taken(world, party, key, typ):
    claims = object_claims(world, party, binding_message="W4SCT", requested_expiry=60)
    answer = sent(world, party, key.sign(claims, typ=typ))
    assert answer.status_code == 200, answer.text
    assert answer.json["expires_in"] == 60


@pytest.mark.parametrize("expiry", [60, "60"])
def test_the_expiry_is_a_number_or_a_text(world, party, key, expiry):
    claims = object_claims(world, party, requested_expiry=expiry)
    assert sent(world, party, key.sign(claims)).json["expires_in"] == 60


def test_the_audience_may_be_a_list_with_us_in_it(world, party, key):
    claims = object_claims(world, party, aud=["https://id.example/o", "https://other.example"])
    assert sent(world, party, key.sign(claims)).status_code == 200


REFUSED = {
    **{f"no {name}": {name: None} for name in ("iss", "aud", "exp", "nbf", "iat", "jti")},
    "another issuer": {"iss": "another"},
    "another audience": {"aud": "https://other.example"},
    "an audience that is the endpoint": {"aud": "https://id.example/o/bc-authorize/"},
    "expired": {"exp": -HOUR},
    "70 minutes ahead": {"exp": 70 * 60},
    "ten minutes to come": {"nbf": 600},
    "70 minutes old": {"nbf": -70 * 60},
    "issued tomorrow": {"iat": 24 * HOUR},
    "exp as a text": {"exp": "soon"},
    "nbf as a truth": {"nbf": True},
    "iat as a list": {"iat": []},
    "jti as a number": {"jti": 5},
    "an empty jti": {"jti": ""},
    "a long jti": {"jti": "x" * 600},
    "another client_id": {"client_id": "another"},
    "an assertion of the client": {"sub": "=client"},
    "a request inside": {"request": "a.b.c"},
    "a reference inside": {"request_uri": "urn:x"},
    "one for a browser": {"response_type": "code"},
    "one that goes back to a browser": {"redirect_uri": "https://client.example/cb"},
    "NUL": {"binding_message": "a\0b"},
    "no hint": {"login_hint": None},
    "two hints": {"login_hint_token": "x"},
    "an expiry that is none": {"requested_expiry": 1.5},
}


@pytest.mark.parametrize("changed", REFUSED.values(), ids=REFUSED)
def test_what_it_says_of_itself_is_judged(world, party, key, changed):
    now = int(world.clock.time)
    moved = {
        name: now + value
        if name in ("exp", "nbf", "iat") and isinstance(value, int) and not isinstance(value, bool)
        else party.client_id
        if value == "=client"
        else value
        for name, value in changed.items()
    }
    token = key.sign(object_claims(world, party, **moved))
    assert error_of(sent(world, party, token)) == "invalid_request"


@pytest.mark.parametrize(
    "huge", [10**400, -(10**400), 2**53, float("1e400")], ids=lambda value: str(value)[:6]
)
@pytest.mark.parametrize("name", ["exp", "nbf", "iat"])
def test_numbers_that_are_no_times_are_refused(world, party, key, name, huge):
    now = world.clock.time
    times = {"iat": now - 0.5, "nbf": now - 0.5, "exp": now + 100.5, name: huge}
    assert error_of(sent(world, party, key.sign(object_claims(world, party, **times)))) == "invalid_request"


def test_who_signed_it_and_how_is_judged(world, party, key):
    claims = object_claims(world, party)
    other = jws.TokenKey("ES256")
    for token in (
        jws.unsigned_token(claims),
        other.sign(claims),
        key.sign(claims)[:-4] + "AAAA",
        jws.signed_with_secret((party.secret or "").encode(), claims),
        key.sign(claims, typ="at+jwt"),
        key.sign(claims, typ="dpop+jwt"),
        "x",
    ):
        assert error_of(sent(world, party, token)) == "invalid_request"


def test_it_counts_once(world, party, key):
    token = key.sign(object_claims(world, party))
    assert sent(world, party, token).status_code == 200
    assert error_of(sent(world, party, token)) == "invalid_request"


@pytest.mark.parametrize("beside", ["scope", "login_hint", "binding_message", "nosuch"])
def test_nothing_stands_beside_it(world, party, key, beside):
    token = key.sign(object_claims(world, party))
    assert error_of(sent(world, party, token, **{beside: "openid"})) == "invalid_request"


def test_a_client_that_is_registered_for_an_algorithm_has_to_sign_with_it(world):
    first, second = jws.TokenKey("PS256", kid="p"), jws.TokenKey("ES256", kid="e")
    keys = {"keys": [first.jwk, second.jwk]}
    algorithm = {"backchannel_authentication_request_signing_alg": "PS256"}
    party = till(world, metadata={"jwks": keys, **algorithm})
    assert error_of(asked(world, party)) == "invalid_request"
    assert error_of(sent(world, party, second.sign(object_claims(world, party)))) == "invalid_request"
    assert sent(world, party, first.sign(object_claims(world, party))).status_code == 200


def test_a_server_may_take_signed_requests_alone(make_world, key):
    world = make_world(CIBA_SIGNED_REQUESTS_REQUIRED=True, CIBA_REQUEST_SIGNING_ALGS=["PS256"])
    party = till(world, metadata={"jwks": key.jwks})
    assert error_of(asked(world, party)) == "invalid_request"
    assert error_of(sent(world, party, key.sign(object_claims(world, party)))) == "invalid_request"
    document = world.door().open("/o/.well-known/openid-configuration").json
    name = "backchannel_authentication_request_signing_alg_values_supported"
    assert document[name] == ["PS256"]


def test_a_signed_request_is_no_assertion_of_its_client(world, key):
    party = till(world, metadata={"jwks": key.jwks}, token_endpoint_auth_method="private_key_jwt")
    form = {
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": key.sign(object_claims(world, party)),
        "scope": "openid",
        "login_hint": "ann",
    }
    assert error_of(world.door().post(PATH, form), 401) == "invalid_client"


def test_what_is_asked_in_it_is_asked_of_the_person(make_world, key):
    world = make_world()
    party, browser = till(world, metadata={"jwks": key.jwks}), world.browser()
    browser.sign_in()
    sent(world, party, key.sign(object_claims(world, party, scope="openid email", binding_message="W4SCT")))
    assert "W4SCT" in browser.get("/o/ciba/").text
    assert begun(world, till(world))
