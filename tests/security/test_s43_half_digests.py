"""S43: at_hash, c_hash and s_hash are made with the hash of the algorithm (OpenID Connect Core §3.1.3.6)."""

import hashlib

import pytest

from portula import Plugin
from portula.errors import JoseError
from portula_testing.jws import encode, taken_apart
from security.keyed import ALGORITHMS, CLAIMS, HMACS, provider_with

HASH = {"256": hashlib.sha256, "384": hashlib.sha384, "512": hashlib.sha512}
OTHERS = ("RS384", "RS512", "PS384", "PS512", "ES512")
VALUE = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"


@pytest.mark.parametrize("algorithm", [*ALGORITHMS, *OTHERS, *HMACS, "Ed25519"])
def test_the_hash_is_that_of_the_algorithm(algorithm):
    """CVE-2026-28498; oauthlib's id_token_hash knows SHA-256 alone."""
    made = HASH["512" if algorithm.startswith("Ed") else algorithm[2:]](VALUE.encode()).digest()
    half = provider_with().hooks.ask(Plugin.portula_jose).half_digest(VALUE, algorithm)
    assert half == encode(made[: len(made) // 2])
    assert "=" not in half
    assert provider_with().hooks.ask(Plugin.portula_jose).half_digest(f"{VALUE}x", algorithm) != half


def test_the_example_of_the_specification():
    """OpenID Connect Core §A.3 and §A.4."""
    half = provider_with().hooks.ask(Plugin.portula_jose).half_digest
    assert half(VALUE, "RS256") == "77QmUPtjPfzWtF2AnpK9RQ"
    assert (
        half("Qcb0Orv1zh30vL1MPRsbm-diHiMwcLyZvn1arpZv-Jxf_11jnpEX3Tgfvk", "RS256")
        == "LDktKdoQak3Pk0cnXxCltA"
    )


@pytest.mark.parametrize("algorithm", ["none", "", "rs256", "RS1", "SHA-256", "XX384"])
def test_an_algorithm_without_a_known_hash_is_an_error_and_no_open_door(algorithm):
    with pytest.raises(JoseError):
        provider_with().hooks.ask(Plugin.portula_jose).half_digest(VALUE, algorithm)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_algorithm_that_signs_has_a_hash(algorithm):
    jose = provider_with().hooks.ask(Plugin.portula_jose)
    token = jose.sign(
        {**CLAIMS, "at_hash": jose.half_digest(VALUE, algorithm)}, typ="JWT", algorithm=algorithm
    )
    header, claims = taken_apart(token)
    assert jose.half_digest(VALUE, header["alg"]) == claims["at_hash"]
