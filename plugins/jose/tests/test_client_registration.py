"""What a client may say about algorithms and keys, on every way of saving it."""

from dataclasses import replace

import pytest
from support.fitting import fitting

from portula import Plugin, hookimpl
from portula.errors import InvalidClientMetadata
from portula.plugin import Application, read_client_metadata
from portula_testing.jws import TokenKey, verified_with_secret

SECRET = "a secret that a person chose, long enough for most"


@pytest.fixture
def provider(make):
    return make()


def save(provider, *, secret=SECRET, hash_secret=False, **fields):
    if fields.get("client_type") == "public":
        secret = None
    application = Application(client_id="", **fields)
    return provider.clients.create(application, secret=secret, hash_secret=hash_secret)[0]


@pytest.mark.parametrize("algorithm", ["", "RS256", "PS256", "ES256", "ES384", "EdDSA", "HS256", "HS384"])
def test_an_algorithm_that_can_sign_may_be_chosen(provider, algorithm):
    client = save(provider, algorithm=algorithm)
    assert provider.storage.find(Application, client_id=client.client_id).algorithm == algorithm
    token = provider.hooks.ask(Plugin.portula_jose).sign(
        {}, typ="JWT", algorithm=algorithm or "RS256", client=client
    )
    assert provider.hooks.ask(Plugin.portula_jose).verify_own(token, typ={"JWT"}, client=client)


@pytest.mark.parametrize("algorithm", ["none", "RS512", "ES512", "rs256", "RSA-OAEP", "HS1"])
def test_an_algorithm_that_nothing_here_signs_with_is_refused(provider, algorithm):
    with pytest.raises(
        InvalidClientMetadata, match="this provider signs with RS256, PS256, ES256, ES384, EdDSA"
    ):
        save(provider, algorithm=algorithm)


def test_algorithms_that_are_not_offered_are_refused(make, pem):
    for provider in (make(SIGNING_ALGORITHMS=["RS256"]), make(OIDC_RSA_PRIVATE_KEY=pem)):
        with pytest.raises(InvalidClientMetadata, match="algorithm 'ES256'"):
            save(provider, algorithm="ES256")


@pytest.mark.parametrize("secret", [SECRET, None])
def test_a_client_with_a_hashed_secret_cannot_have_it_sign(provider, secret):
    """Attack S46, whether the secret was chosen or generated."""
    with pytest.raises(InvalidClientMetadata, match="a hashed secret cannot sign"):
        save(provider, secret=secret, hash_secret=True, algorithm="HS256")
    client = save(provider, secret=secret, hash_secret=True)
    with pytest.raises(InvalidClientMetadata, match="a hashed secret cannot sign"):
        provider.clients.save(replace(client, algorithm="HS256"))


def test_a_public_client_has_nothing_that_signs(provider):
    with pytest.raises(InvalidClientMetadata, match="a public client has no secret"):
        save(provider, client_type="public", algorithm="HS256")


def test_a_secret_shorter_than_the_digest_does_not_sign(provider):
    """RFC 7518 §3.2."""
    with pytest.raises(InvalidClientMetadata, match="at least 64 bytes"):
        save(provider, algorithm="HS512")
    assert save(provider, algorithm="HS512", secret=SECRET * 2)


def test_of_two_secrets_the_first_signs_and_both_verify(provider):
    hasher, jose = provider.hooks.ask(Plugin.portula_secret_hasher), provider.hooks.ask(Plugin.portula_jose)
    secrets = ["the new secret, which is long enough", "the old secret, which is long enough"]
    client = Application(client_id="x", secret_hashes=tuple(map(hasher.seal, secrets)))
    verified_with_secret(jose.sign({}, typ="JWT", algorithm="HS256", client=client), secrets[0].encode())
    former = replace(client, secret_hashes=client.secret_hashes[1:])
    old = jose.sign({}, typ="JWT", algorithm="HS256", client=former)
    assert jose.verify_own(old, typ={"JWT"}, client=client)


@pytest.mark.parametrize("algorithm", ["RS256", "ES512", "EdDSA"])
def test_public_keys_may_be_registered(provider, algorithm):
    key = TokenKey(algorithm)
    client = save(provider, metadata={"jwks": {"keys": [key.jwk, {**key.jwk, "kid": "2", "use": "enc"}]}})
    token = key.sign({"a": 1})
    assert provider.hooks.ask(Plugin.portula_jose).verify_of_client(
        token, client, algorithms={algorithm}, typ={"JWT"}
    )


@pytest.mark.parametrize(
    "other",
    [
        {"kty": "AKP", "alg": "ML-DSA-65", "pub": "AAAA", "kid": "2"},
        {"kty": "OKP", "crv": "Ed448", "x": "AAAA", "kid": "2"},
        {"kty": "EC", "crv": "secp256k2", "x": "AA", "y": "AA"},
        {**TokenKey("ES256").jwk, "kid": "1"},
        {**TokenKey("EdDSA").jwk, "kid": "1", "use": "enc"},
    ],
    ids=["type", "curve", "no curve", "same kid", "same kid to encrypt"],
)
def test_a_key_that_is_for_others_does_no_harm_beside_one_that_is_for_here(provider, other):
    """RFC 7517 §5, FAPI 2.0 Security Profile §5.4.3."""
    key = TokenKey("EdDSA", kid="1")
    client = save(provider, metadata={"jwks": {"keys": [other, key.jwk]}})
    jose = provider.hooks.ask(Plugin.portula_jose)
    assert jose.verify_of_client(key.sign({}), client, algorithms={"EdDSA"}, typ={"JWT"})


