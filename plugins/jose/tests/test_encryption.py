"""Tokens that are encrypted for clients, read by joserfc, Authlib's JOSE library (RFC 7516)."""

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc import jwk
from support.encrypting import URI, KeyServer, ec_key, jwks_of, key_of_secret, opened, public, rsa_key

from portula import Plugin
from portula.errors import InvalidClientMetadata, JoseError, KeysUnavailable, RetryLater
from portula.plugin import Application, ClientRegistration, TokenEncryption
from portula_jose.client_keys import ClientKey, UnusableKey
from portula_testing.jws import public_members

TOKEN = "header.claims.signature"
SECRET = "a secret that two parties share, long enough for the longest of all keys"
METHODS = ("A128CBC-HS256", "A192CBC-HS384", "A256CBC-HS512", "A128GCM", "A192GCM", "A256GCM")
RSA = ("RSA-OAEP", "RSA-OAEP-256")
ECDH = ("ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A192KW", "ECDH-ES+A256KW")
SYMMETRIC = ("dir", "A128KW", "A192KW", "A256KW")
KEY_BYTES = dict(zip(METHODS, (32, 48, 64, 16, 24, 32), strict=True))

OF_ALL = TokenEncryption("introspection")


def client_of(*keys, **metadata):
    jwks = {"jwks": jwks_of(*keys)} if keys else {}
    return Application(client_id="client", metadata={**jwks, **metadata})


def with_secret(provider, secret=SECRET, *, hash_secret=False):
    return provider.clients.create(Application(client_id=""), secret=secret, hash_secret=hash_secret)[0]


@pytest.fixture
def provider(make):
    return make()


@pytest.fixture
def jose(provider):
    return provider.hooks.ask(Plugin.portula_jose)


# --- Every algorithm ---


@pytest.mark.parametrize("enc", METHODS)
@pytest.mark.parametrize("algorithm", [*RSA, *ECDH])
def test_a_client_reads_what_is_encrypted_with_its_key(jose, algorithm, enc):
    key = rsa_key() if algorithm in RSA else ec_key()
    token = jose.encrypt(TOKEN, client_of(rsa_key(), ec_key()), algorithm=algorithm, enc=enc)
    header, content = opened(token, key, algorithm, enc)
    assert content == TOKEN
    assert header.items() >= {"alg": algorithm, "enc": enc, "kid": key.kid, "cty": "JWT"}.items()
    assert "zip" not in header
    assert TOKEN not in token


@pytest.mark.parametrize("enc", METHODS)
@pytest.mark.parametrize("algorithm", SYMMETRIC)
def test_a_client_reads_what_is_encrypted_with_its_secret(provider, jose, algorithm, enc):
    size = KEY_BYTES[enc] if algorithm == "dir" else int(algorithm[1:4]) // 8
    token = jose.encrypt(TOKEN, with_secret(provider), algorithm=algorithm, enc=enc)
    header, content = opened(token, key_of_secret(SECRET, size), algorithm, enc)
    assert content == TOKEN
    assert "kid" not in header


@pytest.mark.parametrize("crv", ["P-256", "P-384", "P-521", "X25519"])
def test_keys_of_every_curve_are_encrypted_with(jose, crv):
    token = jose.encrypt(TOKEN, client_of(ec_key(crv)), algorithm="ECDH-ES+A256KW", enc="A256GCM")
    assert opened(token, ec_key(crv), "ECDH-ES+A256KW", "A256GCM")[1] == TOKEN


@pytest.mark.parametrize("algorithm", ["RSA1_5", "PBES2-HS256+A128KW", "A128GCMKW", "none", "RS256"])
def test_other_algorithms_encrypt_nothing(provider, jose, algorithm):
    client = replace(with_secret(provider), metadata=client_of(rsa_key()).metadata)
    with pytest.raises(JoseError, match="nothing here encrypts"):
        jose.encrypt(TOKEN, client, algorithm=algorithm, enc="A128GCM")
    with pytest.raises(JoseError, match="nothing here encrypts"):
        jose.encrypt(TOKEN, client, algorithm="RSA-OAEP", enc="A128")


