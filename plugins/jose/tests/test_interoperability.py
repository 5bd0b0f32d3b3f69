"""Tokens and keys of ours are understood by joserfc, Authlib's JOSE library, and its by us."""

import json
import time

import pytest
from joserfc import jwk, jwt

from portula import Plugin
from portula.errors import UntrustedToken
from portula.plugin import Application, Message
from portula_testing.provider import make_provider

pytestmark = pytest.mark.filterwarnings("ignore:EdDSA is deprecated")  # for the name Ed25519 (RFC 9864)

ALGORITHMS = ("RS256", "PS256", "ES256", "ES384", "EdDSA")
CLAIMS = {"iss": "https://id.example/o", "sub": "ann", "aud": "app", "exp": int(time.time()) + 600}
GENERATED = {
    "RS256": lambda: jwk.RSAKey.generate_key(2048),
    "PS256": lambda: jwk.RSAKey.generate_key(2048),
    "ES256": lambda: jwk.ECKey.generate_key("P-256"),
    "ES384": lambda: jwk.ECKey.generate_key("P-384"),
    "ES512": lambda: jwk.ECKey.generate_key("P-521"),
    "EdDSA": lambda: jwk.OKPKey.generate_key("Ed25519"),
    "Ed25519": lambda: jwk.OKPKey.generate_key("Ed25519"),
}


@pytest.fixture(scope="module")
def ours():
    return make_provider("jose", "generators").hooks.ask(Plugin.portula_jose)


def published(jose):
    return json.loads(jose.publish(Message("GET", "/")).body)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_joserfc_verifies_our_tokens_by_our_published_keys(ours, algorithm):
    token = ours.sign(CLAIMS, typ="JWT", algorithm=algorithm)
    found = jwt.decode(token, jwk.KeySet.import_key_set(published(ours)), algorithms=[algorithm])
    assert (found.claims, found.header["typ"]) == (CLAIMS, "JWT")


@pytest.mark.parametrize("algorithm", ["RS256", "PS256"])
def test_joserfc_takes_a_configured_key_for_both_its_algorithms(configured, algorithm):
    """Which it would not, if the key were published with one `alg`."""
    token = configured.sign(CLAIMS, typ="JWT", algorithm=algorithm)
    keys = jwk.KeySet.import_key_set(published(configured))
    assert jwt.decode(token, keys, algorithms=[algorithm]).claims == CLAIMS


@pytest.mark.parametrize("algorithm", GENERATED)
def test_tokens_of_joserfc_are_verified_by_the_keys_it_publishes(ours, algorithm):
    key = GENERATED[algorithm]()
    client = Application(client_id=algorithm, metadata={"jwks": {"keys": [key.as_dict(private=False)]}})
    token = jwt.encode({"alg": algorithm, "typ": "JWT"}, CLAIMS, key, algorithms=[algorithm])
    assert ours.verify_of_client(token, client, algorithms={algorithm}, typ={"JWT"}).claims == CLAIMS
    other = GENERATED[algorithm]()
    forged = jwt.encode({"alg": algorithm, "typ": "JWT"}, CLAIMS, other, algorithms=[algorithm])
    with pytest.raises(UntrustedToken):
        ours.verify_of_client(forged, client, algorithms={algorithm}, typ={"JWT"})