def private_jwk():
    return {**TokenKey("EdDSA").jwk, "d": "AAAA"}


@pytest.mark.parametrize(
    ("jwks", "said"),
    [
        ({"keys": [private_jwk()]}, "key 0 holds a private or symmetric key"),
        ({"keys": [{**private_jwk(), "use": "enc"}]}, "key 0 holds a private or symmetric key"),
        (
            {"keys": [TokenKey("EdDSA").jwk, {"kty": "oct", "k": "AAAA"}]},
            "key 1 holds a private or symmetric",
        ),
        ({"keys": [{"kty": "oct"}]}, "key 0 holds a private or symmetric"),
        ({"keys": [TokenKey("EdDSA").jwk] * 2}, "two keys have one kid"),
        ({"keys": [{"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}]}, "key 0 is no key"),
        ({"keys": [{"kty": "EC", "crv": "secp256k2", "x": "AA", "y": "AA"}]}, "no key is of a type"),
        ({"keys": [{"kty": "AKP", "alg": "ML-DSA-65", "pub": "AA"}]}, "no key is of a type"),
        (
            {"keys": [TokenKey("EdDSA").jwk, {"kty": "AKP", "pub": "AA", "priv": "AAAA"}]},
            "key 1 holds a private or symmetric",
        ),
        ({"keys": [{"kty": "RSA", "n": "AQAB"}]}, "key 0 is of a type"),
        ({"keys": [{"kty": "RSA", "n": 1, "e": 2}]}, "key 0 is of a type"),
        ({"keys": ["key"]}, "key 0 is no JSON object"),
        ({"keys": [{**TokenKey("EdDSA").jwk, "kid": 5}]}, "key 0 has a kid or an alg that is no text"),
        ({"keys": [{**TokenKey("EdDSA").jwk, "key_ops": ["sign"]}]}, "key 0 is not for signatures"),
        ({"keys": []}, "1 to 32 `keys`"),
        ({"keys": [{}] * 33}, "1 to 32 `keys`"),
        ({}, "1 to 32 `keys`"),
        ([], "1 to 32 `keys`"),
        ("keys", "1 to 32 `keys`"),
    ],
)
def test_what_is_no_set_of_public_keys_is_refused(provider, jwks, said):
    with pytest.raises(InvalidClientMetadata, match=said) as caught:
        save(provider, metadata={"jwks": jwks})
    assert caught.value.error == "invalid_client_metadata"
    assert "AAAA" not in str(caught.value)


@pytest.mark.parametrize(
    "uri",
    [
        "http://client.example/jwks",
        "https:///jwks",
        "https://user:password@client.example/jwks",
        "https://client.example/jwks#key",
        "https://[client.example/jwks",
        "https://x,frame-src,.evil.example/jwks",
        "https://client.example:99999/jwks",
        "https://client..example/jwks",
        "https://cl%69ent.example/jwks",
        "https://client.example/ jwks",
        "https://client.example/jwks\n",
        "file:///etc/passwd",
        "/jwks",
        "",
        7,
        ["https://client.example/jwks"],
    ],
)
def test_a_place_of_keys_is_an_https_url(provider, uri):
    with pytest.raises(InvalidClientMetadata, match="jwks_uri: an https URL"):
        save(provider, metadata={"jwks_uri": uri})
    assert save(provider, metadata={"jwks_uri": "https://client.example/jwks"})


def test_keys_are_given_in_one_way(provider):
    """RFC 7591 §2."""
    metadata = {"jwks": TokenKey("EdDSA").jwks, "jwks_uri": "https://client.example/jwks"}
    with pytest.raises(InvalidClientMetadata, match="exclude each other"):
        save(provider, metadata=metadata)


def test_both_members_are_client_metadata(provider):
    members = {member.name: member for member in provider.hooks.collect(Plugin.portula_client_metadata)}
    document = {"jwks": TokenKey("EdDSA").jwks, "jwks_uri": "https://client.example/jwks", "else": 1}
    assert read_client_metadata(members, document)["metadata"] == {
        name: document[name] for name in ("jwks", "jwks_uri")
    }
    with pytest.raises(InvalidClientMetadata, match="jwks"):
        read_client_metadata(members, {"jwks": "keys"})


class Elsewhere:
    """Another answer to the slot of this room."""

    def __init__(self, jose):
        self.jose = jose

    @hookimpl
    def portula_jose(self, provider):
        return self.jose


def test_a_room_that_lost_its_slot_leaves_nothing_behind(make):
    provider = make(Elsewhere(fitting("portula_jose")))
    assert [command.name for command in provider.hooks.collect(Plugin.portula_commands)] == []
    assert [member.name for member in provider.hooks.collect(Plugin.portula_client_metadata)] == []
    assert [finding.id for finding in provider.hooks.collect(Plugin.portula_checks)] == [
        "generators.hash-profile"
    ]
    assert save(provider, algorithm="RS1024", metadata={"jwks": "anything"})
