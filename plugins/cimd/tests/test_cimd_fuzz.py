"""Whatever stands in a document, or in place of one, there is a client of that URL or none, and never a failure."""

import json

from hypothesis import given
from hypothesis import strategies as st
from security.driving import Party
from support.client_documents import CALLBACK, DOCUMENT, URL
from support.client_world import World

WORLD = World()
NAMES = sorted(
    {*WORLD.house.provider.client_members, *DOCUMENT, "client_secret", "keys", "jwks", "client_type", "name"}
)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=20)
    | st.sampled_from([URL, CALLBACK, "none", "private_key_jwt", "https://10.0.0.1/", "https://[", "RS256"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
members = st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=12), values, max_size=4)


def found(body):
    WORLD.web.published[URL] = body
    WORLD.clock.forward(2 * 86400)
    return WORLD.find()


@given(members)
def test_no_document_is_too_odd(given_members):
    client = found(json.dumps({**DOCUMENT, **given_members}).encode())
    if client is not None:
        assert client.client_id == URL
        assert client.is_self_registered
        assert not client.skip_authorization
        assert client.secret_hashes == ()


@given(st.binary(max_size=200))
def test_no_body_is_too_odd(body):
    assert found(body) is None


@given(
    st.text(max_size=60).map(lambda text: f"https://{text}") | st.text(max_size=60).map(lambda t: f"{URL}{t}")
)
def test_no_url_is_too_odd(url):
    assert WORLD.house.browser().ask(Party(url, None, CALLBACK)).status_code in (302, 400)
