"""Whatever stands in a token, and in the documents of its issuer: no failure of the resource server."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from security.driving import ISSUER
from support.elsewhere import API, KEYS, METADATA, Elsewhere, document

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
CLAIMS = st.fixed_dictionaries(
    {},
    optional={
        "aud": st.sampled_from([[], [API, 7], {"a": API}]) | JSON,
        "cnf": st.fixed_dictionaries({}, optional={"jkt": JSON, "x5t#S256": JSON}) | JSON,
        **dict.fromkeys(("iss", "exp", "nbf", "iat", "sub", "client_id", "jti", "scope"), JSON),
        "token_type": JSON,
        "active": JSON,
    },
)
HEADERS = st.fixed_dictionaries({}, optional=dict.fromkeys(("alg", "kid", "typ", "crit", "jwk", "jku"), JSON))
KEY = st.fixed_dictionaries(
    {"kty": st.sampled_from(["EC", "RSA", "OKP", "oct", "x"]) | JSON},
    optional=dict.fromkeys(("crv", "x", "y", "n", "e", "d", "k", "alg", "use", "key_ops", "kid"), JSON),
)
fuzzed = settings(
    max_examples=2 * settings.default.max_examples,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture(scope="module")
def elsewhere():
    """A resource server that answers 500 where others would let an exception through to the test."""
    made = Elsewhere()
    assert made.status(made.forgery()) == 200
    return made


@fuzzed
@given(claims=CLAIMS, header=HEADERS)
def test_no_token_is_too_odd_to_be_refused(elsewhere, claims, header):
    token = elsewhere.forgery(typ=header.pop("typ", "at+jwt"), header=header, **claims)
    assert elsewhere.status(token) in (200, 401, 403)


@fuzzed
@given(text=st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=126), max_size=80))
def test_no_text_is(elsewhere, text):
    assert elsewhere.status(text) in (400, 401)
    first, _, rest = elsewhere.forgery().partition(".")
    assert elsewhere.status(f"{first}.{text}.{rest}") in (400, 401)
    assert elsewhere.status(f"{text}.{rest}") in (400, 401)


@pytest.mark.thorough
@fuzzed
@given(metadata=st.binary(max_size=60) | st.dictionaries(st.text(max_size=6), JSON, max_size=3), uri=JSON)
def test_no_metadata_is_too_odd(elsewhere, metadata, uri):
    fresh = Elsewhere(house=elsewhere.house)
    token = elsewhere.forgery()
    fresh.web.documents[KEYS] = elsewhere.web.documents[KEYS]
    if isinstance(metadata, dict):
        metadata = document(**{**metadata, "issuer": ISSUER, "jwks_uri": uri})
    fresh.web.documents[METADATA] = metadata
    assert fresh.status(token) in (401, 503)


@pytest.mark.thorough
@fuzzed
@given(keys=st.binary(max_size=60) | st.lists(KEY | JSON, max_size=3))
def test_no_set_of_keys_is_too_odd(elsewhere, keys):
    fresh = Elsewhere(house=elsewhere.house, RESOURCE_SERVER_JWKS_URL=KEYS)
    fresh.web.documents[KEYS] = document(keys=keys) if isinstance(keys, list) else keys
    assert fresh.status(elsewhere.forgery()) in (401, 503)
