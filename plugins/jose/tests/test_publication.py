"""The JWK Set: what is in it, and how long it may be kept."""

import json

import pytest

from portula import Plugin
from portula.plugin import Message


@pytest.fixture
def ask():
    def ask(jose, **headers):
        return jose.publish(Message("GET", "/o/.well-known/jwks.json", headers=headers))

    return ask


@pytest.mark.parametrize(
    ("seconds", "caching"),
    [
        (3600, "public, max-age=3600, stale-while-revalidate=3600, stale-if-error=3600"),
        (60, "public, max-age=60, stale-while-revalidate=60, stale-if-error=60"),
        (0, "public, max-age=0"),
    ],
)
def test_it_may_be_kept_as_long_as_is_set(make, ask, seconds, caching):
    """RFC 5861, as django-oauth-toolkit does it."""
    answer = ask(make(OIDC_JWKS_MAX_AGE_SECONDS=seconds).hooks.ask(Plugin.portula_jose))
    assert answer.headers["Cache-Control"] == caching


def test_it_holds_public_members_only(generated, configured, ask):
    """Attack S48."""
    allowed = {"kty", "n", "e", "crv", "x", "y", "kid", "use", "alg"}
    for jose in (generated, configured):
        keys = json.loads(ask(jose).body)["keys"]
        assert keys
        for key in keys:
            assert key.keys() <= allowed
            assert {"kty", "kid", "use"} <= key.keys()


def test_an_asker_that_has_it_gets_no_second_copy(generated, ask):
    """RFC 9110 §13.1.2."""
    answer = ask(generated)
    tag = answer.headers["ETag"]
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = ask(generated, **{"if-none-match": known})
        assert (again.status, again.body, again.headers["ETag"]) == (304, b"", tag)
        assert again.headers["Cache-Control"] == answer.headers["Cache-Control"]
    for other in ("", '"other"', tag.strip('"')):
        assert ask(generated, **{"if-none-match": other}).status == 200


def test_it_is_written_once_for_each_set_of_keys(generated, ask):
    first = ask(generated)
    assert ask(generated).body is first.body
    generated.ring.rotate("RS256")
    second = ask(generated)
    assert second.headers["ETag"] != first.headers["ETag"]
    assert len(json.loads(second.body)["keys"]) == 8


def test_the_key_that_most_clients_use_stands_first(generated, ask):
    assert json.loads(ask(generated).body)["keys"][0]["alg"] == "RS256"
