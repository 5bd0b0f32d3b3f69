"""S42: a token is measured before it is parsed, and what not every reader takes alike is refused (RFC 8725 §3.7)."""

import json
import time
from contextlib import suppress
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portula import Plugin
from portula.errors import UntrustedToken
from portula_testing.forgeries import MALFORMED, REFUSED_HEADERS
from portula_testing.jws import TokenKey, encode
from security.keyed import ALGORITHMS, CLAIMS, HMACS, believed, key_of, keyed_client, provider_with

EVERY = {*ALGORITHMS, *HMACS, "none"}
HEADER = b'{"alg":"none"}'
STRANGER = TokenKey("ES256", "1")
DEADLINE_SECONDS = 10
"""A coarse net: what is expanded, or read without end, takes minutes; making keys takes a second."""


def ways(provider, client=None):
    jose = provider.hooks.ask(Plugin.portula_jose)
    return (
        jose.read,
        partial(jose.verify_own, typ={"JWT", ""}),
        partial(jose.verify_own, typ={"JWT", ""}, client=client or keyed_client("ES256")),
        partial(
            jose.verify_of_client,
            client=client or keyed_client("ES256"),
            algorithms=EVERY,
            typ={"JWT", ""},
        ),
    )


@pytest.mark.parametrize("number", range(len(MALFORMED)))
def test_what_is_no_token_is_refused_at_once(number):
    """CVE-2025-59420, CVE-2025-61920, CVE-2025-62706."""
    for verify in ways(provider_with()):
        began = time.process_time()
        assert believed(verify, [("it", MALFORMED[number])]) == []
        assert time.process_time() - began < DEADLINE_SECONDS


@pytest.mark.parametrize("name", REFUSED_HEADERS)
def test_a_header_that_nobody_may_ignore_is_refused(name):
    token = key_of("ES256").sign(CLAIMS, **REFUSED_HEADERS[name])
    assert believed(ways(provider_with())[-1], [(name, token)]) == []


