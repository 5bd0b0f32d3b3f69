"""Each setting changes what it says it changes; what is advertised is what works."""

import pytest
from support.assertions import ISSUER, TYPE, World, refused

import portula_client_assertion
from portula import Plugin
from portula.errors import ConfigError, InvalidClientMetadata
from portula_testing.jws import TokenKey
from portula_testing.provider import make_provider

TOKEN_ENDPOINT = f"{ISSUER}/token/"
LISTS = ([ISSUER], [ISSUER, TOKEN_ENDPOINT], [ISSUER, "https://evil.example"], [])


def accepted(world, key, client, *audiences):
    """Return those audiences that are accepted."""
    return [
        aud for aud in audiences if world.token(key.sign(world.claims(client, aud=aud))).status_code == 200
    ]


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        (["issuer"], [ISSUER]),
        (["token_endpoint"], [TOKEN_ENDPOINT]),
        (["issuer", "token_endpoint"], [ISSUER, TOKEN_ENDPOINT]),
        (["endpoint"], [TOKEN_ENDPOINT]),
    ],
)
def test_the_audience_is_one_that_is_accepted(make_world, key, setting, expected):
    world = make_world(CLIENT_ASSERTION_ACCEPTED_AUDIENCES=setting)
    asked = (ISSUER, TOKEN_ENDPOINT, f"{ISSUER}/introspect/", "https://evil.example", [ISSUER])
    assert accepted(world, key, world.client(key), *asked) == expected


def test_the_endpoint_is_the_one_that_is_asked(make_world, key):
    world = make_world(CLIENT_ASSERTION_ACCEPTED_AUDIENCES=["endpoint"])
    client = world.client(key)
    for aud, status in ((f"{ISSUER}/introspect/", 200), (TOKEN_ENDPOINT, 401)):
        form = {
            "client_assertion_type": TYPE,
            "client_assertion": key.sign(world.claims(client, aud=aud)),
            "token": "x",
        }
        assert world.post("/o/introspect/", form).status_code == status


def test_a_list_counts_only_where_lists_do_and_every_member_is_ours(make_world, key):
    both = {"CLIENT_ASSERTION_ACCEPTED_AUDIENCES": ["issuer", "token_endpoint"]}
    strict, lax = make_world(**both), make_world(**both, CLIENT_ASSERTION_AUDIENCE_LISTS=True)
    assert accepted(strict, key, strict.client(key), *LISTS) == []
    assert accepted(lax, key, lax.client(key), *LISTS) == [[ISSUER], [ISSUER, TOKEN_ENDPOINT]]


def test_a_client_may_be_stricter_than_its_provider(make_world, key):
    """A FAPI client beside clients of plain OpenID Connect."""
    world = make_world(
        CLIENT_ASSERTION_ACCEPTED_AUDIENCES=["issuer", "token_endpoint"], CLIENT_ASSERTION_AUDIENCE_LISTS=True
    )
    client = world.client(key, metadata={"client_assertion_audience": "issuer"})
    assert accepted(world, key, client, ISSUER, TOKEN_ENDPOINT, [ISSUER]) == [ISSUER]


@pytest.mark.parametrize("lifetime", [10, 300, 3600])
def test_an_assertion_does_not_live_longer_than_it_may(make_world, key, clock, lifetime):
    world = make_world(CLIENT_ASSERTION_MAX_LIFETIME=lifetime, CLIENT_ASSERTION_LEEWAY=0)
    client, now = world.client(key), int(clock())
    assert world.token(key.sign(world.claims(client, exp=now + lifetime))).status_code == 200
    refused(world.token(key.sign(world.claims(client, exp=now + lifetime + 1))))


@pytest.mark.parametrize("leeway", [0, 10, 300])
def test_clocks_may_differ_by_the_leeway(make_world, key, clock, leeway):
    world = make_world(CLIENT_ASSERTION_LEEWAY=leeway)
    client, now = world.client(key), int(clock())
    for changes in ({"nbf": now + leeway}, {"iat": now + leeway}, {"exp": now - leeway + 1}):
        assert world.token(key.sign(world.claims(client, **changes))).status_code == 200
    for changes in ({"nbf": now + leeway + 1}, {"iat": now + leeway + 1}, {"exp": now - leeway}):
        refused(world.token(key.sign(world.claims(client, **changes))))


def test_algorithms_of_keys_are_those_that_are_named(make_world, key):
    """FAPI 2.0 refuses RS256."""
    world = make_world(CLIENT_ASSERTION_PRIVATE_KEY_JWT_ALGS=["ES256", "PS256"])
    rsa = TokenKey("RS256")
    refused(world.token(rsa.sign(world.claims(world.client(rsa)))))
    assert world.token(key.sign(world.claims(world.client(key)))).status_code == 200


def test_algorithms_of_secrets_are_those_that_are_named(make_world, secret_signed):
    world = make_world(CLIENT_ASSERTION_CLIENT_SECRET_JWT_ALGS=["HS512"])
    client, secret = world.sealed_client()
    refused(world.token(secret_signed(secret, world.claims(client), "HS256")))
    assert world.token(secret_signed(secret, world.claims(client), "HS512")).status_code == 200


