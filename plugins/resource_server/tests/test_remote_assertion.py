"""A resource server that asks by private_key_jwt (RFC 7523 §2.2)."""

from urllib.parse import parse_qs

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from jwcrypto.jwk import JWK
from support.asking import ResourceServer
from support.openid import make_world, pem

from portula import ConfigError
from portula_testing import jws

__all__ = ["make_world", "pem"]

ISSUER = "https://id.example/o"
PREFIX = "RESOURCE_SERVER_INTROSPECTION_JWT_"
KEYS = {
    "RS256": rsa.generate_private_key(65537, 2048),
    "ES256": ec.generate_private_key(ec.SECP256R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate(),
}


def private(key, encryption=None):
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption()).decode()


def public(key, **members):
    return {**JWK.from_pyca(key.public_key()).export_public(as_dict=True), **members}


def asking(client_id, key, **settings):
    given = {"CLIENT_ID": client_id, "PRIVATE_KEY": private(key), "AUDIENCE": ISSUER, **settings}
    return {f"{PREFIX}{name}": value for name, value in given.items() if value is not None}


@pytest.fixture(scope="module")
def world(make_world):
    return make_world()


def registered(world, key, **members):
    return world.client(
        token_endpoint_auth_method="private_key_jwt",
        scope="introspection",
        metadata={"jwks": {"keys": [public(key, **members)]}},
    )


def sent(server):
    """Return header and claims of the last assertion."""
    form = parse_qs(server.requests[-1].content.decode())
    return jws.taken_apart(form["client_assertion"][0])


@pytest.mark.parametrize("algorithm", KEYS)
def test_a_question_carries_an_assertion_that_the_provider_takes(monkeypatch, world, algorithm):
    key = KEYS[algorithm]
    party = registered(world, key, kid="the key")
    server = ResourceServer(monkeypatch, world, **asking(party.client_id, key, KID="the key"))
    token = world.sign_in(world.client(), scope="openid read")["access_token"]
    assert server.get(token).json == {"sub": world.ann.sub}
    header, claims = sent(server)
    assert header == {"typ": "JWT", "alg": algorithm, "kid": "the key"}
    assert (claims["iss"], claims["sub"], claims["aud"]) == (party.client_id, party.client_id, ISSUER)
    assert claims["exp"] - claims["iat"] == 60
    assert "authorization" not in server.requests[-1].headers


def test_each_question_has_an_assertion_of_its_own(monkeypatch, world):
    party = registered(world, KEYS["ES256"])
    server = ResourceServer(
        monkeypatch,
        world,
        RESOURCE_SERVER_TOKEN_CACHING_SECONDS=0,
        **asking(party.client_id, KEYS["ES256"], LIFETIME=30),
    )
    token = world.door().token(world.client(), grant_type="client_credentials", scope="read").json
    seen = set()
    for _ in range(3):
        assert server.get(token["access_token"]).status_code == 200
        seen.add(sent(server)[1]["jti"])
    assert len(seen) == 3
    assert sent(server)[1]["exp"] - sent(server)[1]["iat"] == 30


@pytest.mark.parametrize("wrong", [{"AUDIENCE": "https://other.example"}, {"CLIENT_ID": "somebody"}])
def test_an_assertion_that_the_provider_refuses_is_503_and_no_token_passes(monkeypatch, world, wrong):
    party = registered(world, KEYS["ES256"])
    given = {"CLIENT_ID": party.client_id, **wrong}
    server = ResourceServer(monkeypatch, world, **asking(given.pop("CLIENT_ID"), KEYS["ES256"], **given))
    assert server.get("x").status_code == 503


def test_an_algorithm_may_be_chosen(monkeypatch, world):
    party = registered(world, KEYS["RS256"])
    server = ResourceServer(monkeypatch, world, **asking(party.client_id, KEYS["RS256"], ALG="PS256"))
    server.get("x")
    assert sent(server)[0] == {"typ": "JWT", "alg": "PS256"}


PUBLIC = KEYS["ES256"].public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"PRIVATE_KEY": "no key"}, "PRIVATE_KEY: this is no private key"),
        ({"PRIVATE_KEY": PUBLIC}, "PRIVATE_KEY: this is no private key"),
        ({"PRIVATE_KEY": private(KEYS["ES256"], BestAvailableEncryption(b"x"))}, "encrypted"),
        ({"PRIVATE_KEY": private(rsa.generate_private_key(65537, 1024))}, "fits any algorithm"),
        ({"ALG": "RS256"}, "fits RS256"),
        ({"ALG": "HS256"}, "fits HS256"),
        ({"ALG": "none"}, "fits none"),
        ({"PRIVATE_KEY": None}, "PRIVATE_KEY is needed too"),
        ({"AUDIENCE": None}, "AUDIENCE is needed too"),
        ({"CLIENT_ID": None}, "JWT_CLIENT_ID"),
        ({"LIFETIME": 0}, "LIFETIME"),
        ({"LIFETIME": 301}, "LIFETIME"),
    ],
)
def test_a_key_that_cannot_sign_stops_the_start_and_is_not_said(monkeypatch, world, change, said):
    settings = asking("api", KEYS["ES256"], **change)
    with pytest.raises(ConfigError, match=said) as stopped:
        ResourceServer(monkeypatch, world, **settings)
    given = settings.get(f"{PREFIX}PRIVATE_KEY")
    assert given is None or given.splitlines()[-2:][0] not in str(stopped.value) or given == "no key"
