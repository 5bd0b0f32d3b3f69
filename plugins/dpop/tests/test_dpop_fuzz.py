"""Whatever stands in the place of a proof: no failure of the server, and no token of it."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from security.driving import bearer
from support.proofs import Prover

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
URLS = st.text(max_size=40) | st.from_regex(
    r"https?://(id\.example|\[::1\]|[:@%])(:[0-9]{1,6})?[/%a?#.]{0,9}"
)
CLAIMS = st.fixed_dictionaries(
    {},
    optional={
        "htm": JSON,
        "htu": URLS | JSON,
        "iat": JSON,
        "jti": JSON,
        "ath": JSON,
        "nonce": JSON,
        "exp": JSON,
    },
)
KEYS = st.fixed_dictionaries(
    {"kty": st.sampled_from(["EC", "RSA", "OKP", "oct", "x"]) | JSON},
    optional=dict.fromkeys(("crv", "x", "y", "n", "e", "d", "k", "alg", "use", "key_ops", "x5c"), JSON),
)
HEADERS = st.fixed_dictionaries({}, optional={"jwk": KEYS | JSON, "typ": st.text(max_size=8), "jku": JSON})
fuzzed = settings(
    max_examples=2 * settings.default.max_examples,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture(scope="module")
def strict(make_house):
    """A house that answers 500 where others would let an exception through to the test."""
    return make_house(
        config={"TESTING": False, "PROPAGATE_EXCEPTIONS": False}, DPOP_BASE_URLS=["https://api.example"]
    )


@pytest.fixture(scope="module")
def key(strict):
    return Prover(lambda: strict.clock.time)


@pytest.fixture(scope="module")
def party(strict):
    return strict.client()


@fuzzed
@given(claims=CLAIMS, header=HEADERS)
def test_no_proof_is_too_odd_to_be_refused(strict, key, party, claims, header):
    door = strict.door()
    headers = {**party.auth, **key.proof(**claims, header=header)}
    answer = door.token(party, headers, grant_type="client_credentials", scope="read")
    assert answer.status_code in (200, 400), answer.text
    assert answer.status_code == 200 or answer.json["error"] == "invalid_dpop_proof"
    token = {"Authorization": "DPoP x"}
    assert door.open("/resource", headers={**headers, **token}).status_code in (400, 401)


@fuzzed
@given(text=st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=255), max_size=80))
def test_no_header_is(strict, party, text):
    headers = {**party.auth, "DPoP": text}
    answer = strict.door().token(party, headers, grant_type="client_credentials", scope="read")
    assert answer.status_code == 400
    assert answer.json["error"] == "invalid_dpop_proof"


@fuzzed
@given(named=st.text(max_size=60))
def test_no_dpop_jkt_is(strict, party, named):
    answer = strict.browser().ask(
        party, dpop_jkt=named, code_challenge="x" * 43, code_challenge_method="S256"
    )
    assert answer.status_code in (302, 400)


def test_the_house_is_sound(strict, key, party):
    headers = {**party.auth, **key.proof()}
    token = strict.door().token(party, headers, grant_type="client_credentials", scope="read").json
    assert strict.door().open("/resource", headers=bearer(token["access_token"])).status_code == 401
