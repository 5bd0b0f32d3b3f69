"""Whatever is sent to the endpoint and the pages: no failure of the server, and an error in form (CIBA Core §13)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from security.hostile import (
    FORM,
    HOSTILE,
    bodies,
    encoded,
    is_an_error_in_form,
    is_no_failure,
    put_in,
    values,
)
from support.backchannel import GRANT, PATH, begun, object_claims, till

from portula_testing import jws

fuzzed = settings(database=None, deadline=None)
kinds = pytest.mark.parametrize("kind", ["flask", pytest.param("wsgi", marks=pytest.mark.thorough)])
OWN = b"scope login_hint login_hint_token id_token_hint binding_message user_code requested_expiry request".split()
OWN += b"client_notification_token acr_values max_age claims resource request_uri client_id client_secret".split()
KEY = jws.TokenKey("ES256")

pairs = st.lists(st.tuples(st.sampled_from([*OWN, *HOSTILE]), values), max_size=10)
documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
OF_TOKENS = ["iss", "aud", "exp", "nbf", "iat", "jti", "sub", "client_id"]
OF_REQUESTS = ["scope", "login_hint", "id_token_hint", "binding_message", "requested_expiry", "acr_values"]
NAMES = [*OF_TOKENS, *OF_REQUESTS, "claims", "resource", "max_age", "user_code", "prompt", "\0", "uri"]


@pytest.fixture(scope="module")
def world(make_world):
    return make_world(
        config={"TESTING": False, "PROPAGATE_EXCEPTIONS": False},
        CIBA_MAX_REQUESTS_PER_USER=64,
        CIBA_UNKNOWN_USERS_PER_CLIENT=1000,
        PROTECTED_RESOURCES={"https://api.example/": {}},
    )


@pytest.fixture(scope="module")
def party(world):
    return till(world, metadata={"jwks": KEY.jwks})


def stood(answer):
    assert is_no_failure(answer), answer.text
    assert answer.status_code in (200, 429) or is_an_error_in_form(answer), answer.text


@kinds
@fuzzed
@given(body=bodies)
def test_bodies(world, party, kind, body):
    stood(world.door(kind).post(PATH, encoded({}, body), party.auth, content_type=FORM))


@kinds
@fuzzed
@given(fields=pairs)
def test_forms(world, party, kind, fields):
    form = {"scope": b"openid", "login_hint": b"ann"} | {
        name.decode("latin-1"): put_in({}, value) for name, value in fields
    }
    body = encoded({}, ([(name.encode("latin-1"), value) for name, value in form.items()], True))
    stood(world.door(kind).post(PATH, body, party.auth, content_type=FORM))


@kinds
@fuzzed
@given(changed=st.dictionaries(st.sampled_from(NAMES), documents, max_size=4))
def test_claims_of_signed_requests(world, party, kind, changed):
    token = KEY.sign({**object_claims(world, party), **changed})
    answer = world.door(kind).post(PATH, {"request": token}, party.auth)
    stood(answer)
    errors = (
        "invalid_request",
        "invalid_scope",
        "invalid_target",
        "unknown_user_id",
        "invalid_binding_message",
    )
    assert answer.status_code in (200, 429) or answer.json["error"] in errors


@kinds
@fuzzed
@given(value=values)
def test_identifiers(world, party, kind, value):
    members = begun_once(world, party)
    name = members["auth_req_id"].encode() if value == b"@code" else value
    form = [(b"grant_type", GRANT.encode()), (b"auth_req_id", name)]
    stood(world.door(kind).post("/o/token/", encoded({}, (form, True)), party.auth, content_type=FORM))


def begun_once(world, party, kept={}):  # noqa: B006 - one request for all
    if world not in kept:
        kept[world] = begun(world, party)
    return kept[world]


@fuzzed
@given(value=st.text(max_size=60) | st.sampled_from(["", "a", "x" * 3000]))
def test_addresses_of_pages(world, value):
    browser = world.browser()
    browser.sign_in()
    for path in ("/o/ciba/", "/o/ciba/decide/", "/o/ciba/allowed/"):
        assert is_no_failure(
            browser.get(path, query_string={"backchannel_request": value, "interaction": value})
        )
