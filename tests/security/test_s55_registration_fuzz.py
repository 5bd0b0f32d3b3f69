"""S55: whatever is sent to the registration endpoint, it answers with a client or with what is wrong."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from security.driving import CALLBACK
from security.registering import OPEN, PRIVILEGED, REGISTER, Elsewhere, send, update

fuzzed = settings(database=None)
texts = st.one_of(
    st.text(max_size=20),
    st.sampled_from(["code", "none", "read", CALLBACK, "HS256", "web", "\0", "\ud800", "javascript:x", "#"]),
)
json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), texts),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)),
    max_leaves=8,
)


@pytest.fixture(scope="module")
def house(make_house):
    """A house at which everybody may register clients, of OpenID Connect too."""
    return make_house(Elsewhere(), **Elsewhere.chosen, **OPEN)


@pytest.fixture(scope="module")
def names(house):
    """Every member that somebody understands, some in a language, and some that nobody does."""
    known = [*house.provider.client_members, *PRIVILEGED]
    return st.one_of(st.sampled_from([*known, *(f"{name}#ja" for name in known), "client_name#"]), texts)


@fuzzed
@given(data=st.data())
def test_no_document_makes_it_fail(house, names, data):
    document = data.draw(st.dictionaries(names, json_values, max_size=6))
    if data.draw(st.booleans()):
        document["redirect_uris"] = [CALLBACK]
    answer = send(house.door(), "POST", document)
    assert answer.status_code in {201, 400}, answer.text
    if answer.status_code == 400:
        assert answer.json["error"] in {"invalid_redirect_uri", "invalid_client_metadata"}
    else:
        changed = {name: value for name, value in document.items() if name not in PRIVILEGED}
        assert update(house.door(), answer.json, **changed).status_code in {200, 400}


@fuzzed
@given(body=st.one_of(st.binary(max_size=200), texts.map(lambda text: text.encode("utf-8", "surrogatepass"))))
def test_no_body_makes_it_fail(house, body):
    answer = house.door().open(REGISTER, method="POST", data=body, content_type="application/json")
    assert answer.status_code == 400
    assert answer.json["error"] in {"invalid_redirect_uri", "invalid_client_metadata"}


@fuzzed
@given(
    query=st.text(st.characters(codec="ascii"), max_size=30),
    authorization=st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=30),
    method=st.sampled_from(["GET", "PUT", "DELETE", "HEAD"]),
)
def test_no_request_about_a_client_makes_it_fail(house, query, authorization, method):
    answer = house.door().open(
        f"{REGISTER}?client_id={query}".replace("#", ""),
        method=method,
        headers={"Authorization": authorization},
    )
    assert answer.status_code in {400, 401}
