"""S45 (with S40, S41, S44 and S46): an assertion counts once, for us alone, for a short while, by its own client."""

import math

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from support.assertions import ISSUER, TYPE, World, refused

from portula.errors import InvalidClientMetadata
from portula_testing.jws import (
    TokenKey,
    encode,
    signed_with_secret,
    signing_input,
    taken_apart,
    unsigned_token,
)
from portula_testing.provider import MovableClock

TOKEN_ENDPOINT = f"{ISSUER}/token/"
NOW = 1_800_000_000


@pytest.fixture(scope="module")
def key():
    return TokenKey("ES256")


@pytest.fixture(scope="module")
def rsa():
    return TokenKey("RS256", kid="rsa")


@pytest.fixture(scope="module")
def world():
    return World(MovableClock(NOW))


@pytest.fixture(params=["flask", pytest.param("wsgi", marks=pytest.mark.thorough)])
def door(request):
    return request.param


def test_a_good_assertion_counts(world, key, door):
    assert world.token(key.sign(world.claims(world.client(key))), door).status_code == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": None},
        {"sub": None},
        {"iss": "another"},
        {"sub": "another"},
        {"iss": "another", "sub": "another"},
        {"iss": 1, "sub": 1},
        {"iss": ["CLIENT"], "sub": ["CLIENT"]},
        {"iss": ISSUER},
        {"aud": None},
        {"aud": ""},
        {"aud": []},
        {"aud": [ISSUER]},
        {"aud": [ISSUER, "https://evil.example"]},
        {"aud": {"iss": ISSUER}},
        {"aud": "https://evil.example"},
        {"aud": f"{ISSUER}/"},
        {"aud": ISSUER.upper()},
        {"aud": f"{ISSUER} https://evil.example"},
        {"aud": "https://id.example"},
        {"aud": TOKEN_ENDPOINT},
        {"aud": f"{ISSUER}/introspect/"},
        {"aud": "CLIENT"},
        {"exp": None},
        {"exp": NOW - 60},
        {"exp": NOW - 300},
        {"exp": NOW + 361},
        {"exp": NOW + 86400},
        {"exp": str(NOW + 60)},
        {"exp": True},
        {"exp": math.inf},
        {"exp": math.nan},
        {"exp": 10**400},
        {"nbf": 10**400},
        {"nbf": NOW + 61},
        {"nbf": "now"},
        {"iat": NOW + 61},
        {"iat": [NOW]},
        {"jti": None},
        {"jti": ""},
        {"jti": 1},
        {"jti": ["a"]},
        {"jti": "a" * 1025},
    ],
    ids=repr,
)
def test_an_assertion_that_says_something_else_does_not_count(world, key, door, changes):
    client = world.client(key)
    told = {
        name: client if value == "CLIENT" else [client] if value == ["CLIENT"] else value
        for name, value in changes.items()
    }
    refused(world.token(key.sign(world.claims(client, **told)), door))


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": NOW - 59},
        {"exp": NOW + 360},
        {"exp": NOW + 60.5},
        {"nbf": NOW + 8},
        {"iat": NOW + 60},
        {"iat": None},
    ],
)
def test_a_clock_that_is_a_little_off_does_no_harm(world, key, changes):
    assert world.token(key.sign(world.claims(world.client(key), **changes))).status_code == 200


@pytest.mark.parametrize(
    "typ",
    [
        "at+jwt",
        "logout+jwt",
        "dpop+jwt",
        "oauth-authz-req+jwt",
        "token-introspection+jwt",
        "secevent+jwt",
        "JWS",
        1,
    ],
)
def test_a_token_of_another_kind_does_not_count(world, key, typ):
    """S44."""
    refused(world.token(key.sign(world.claims(world.client(key)), typ=typ)))


def test_an_assertion_that_is_not_signed_does_not_count(world, key, door):
    """S40."""
    client = world.client(key)
    for alg in ("none", "None", "NONE", "nOnE", "", None):
        refused(world.token(unsigned_token(world.claims(client), alg=alg), door))


def test_a_public_key_is_no_secret(world, rsa):
    """S40: HMAC with what everybody can read."""
    client = world.client(rsa, token_endpoint_auth_method=None)
    public = rsa.private.public_key()
    for form in (Encoding.PEM, Encoding.DER):
        secret = public.public_bytes(form, PublicFormat.SubjectPublicKeyInfo)
        refused(world.token(signed_with_secret(secret, world.claims(client), kid=rsa.kid)))


