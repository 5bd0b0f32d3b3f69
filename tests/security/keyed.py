"""Providers that sign, and clients with keys, for the attacks on tokens."""

import json
from functools import cache

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from portula import Plugin
from portula.errors import UntrustedToken
from portula.plugin import Application, Message
from portula_testing.jws import TokenKey
from portula_testing.provider import make_provider

CLAIMS = {"iss": "https://id.example/o", "sub": "ann", "aud": "app", "exp": 4_000_000_000}
ALGORITHMS = ("RS256", "PS256", "ES256", "ES384", "EdDSA")
HMACS = ("HS256", "HS384", "HS512")
SECRET = "a secret that is known to both sides, and long enough for every algorithm"


@cache
def key_of(algorithm):
    """A client's key; it is made once, since that takes long."""
    return TokenKey(algorithm, f"client-{algorithm}")


@cache
def provider_with(*plugins, **settings):
    return make_provider("jose", "generators", *plugins, settings=settings)


@cache
def a_pem():
    key = rsa.generate_private_key(65537, 2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def configured():
    return provider_with(OIDC_RSA_PRIVATE_KEY=a_pem())


def published(provider):
    return json.loads(provider.hooks.ask(Plugin.portula_jose).publish(Message("GET", "/")).body)["keys"]


def keyed_client(algorithm="RS256", **metadata):
    return Application(client_id="app", metadata={"jwks": key_of(algorithm).jwks, **metadata})


def sealed_client(provider):
    return provider.clients.create(Application(client_id=""), secret=SECRET, hash_secret=False)[0]


def believed(verify, tokens):
    """Return which of these tokens, given with what is wrong with them, are not refused."""
    found = []
    for name, token in tokens:
        try:
            verify(token)
        except UntrustedToken:
            continue
        found.append(name)
    return found
