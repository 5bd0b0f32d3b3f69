"""S44: a token of one kind is refused in the place of each other, although one key signs them all (RFC 8725 §3.11)."""

from functools import partial

import pytest

from portula import Plugin
from security.keyed import CLAIMS, believed, configured, key_of, keyed_client, provider_with

KINDS = (
    "JWT",
    "at+jwt",
    "logout+jwt",
    "dpop+jwt",
    "oauth-authz-req+jwt",
    "token-introspection+jwt",
    "secevent+jwt",
    "client-authentication+jwt",
    "protected-resource-metadata+jwt",
    "oauth-client-attestation+jwt",
    "oauth-client-attestation-pop+jwt",
    "",
)
"""ID tokens, RFC 9068, Back-Channel Logout, 9449, 9101, 9701, 8417, rfc7523bis, 9728, client
attestations and their proofs, and tokens of nobody's kind."""


@pytest.mark.parametrize("presented", KINDS)
@pytest.mark.parametrize("asked", KINDS)
def test_our_tokens_are_taken_where_their_kind_is_asked_for_and_nowhere_else(presented, asked):
    for provider in (provider_with(), configured()):
        jose = provider.hooks.ask(Plugin.portula_jose)
        token = jose.sign(CLAIMS, typ=presented)
        found = believed(partial(jose.verify_own, typ={asked}), [("it", token)])
        assert found == (["it"] if presented == asked else [])


@pytest.mark.parametrize("presented", KINDS)
@pytest.mark.parametrize("asked", KINDS)
def test_tokens_of_clients_are_taken_where_their_kind_is_asked_for_and_nowhere_else(presented, asked):
    token = key_of("ES256").sign(CLAIMS, typ=presented or None)
    verify = partial(
        provider_with().hooks.ask(Plugin.portula_jose).verify_of_client,
        client=keyed_client("ES256"),
        algorithms={"ES256"},
        typ={asked},
    )
    assert believed(verify, [("it", token)]) == (["it"] if presented == asked else [])


@pytest.mark.parametrize("spelled", ["at+JWT", "AT+JWT", "application/at+jwt", "APPLICATION/at+jwt"])
def test_a_kind_is_compared_as_a_media_type(spelled):
    """RFC 7515 §4.1.9."""
    jose = provider_with().hooks.ask(Plugin.portula_jose)
    assert jose.verify_own(jose.sign(CLAIMS, typ=spelled), typ={"at+jwt"}).claims == CLAIMS


@pytest.mark.parametrize(
    "spelled",
    [
        "at-jwt",
        "at+jwt ",
        " at+jwt",
        "at+jwt;a=b",
        "application/application/at+jwt",
        "text/at+jwt",
        "at+jwt/",
        "jwt",
    ],
)
def test_what_only_looks_alike_is_another_kind(spelled):
    jose = provider_with().hooks.ask(Plugin.portula_jose)
    assert (
        believed(partial(jose.verify_own, typ={"at+jwt"}), [(spelled, jose.sign(CLAIMS, typ=spelled))]) == []
    )


def test_a_clients_token_is_none_of_ours_and_ours_is_no_clients():
    jose, key = provider_with().hooks.ask(Plugin.portula_jose), key_of("RS256")
    ours = jose.sign(CLAIMS, typ="JWT")
    assert believed(partial(jose.verify_own, typ={"JWT"}), [("theirs", key.sign(CLAIMS))]) == []
    verify = partial(jose.verify_of_client, client=keyed_client("RS256"), algorithms={"RS256"}, typ={"JWT"})
    assert believed(verify, [("ours", ours)]) == []
