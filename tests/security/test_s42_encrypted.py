"""S42: an encrypted token is judged before it is decrypted, and whatever is wrong with it is one refusal."""

import json
import time
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joserfc import jwk
from support.encrypting import ec_key, encrypted, public, rsa_key

from portula import Plugin
from portula.errors import JoseError, UntrustedToken
from portula.plugin import Application
from portula_testing.jws import encode
from security.driving import Door
from security.hostile import is_no_failure
from security.house import House
from security.keyed import provider_with, published, sealed_client

DEADLINE_SECONDS = 10
"""A coarse net: what is decompressed, or derived two thousand million times, takes minutes."""
ALGORITHMS = ["RSA-OAEP", "RSA1_5", "ECDH-ES", "ECDH-ES+A256KW", "dir", "A128KW", "PBES2-HS256+A128KW"]


@cache
def the_client():
    return sealed_client(provider_with())


@cache
def ours():
    keys = [key for key in published(provider_with()) if key["use"] == "enc"]
    return [(jwk.RSAKey if key["kty"] == "RSA" else jwk.ECKey).import_key(key) for key in keys]


@cache
def right_token(algorithm):
    key = ours()[0 if algorithm.startswith("RSA") else 1]
    return encrypted("a.b.c", key, algorithm, "A128GCM", kid=key.kid)


def is_refused(token):
    """Say that a token is refused in the words for all of them, and soon."""
    began = time.process_time()
    with pytest.raises(UntrustedToken) as refused:
        provider_with().hooks.ask(Plugin.portula_jose).decrypt(token, the_client())
    return str(refused.value) == "cannot be decrypted" and time.process_time() - began < DEADLINE_SECONDS


texts = st.text(max_size=200) | st.text("abcAB01-_=.{}\"'é\0", max_size=200)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
points = st.fixed_dictionaries(
    {},
    optional={
        "kty": st.sampled_from(["EC", "RSA", "oct", "OKP"]) | json_values,
        "crv": st.sampled_from(["P-256", "P-384", "X25519", "Ed25519"]) | json_values,
        "x": st.just("A" * 43) | json_values,
        "y": st.just("A" * 43) | json_values,
        "d": st.just("A" * 43),
        "k": st.just("AAAA"),
    },
)
headers = st.fixed_dictionaries(
    {"alg": st.sampled_from(ALGORITHMS) | json_values, "enc": st.just("A128GCM") | json_values},
    optional={
        "kid": json_values,
        "zip": st.just("DEF") | json_values,
        "crit": json_values,
        "epk": points | json_values,
        "apu": json_values,
        "apv": json_values,
        "p2c": st.just(2**31) | json_values,
        "p2s": st.just("AAAA"),
        "iv": json_values,
        "tag": json_values,
        "cty": json_values,
        "jwk": json_values,
    },
)
parts = st.binary(max_size=80)
tokens = (
    st.builds(lambda *given: ".".join(given), *[texts] * 5)
    | st.builds(lambda *given: ".".join(map(encode, given)), *[parts] * 5)
    | st.builds(
        lambda header, *given: ".".join(map(encode, [json.dumps(header).encode(), *given])),
        headers,
        *[parts] * 4,
    )
)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(tokens)
def test_whatever_comes_is_refused_alike(token):
    assert is_refused(token)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.sampled_from(["RSA-OAEP", "ECDH-ES", "ECDH-ES+A256KW"]), st.data())
def test_a_token_with_one_byte_changed_is_refused(algorithm, data):
    token = right_token(algorithm)
    assert provider_with().hooks.ask(Plugin.portula_jose).decrypt(token) == "a.b.c"
    place = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.characters(codec="ascii").filter(lambda character: character != token[place]))
    assert is_refused(token[:place] + other + token[place + 1 :])


members = st.sampled_from(["kty", "n", "e", "crv", "x", "y", "kid", "use", "key_ops", "alg", "d", "k"])
values = st.sampled_from(["RSA", "EC", "OKP", "oct", "P-256", "X25519", "AQAB", "enc"]) | json_values


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.dictionaries(members, values))
def test_whatever_a_key_of_a_client_is_made_of_nothing_else_is_raised(changes):
    jose = provider_with().hooks.ask(Plugin.portula_jose)
    for key, algorithm in ((rsa_key(), "RSA-OAEP"), (ec_key(), "ECDH-ES"), (ec_key("X25519"), "ECDH-ES")):
        client = Application(client_id="app", metadata={"jwks": {"keys": [public(key, **changes)]}})
        try:
            token = jose.encrypt("a.b.c", client, algorithm=algorithm, enc="A128GCM")
        except JoseError:
            continue
        assert token.count(".") == 4


# --- At the authorization endpoint ---


@pytest.fixture(scope="module")
def fuzz_house():
    """A house that answers 500 where others would let an exception through to the test."""
    return House(config={"TESTING": False, "PROPAGATE_EXCEPTIONS": False}, OIDC_ENABLED=True)


@pytest.fixture(scope="module")
def key_of_house(fuzz_house):
    found = next(key for key in published(fuzz_house.provider) if key["use"] == "enc")
    return jwk.RSAKey.import_key(found)


@settings(database=None, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    inside=texts | tokens | st.builds(json.dumps, json_values),
    name=st.sampled_from(["request", "id_token_hint"]),
)
def test_whatever_is_inside_is_no_failure(fuzz_house, key_of_house, inside, name):
    """Encrypted with the right key, so that it is looked at."""
    if not inside or len(inside) > 400:
        inside = "a.b.c"
    token = encrypted(inside.encode("utf-8", "replace").decode(), key_of_house, "RSA-OAEP")
    client = _client(fuzz_house)
    asked = {
        "client_id": client.client_id,
        "response_type": "code",
        "redirect_uri": client.redirect_uri,
        "scope": "openid",
        "code_challenge": "A" * 43,
        "code_challenge_method": "S256",
        name: token,
    }
    page = Door(fuzz_house.app).open("/o/authorize/", query_string=asked)
    assert is_no_failure(page)
    assert "code=" not in page.headers.get("Location", "")


@cache
def _client(house):
    return house.client(skip_authorization=True)
