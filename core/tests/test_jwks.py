"""Public keys as JSON Web Keys, and their thumbprints."""

import pytest

from portula.plugin import jwk_thumbprint, public_jwk

OF_THE_RFC = {
    "kty": "RSA",
    "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjB"
    "ZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8"
    "KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_"
    "xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
    "e": "AQAB",
    "alg": "RS256",
    "kid": "2011-04-29",
}
EC = {"kty": "EC", "crv": "P-256", "x": "eA", "y": "eQ"}


def test_the_thumbprint_is_that_of_the_rfc():
    """RFC 7638 §3.1."""
    key = public_jwk(OF_THE_RFC)
    assert key is not None
    assert key.keys() == {"kty", "n", "e"}
    assert jwk_thumbprint(key) == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"


def test_the_thumbprint_of_an_edwards_curve_is_that_of_the_rfc():
    """RFC 8037 appendix A.3."""
    key = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
    assert jwk_thumbprint(key) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


def test_other_members_and_their_order_are_no_matter():
    key = public_jwk({"use": "sig", "y": "eQ", "x": "eA", "crv": "P-256", "kty": "EC", "key_ops": ["verify"]})
    assert key == public_jwk(EC)


@pytest.mark.parametrize(
    "jwk",
    [
        None,
        "x",
        [],
        {},
        {"kty": "oct", "k": "eA"},
        {"kty": ["EC"]},
        {"kty": "unknown", "x": "eA"},
        {**EC, "d": "eA"},
        {**EC, "x": 1},
        {**EC, "y": None},
        {"kty": "EC", "crv": "P-256", "x": "eA"},
        {**OF_THE_RFC, "p": "eA"},
    ],
)
def test_what_is_no_public_key_is_none(jwk):
    assert public_jwk(jwk) is None