def test_what_is_no_token_says_nothing_of_its_content(jose):
    token = jose.encrypt("{}", client_of(rsa_key()), algorithm="RSA-OAEP", enc="A128GCM", cty="")
    assert "cty" not in opened(token, rsa_key(), "RSA-OAEP", "A128GCM")[0]


# --- Which key ---


def test_a_key_for_encryption_goes_before_one_that_does_not_say(jose):
    other = jwk.RSAKey.generate_key(2048, {"kid": "any"})
    token = jose.encrypt(TOKEN, client_of(other, rsa_key()), algorithm="RSA-OAEP", enc="A128GCM")
    assert opened(token, rsa_key(), "RSA-OAEP", "A128GCM")[1] == TOKEN
    alone = jose.encrypt(TOKEN, client_of(other), algorithm="RSA-OAEP", enc="A128GCM")
    assert opened(alone, other, "RSA-OAEP", "A128GCM")[1] == TOKEN


@pytest.mark.parametrize(
    "members",
    [
        {"use": "sig"},
        {"alg": "RSA-OAEP-256"},
        {"alg": "RS256"},
        {"key_ops": ["verify"]},
        {"key_ops": [["wrapKey"]]},
        {"kty": "EC"},
    ],
)
def test_a_key_is_used_only_for_what_it_says(jose, members):
    client = Application(client_id="c", metadata={"jwks": {"keys": [public(rsa_key(), **members)]}})
    with pytest.raises(JoseError, match="has no key for RSA-OAEP"):
        jose.encrypt(TOKEN, client, algorithm="RSA-OAEP", enc="A128GCM")


def test_a_key_too_weak_or_private_encrypts_nothing():
    weak = public_members(rsa.generate_private_key(65537, 1024).public_key())
    for members in (
        {**weak, "use": "enc"},
        rsa_key().as_dict(private=True),
        {"kty": "oct", "k": "AAAA", "use": "enc"},
    ):
        with pytest.raises(UnusableKey):
            ClientKey.of(members, "enc")


def test_a_hashed_or_short_secret_encrypts_nothing(provider, jose):
    """Attack S46."""
    hashed, short = with_secret(provider, hash_secret=True), with_secret(provider, "s" * 40)
    for client in (hashed, Application(client_id="public", client_type="public")):
        for algorithm in SYMMETRIC:
            with pytest.raises(JoseError, match="kept encrypted"):
                jose.encrypt(TOKEN, client, algorithm=algorithm, enc="A128GCM")
    assert jose.encrypt(TOKEN, short, algorithm="dir", enc="A256GCM")
    with pytest.raises(JoseError, match=r"dir with A256CBC-HS512 needs .* at least 64 bytes"):
        jose.encrypt(TOKEN, short, algorithm="dir", enc="A256CBC-HS512")


# --- Keys at a jwks_uri ---


def test_keys_at_a_uri_are_fetched_once_and_followed(make, clock):
    web = KeyServer()
    jose, second = make(web).hooks.ask(Plugin.portula_jose), rsa_key("second")
    client = Application(client_id="c", metadata={"jwks_uri": URI})

    def encrypt():
        return jose.encrypt(TOKEN, client, algorithm="RSA-OAEP", enc="A128GCM")

    web.jwks = jwks_of(rsa_key())
    for _ in range(3):
        assert opened(encrypt(), rsa_key(), "RSA-OAEP", "A128GCM")[1] == TOKEN
    assert web.times == 1
    web.jwks = jwks_of(second)
    clock.advance(3600)
    assert opened(encrypt(), second, "RSA-OAEP", "A128GCM")[1] == TOKEN


def test_without_an_answer_a_client_is_told_when_to_come_again(make, clock):
    web = KeyServer()
    provider = make(web)
    client = Application(client_id="c", metadata={"jwks_uri": URI, OF_ALL.alg: "RSA-OAEP"})
    with pytest.raises(RetryLater) as later:
        OF_ALL.encrypt(provider, client, TOKEN)
    assert 0 < later.value.retry_after <= 10
    web.status = 404
    clock.advance(10)
    with pytest.raises(JoseError) as error:
        OF_ALL.encrypt(provider, client, TOKEN)
    assert not isinstance(error.value, KeysUnavailable)