@pytest.mark.parametrize("member", ["jwk", "jku", "x5u", "x5c"])
def test_a_key_that_the_assertion_brings_along_is_not_used(world, key, member):
    """S41."""
    client, other = world.client(key), TokenKey("ES256", kid=key.kid)
    brought = {
        "jwk": other.jwk,
        "jku": "https://evil.example/jwks",
        "x5u": "https://evil.example/x",
        "x5c": ["MA=="],
    }
    refused(world.token(other.sign(world.claims(client), **{member: brought[member]})))


def test_another_clients_signature_does_not_count(world, key):
    victim, other = world.client(key), TokenKey("ES256")
    world.client(other)
    refused(world.token(other.sign(world.claims(victim))))
    refused(world.token(other.sign(world.claims(victim)), client_id=victim))


def test_an_assertion_of_one_client_is_not_for_another(world, key):
    mine, other = world.client(key), world.client(key)
    refused(world.token(key.sign(world.claims(mine)), client_id=other))


def test_an_algorithm_that_the_client_did_not_register_does_not_count(world, key, rsa):
    both = {"jwks": {"keys": [key.jwk, rsa.jwk]}, "token_endpoint_auth_signing_alg": "ES256"}
    client = world.client(token_endpoint_auth_method="private_key_jwt", metadata=both)
    refused(world.token(rsa.sign(world.claims(client))))
    assert world.token(key.sign(world.claims(client))).status_code == 200


def test_a_signature_that_was_tampered_with_does_not_count(world, key):
    assertion = key.sign(world.claims(world.client(key)))
    header, claims, signature = assertion.split(".")
    told = {**taken_apart(assertion)[1], "jti": "another"}
    for bad in (
        f"{header}.{signing_input({}, told).split('.')[1]}.{signature}",
        f"{header}.{claims}.",
        f"{header}.{claims}.{encode(bytes(64))}",
        f"{header}.{claims}.{signature[:-4]}",
        f"{header}.{claims}.{signature}AAAA",
        f"{header}.{claims}",
        f"{assertion}.{signature}",
        "",
        ".",
        "..",
        "a.b.c",
        "\u00e9",
        "x" * 60_000,
    ):
        refused(world.token(bad))
    assert world.token(assertion).status_code == 200


def test_the_type_of_the_parameter_is_exact(world, key):
    client = world.client(key)
    for wrong in (TYPE.upper(), f"{TYPE} ", "urn:ietf:params:oauth:grant-type:jwt-bearer", "jwt-bearer"):
        refused(world.token(key.sign(world.claims(client)), client_assertion_type=wrong))


def test_half_of_the_parameters_is_not_enough(world, key):
    client = world.client(key)
    form = {"grant_type": "client_credentials", "client_id": client}
    refused(world.post("/o/token/", {**form, "client_assertion_type": TYPE}))
    refused(world.post("/o/token/", form))


def test_a_disabled_client_does_not_get_in(world, key):
    client = world.client(key, disabled=True)
    refused(world.token(key.sign(world.claims(client))))


def test_a_public_client_proves_nothing_by_a_signature(world, key):
    with pytest.raises(InvalidClientMetadata, match="confidential"):
        world.client(key, public=True)


def test_a_secret_kept_as_a_digest_is_no_key(world):
    """S46: neither is such a client registered, nor does the digest sign."""
    with pytest.raises(InvalidClientMetadata, match="kept as a digest cannot verify signatures"):
        world.client(token_endpoint_auth_method="client_secret_jwt")
    client = world.record(world.client())
    (stored,) = client.secret_hashes
    for secret in (stored, stored.partition(":")[2]):
        refused(world.token(signed_with_secret(secret.encode(), world.claims(client.client_id))))


def test_nothing_of_an_assertion_is_told(world, key, caplog):
    """S58."""
    caplog.set_level(1)
    client = world.client(key)
    for changes in ({"aud": "https://evil.example/secret-path"}, {"jti": None}, {"exp": NOW - 500}):
        assertion = key.sign(world.claims(client, **changes))
        response = world.token(assertion)
        refused(response)
        for text in (caplog.text, response.text):
            assert assertion.rpartition(".")[2] not in text
            assert "secret-path" not in text
