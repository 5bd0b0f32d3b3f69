"""Whatever a request accepts and whoever sends it: JSON or a JWT of ours, or an error in form, never a failure."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from security.hostile import authorizations, header_text, headers_of, is_an_error_in_form, is_no_failure

from portula_testing import jws

JWT, JSON = "application/token-introspection+jwt", "application/json"
ranges = st.builds(
    "{}{}".format,
    st.one_of(st.sampled_from([JWT, JSON, "*/*", "application/*", JWT.title(), ""]), header_text),
    st.one_of(st.sampled_from(["", ";q=0", "; q=1", ";q=0.5", ";q=", ";q=1e9", ";q=NaN"]), header_text),
)
accepts = st.lists(ranges, max_size=5).map(",".join)
fuzzed = settings(max_examples=2 * settings.default.max_examples, database=None, deadline=None)


@pytest.fixture(scope="module")
def strict(make_world):
    """A house that answers 500 where others would let an exception through to the test."""
    return make_world(config={"TESTING": False, "PROPAGATE_EXCEPTIONS": False})


@pytest.fixture(scope="module")
def parties(strict):
    held = {"introspection_signed_response_alg": "RS256"}
    return {False: strict.client(), True: strict.client(metadata=held)}


@fuzzed
@given(accept=accepts, authorization=authorizations, held=st.booleans(), token=st.text(max_size=20))
def test_anything_that_is_accepted(strict, parties, accept, authorization, held, token):
    party = parties[held]
    right = {"basic": party.auth["Authorization"], "cookies": ""}
    headers = headers_of(right, Accept=accept, Authorization=authorization)
    answer = strict.door().post("/o/introspect/", {"token": token}, headers)
    assert is_no_failure(answer)
    assert answer.headers["Cache-Control"] == "no-store"
    if answer.status_code != 200:
        assert is_an_error_in_form(answer)
    elif answer.mimetype == JWT:
        assert jws.taken_apart(answer.text)[1]["token_introspection"] == {"active": False}
    else:
        assert (answer.json, held) == ({"active": False}, False)