# --- What a client may be registered with ---


def refusal(provider, client):
    with pytest.raises(InvalidClientMetadata) as refused:
        OF_ALL.check(ClientRegistration(provider=provider, application=client))
    return str(refused.value)


def test_two_members_are_understood(provider):
    names = [member.name for member in OF_ALL.members(provider)]
    assert names == ["introspection_encrypted_response_alg", "introspection_encrypted_response_enc"]
    assert OF_ALL.metadata(provider) == {
        "introspection_encryption_alg_values_supported": [*RSA, *ECDH, *SYMMETRIC],
        "introspection_encryption_enc_values_supported": list(METHODS),
    }


@pytest.mark.parametrize(
    ("metadata", "problem"),
    [
        ({OF_ALL.enc: "A128GCM"}, f"{OF_ALL.enc} needs {OF_ALL.alg}"),
        ({OF_ALL.alg: "RSA1_5"}, "'RSA1_5' is none of this provider's"),
        ({OF_ALL.alg: ["RSA-OAEP"]}, "is none of this provider's"),
        ({OF_ALL.alg: "RSA-OAEP", OF_ALL.enc: "A1"}, "'A1' is none of this provider's"),
        ({OF_ALL.alg: "ECDH-ES"}, "the client has no key for ECDH-ES"),
        ({OF_ALL.alg: "dir"}, "dir with A128CBC-HS256 needs a client secret"),
    ],
)
def test_what_cannot_be_encrypted_is_not_registered(provider, metadata, problem):
    assert problem in refusal(provider, client_of(rsa_key(), **metadata))


def test_what_can_be_encrypted_is_registered_and_keys_elsewhere_are_not_asked_for(make):
    web = KeyServer()
    provider = make(web)
    for client in (
        client_of(),
        client_of(rsa_key(), **{OF_ALL.alg: "RSA-OAEP"}),
        client_of(jwks_uri=URI, **{OF_ALL.alg: "ECDH-ES", OF_ALL.enc: "A256GCM"}),
        replace(with_secret(provider), metadata={OF_ALL.alg: "A256KW"}),
    ):
        OF_ALL.check(ClientRegistration(provider=provider, application=client))
    assert web.times == 0


def test_a_client_that_asks_for_nothing_gets_the_token_as_it_is(provider):
    assert OF_ALL.encrypt(provider, client_of(rsa_key()), TOKEN) == TOKEN


def test_content_is_encrypted_by_default_as_the_specification_says(provider):
    """OpenID Connect Registration §2."""
    token = OF_ALL.encrypt(provider, client_of(rsa_key(), **{OF_ALL.alg: "RSA-OAEP"}), TOKEN)
    assert opened(token, rsa_key(), "RSA-OAEP", "A128CBC-HS256")[1] == TOKEN


def test_the_settings_say_which_algorithms_there_are(make):
    provider = make(ENCRYPTION_ALGORITHMS=["ECDH-ES"], CONTENT_ENCRYPTIONS=["A256GCM"])
    assert OF_ALL.metadata(provider) == {
        "introspection_encryption_alg_values_supported": ["ECDH-ES"],
        "introspection_encryption_enc_values_supported": ["A256GCM"],
    }
    assert "'RSA-OAEP' is none" in refusal(provider, client_of(rsa_key(), **{OF_ALL.alg: "RSA-OAEP"}))
    assert "'A128CBC-HS256' is none" in refusal(provider, client_of(ec_key(), **{OF_ALL.alg: "ECDH-ES"}))


def test_where_nothing_is_encrypted_a_registered_client_gets_nothing_rather_than_a_plain_token(make):
    provider = make(ENCRYPTION_ALGORITHMS=[])
    client = client_of(rsa_key(), **{OF_ALL.alg: "RSA-OAEP"})
    assert OF_ALL.members(provider) == []
    assert OF_ALL.metadata(provider) == {}
    with pytest.raises(JoseError):
        OF_ALL.encrypt(provider, client, TOKEN)