@pytest.mark.parametrize(
    ("setting", "gone", "left"),
    [
        ("CLIENT_ASSERTION_PRIVATE_KEY_JWT_ALGS", "private_key_jwt", "client_secret_jwt"),
        ("CLIENT_ASSERTION_CLIENT_SECRET_JWT_ALGS", "client_secret_jwt", "private_key_jwt"),
    ],
)
def test_a_method_without_algorithms_is_off(make_world, key, setting, gone, left):
    world = make_world(**{setting: []})
    methods = world.provider.client_auth_methods
    assert (gone in methods, left in methods) == (False, True)
    assert gone not in world.provider.metadata_document["token_endpoint_auth_methods_supported"]


def test_a_method_that_the_deployment_leaves_out_is_off(make_world, key):
    """Neither it nor its algorithms are advertised, and no client is registered for it."""
    world = make_world(OIDC_TOKEN_ENDPOINT_AUTH_METHODS_SUPPORTED=["private_key_jwt"])
    document = world.provider.metadata_document
    assert document["token_endpoint_auth_methods_supported"] == ["private_key_jwt"]
    assert not any(
        name.startswith("HS") for name in document["token_endpoint_auth_signing_alg_values_supported"]
    )
    assert world.token(key.sign(world.claims(world.client(key)))).status_code == 200
    with pytest.raises(InvalidClientMetadata, match="client_secret_jwt is switched off"):
        world.sealed_client()
    neither = make_world(OIDC_TOKEN_ENDPOINT_AUTH_METHODS_SUPPORTED=["client_secret_basic"])
    assert not any("signing_alg" in name for name in neither.provider.metadata_document)


def test_the_metadata_names_methods_and_algorithms_everywhere(world):
    """RFC 8414 §2: the algorithms are required with these methods, and `none` is not among them."""
    document = world.doors["flask"].get("/o/.well-known/oauth-authorization-server").json
    for endpoint in ("token", "revocation", "introspection"):
        assert {"private_key_jwt", "client_secret_jwt"} <= set(
            document[f"{endpoint}_endpoint_auth_methods_supported"]
        )
        assert document[f"{endpoint}_endpoint_auth_signing_alg_values_supported"] == sorted(
            ["RS256", "PS256", "ES256", "ES384", "EdDSA", "HS256", "HS384", "HS512"]
        )


def test_each_algorithm_that_is_advertised_works(make_world, secret_signed):
    every = [
        "RS256",
        "RS384",
        "RS512",
        "PS256",
        "PS384",
        "PS512",
        "ES256",
        "ES384",
        "ES512",
        "EdDSA",
        "Ed25519",
    ]
    world = make_world(CLIENT_ASSERTION_PRIVATE_KEY_JWT_ALGS=every)
    client, secret = world.sealed_client()
    for algorithm in world.provider.metadata_document["token_endpoint_auth_signing_alg_values_supported"]:
        if algorithm.startswith("HS"):
            response = world.token(secret_signed(secret, world.claims(client), algorithm))
        else:
            key = TokenKey("EdDSA" if algorithm == "Ed25519" else algorithm)
            signer = world.client(key)
            response = world.token(key.sign(world.claims(signer), alg=algorithm))
        assert response.status_code == 200, algorithm


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CLIENT_ASSERTION_PRIVATE_KEY_JWT_ALGS", ["none"]),
        ("CLIENT_ASSERTION_PRIVATE_KEY_JWT_ALGS", ["HS256"]),
        ("CLIENT_ASSERTION_CLIENT_SECRET_JWT_ALGS", ["RS256"]),
        ("CLIENT_ASSERTION_ACCEPTED_AUDIENCES", []),
        ("CLIENT_ASSERTION_ACCEPTED_AUDIENCES", ["anything"]),
        ("CLIENT_ASSERTION_MAX_LIFETIME", 9),
        ("CLIENT_ASSERTION_MAX_LIFETIME", 3601),
        ("CLIENT_ASSERTION_LEEWAY", -1),
        ("CLIENT_ASSERTION_LEEWAY", 301),
    ],
)
def test_a_setting_that_cannot_be_meant_stops_the_start(name, value):
    with pytest.raises(ConfigError, match=f"^{name}"):
        make_provider(portula_client_assertion, settings={name: value})


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        ({}, []),
        ({"CLIENT_ASSERTION_ACCEPTED_AUDIENCES": ["issuer", "endpoint"]}, ["client_assertion.audience"]),
        ({"CLIENT_ASSERTION_AUDIENCE_LISTS": True}, ["client_assertion.audience"]),
    ],
)
def test_lax_audiences_are_found(clock, settings, found):
    ids = [finding.id for finding in World(clock, **settings).provider.hooks.collect(Plugin.portula_checks)]
    assert [name for name in ids if name.startswith("client_assertion.")] == found