@pytest.mark.parametrize("limit", [1024, 4096])
def test_the_limit_is_a_setting(limit):
    provider = provider_with(JWT_MAX_BYTES=limit)
    key = key_of("ES256")

    def of_size(size):
        shortest = len(key.sign({"a": ""}))
        claims = {"a": "x" * ((size - shortest) * 3 // 4)}
        return key.sign(claims)

    fits, exceeds = of_size(limit - 8), of_size(limit + 8)
    assert len(fits) <= limit < len(exceeds)
    for verify in (ways(provider)[0], ways(provider)[-1]):
        assert verify(fits)
        with pytest.raises(UntrustedToken):
            verify(exceeds)


def test_a_token_of_the_default_size_is_read_and_a_larger_one_is_not():
    for size, read in ((16 * 1024, True), (16 * 1024 + 4, False)):
        token = f"{encode(HEADER)}.{'A' * size}"[: size - 1] + "."
        with pytest.raises(UntrustedToken) as caught:
            provider_with().hooks.ask(Plugin.portula_jose).read(token)
        assert ("larger" not in str(caught.value)) is read


@pytest.mark.parametrize(("depth", "read"), [(14, True), (15, False), (500, False)])
def test_claims_are_nested_so_deep_and_no_deeper(depth, read):
    nested: object = 1
    for number in range(depth):
        nested = [nested] if number % 2 else {"a": nested}
    token = key_of("EdDSA").sign({"claims": nested})
    assert (believed(provider_with().hooks.ask(Plugin.portula_jose).read, [("it", token)]) == ["it"]) is read


def test_an_encrypted_token_is_refused():
    """Nothing is decrypted unless a room asks for it, and then not by what lets p2c or zip burn our time."""
    header = encode(b'{"alg":"PBES2-HS256+A128KW","enc":"A128GCM","p2c":2147483647,"p2s":"AAAA","zip":"DEF"}')
    for verify in ways(provider_with()):
        assert believed(verify, [("JWE", f"{header}.AAAA.AAAA.AAAA.AAAA")]) == []
    decrypt = provider_with().hooks.ask(Plugin.portula_jose).decrypt
    assert believed(decrypt, [("JWE", f"{header}.AAAA.AAAA.AAAA.AAAA")]) == []


@pytest.mark.parametrize("number", range(1, 4))
def test_a_token_has_one_spelling(number):
    """Bits behind the last byte would make a second token of the same meaning, unknown to a replay cache."""
    key = key_of("EdDSA")
    token = key.sign({"a": "x" * number})
    assert ways(provider_with(), keyed_client("EdDSA"))[-1](token)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    spellings = [
        ("signature", token[:-1] + alphabet[alphabet.index(token[-1]) | bit]) for bit in (1, 2, 4, 8)
    ]
    spellings += [("padding", f"{token}="), ("line end", f"{token}\n"), ("space", f" {token}")]
    others = [(name, other) for name, other in spellings if other != token]
    assert believed(ways(provider_with(), keyed_client("EdDSA"))[-1], others) == []


# --- Anything at all ---

texts = st.text(max_size=300) | st.text("abcAB01-_=.{}\"'é\0", max_size=300)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
headers = st.fixed_dictionaries(
    {},
    optional={
        "alg": st.sampled_from([*sorted(EVERY), "RSA-OAEP", "dir"]) | json_values,
        "kid": st.sampled_from(["client-ES256", "client-RS256"]) | json_values,
        "typ": st.sampled_from(["JWT", "at+jwt", "application/jwt"]) | json_values,
        "crit": json_values,
        "b64": json_values,
        "jwk": json_values,
        "cty": json_values,
    },
)


def token_of(header, claims, signature):
    return ".".join(
        [encode(json.dumps(header).encode()), encode(json.dumps(claims).encode()), encode(signature)]
    )


tokens = (
    texts
    | st.builds(lambda *parts: ".".join(parts), texts, texts, texts)
    | st.builds(token_of, headers, json_values, st.binary(max_size=80))
    | st.builds(lambda *parts: ".".join(map(encode, parts)), *[st.binary(max_size=60)] * 3)
)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(tokens)
def test_whatever_comes_nothing_else_is_raised_and_nothing_is_believed(token):
    read, *verifying = ways(provider_with())
    with suppress(UntrustedToken):
        read(token)
    for verify in verifying[:2]:
        assert believed(verify, [("it", token)]) == []
    try:
        found = verifying[2](token)
    except UntrustedToken:
        return
    assert found.header["alg"] == "none"


@given(st.data())
def test_a_token_with_one_byte_changed_is_refused(data):
    token = key_of("ES256").sign(CLAIMS)
    place = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.characters(codec="ascii").filter(lambda character: character != token[place]))
    changed = token[:place] + other + token[place + 1 :]
    assert believed(ways(provider_with())[-1], [(place, changed)]) == []


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(json_values, st.sampled_from(["keys", "Keys"]))
def test_whatever_keys_a_client_has_nothing_else_is_raised(value, name):
    client = keyed_client(jwks={name: value})
    assert believed(ways(provider_with(), client)[-1], [("it", key_of("ES256").sign(CLAIMS))]) == []


members = st.sampled_from(["kty", "n", "e", "crv", "x", "y", "kid", "use", "key_ops", "alg", "d", "k"])
values = st.sampled_from(["RSA", "EC", "OKP", "oct", "P-256", "Ed25519", "AQAB", "sig"]) | json_values


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(members, values))
def test_whatever_a_key_is_made_of_nothing_else_is_raised(changes):
    for algorithm in ("RS256", "ES256", "EdDSA"):
        client = keyed_client(
            jwks={"keys": [{**TokenKey(algorithm, "1", key_of(algorithm).private).jwk, **changes}]}
        )
        forged = STRANGER.sign(CLAIMS)
        assert believed(ways(provider_with(), client)[-1], [("it", forged)]) == []
