"""S40: an algorithm is what the use allows and the key is for, never what the token says (RFC 8725 §3.1)."""

from functools import partial
from itertools import product

import pytest

from portula import Plugin
from portula.errors import JoseError, UntrustedToken
from portula_testing.forgeries import alterations, key_confusions, psychic
from portula_testing.jws import TokenKey, signed_with_secret, unsigned_token
from security.keyed import (
    ALGORITHMS,
    CLAIMS,
    HMACS,
    SECRET,
    believed,
    configured,
    key_of,
    keyed_client,
    provider_with,
    published,
    sealed_client,
)

EVERY = (*ALGORITHMS, *HMACS)


@pytest.fixture(params=["generated", "configured"])
def provider(request):
    return configured() if request.param == "configured" else provider_with()


def test_no_forgery_of_our_own_tokens_is_believed(provider):
    """Authlib CVE-2024-37568, CVE-2026-28802; CVE-2016-10555; CVE-2022-21449."""
    jose, sealed = provider.hooks.ask(Plugin.portula_jose), sealed_client(provider)
    for key in published(provider):
        forged = [*key_confusions(key, CLAIMS), *psychic(key["kid"], CLAIMS)]
        for client in (None, sealed):
            assert believed(partial(jose.verify_own, typ={"JWT"}, client=client), forged) == []
    for algorithm in jose.signing_algorithms():
        token = jose.sign(CLAIMS, typ="JWT", algorithm=algorithm)
        assert jose.verify_own(token, typ={"JWT"}).claims == CLAIMS
        assert believed(partial(jose.verify_own, typ={"JWT"}), alterations(token)) == []


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_no_forgery_of_a_clients_tokens_is_believed(provider, algorithm):
    key, client = key_of(algorithm), keyed_client(algorithm)
    verify = partial(
        provider.hooks.ask(Plugin.portula_jose).verify_of_client, client=client, algorithms=EVERY, typ={"JWT"}
    )
    assert verify(key.sign(CLAIMS)).claims == CLAIMS
    forged = [*key_confusions(key.jwk, CLAIMS), *psychic(key.kid, CLAIMS), *alterations(key.sign(CLAIMS))]
    assert believed(verify, forged) == []


@pytest.mark.parametrize("algorithm", EVERY)
@pytest.mark.parametrize("allowed", EVERY)
def test_each_use_takes_the_algorithms_it_allows_and_no_other(algorithm, allowed):
    provider = provider_with()
    if algorithm in HMACS:
        client, token = sealed_client(provider), signed_with_secret(SECRET.encode(), CLAIMS, algorithm)
    else:
        client, token = keyed_client(algorithm), key_of(algorithm).sign(CLAIMS)
    verify = partial(provider.hooks.ask(Plugin.portula_jose).verify_of_client, token, client, typ={"JWT"})
    if algorithm == allowed:
        assert verify(algorithms={allowed}).claims == CLAIMS
    else:
        with pytest.raises(UntrustedToken):
            verify(algorithms={allowed, "none"})
    with pytest.raises(UntrustedToken):
        verify(algorithms=set())


@pytest.mark.parametrize(
    ("algorithm", "of_key"),
    [
        pair for pair in product(ALGORITHMS, ALGORITHMS) if set(pair) != {"RS256", "PS256"}
    ],  # see the next test
)
def test_an_algorithm_takes_no_key_of_another_kind(algorithm, of_key):
    """Whatever the key itself says it is for."""
    key = key_of(algorithm)
    jwk = {**key_of(of_key).jwk, "kid": key.kid, "alg": algorithm}
    client = keyed_client(jwks={"keys": [jwk]})
    verify = partial(
        provider_with().hooks.ask(Plugin.portula_jose).verify_of_client, algorithms=EVERY, typ={"JWT"}
    )
    if algorithm == of_key:
        assert verify(key.sign(CLAIMS), client)
    else:
        forged = [("its own", key.sign(CLAIMS)), ("the key's", key_of(of_key).sign(CLAIMS, kid=key.kid))]
        assert believed(partial(verify, client=client), forged) == []


@pytest.mark.parametrize(("algorithm", "other"), [("RS256", "PS256"), ("PS256", "RS256")])
def test_a_key_that_names_its_algorithm_does_no_other(algorithm, other):
    """RFC 8725 §3.1; both take RSA keys."""
    key = key_of(algorithm)
    wrong = TokenKey(other, key.kid, key.private)
    with pytest.raises(UntrustedToken):
        provider_with().hooks.ask(Plugin.portula_jose).verify_of_client(
            wrong.sign(CLAIMS), keyed_client(algorithm), algorithms=EVERY, typ={"JWT"}
        )


def test_our_own_keys_do_the_one_algorithm_they_were_made_for():
    """An RS256 key that was generated makes no PS256 signature that counts."""
    provider = provider_with()
    token = provider.hooks.ask(Plugin.portula_jose).sign(CLAIMS, typ="JWT", algorithm="RS256")
    stored = provider.hooks.ask(Plugin.portula_jose).ring.ring().of("RS256")[-1]
    private = stored.key.get_op_key("sign")
    for algorithm, count in (("RS256", 0), ("PS256", 1), ("RS512", 1)):
        again = TokenKey(algorithm, stored.public.kid, private).sign(CLAIMS)
        assert (
            len(
                believed(
                    partial(provider.hooks.ask(Plugin.portula_jose).verify_own, typ={"JWT"}), [("it", again)]
                )
            )
            == 1 - count
        )
    assert provider.hooks.ask(Plugin.portula_jose).verify_own(token, typ={"JWT"})


def test_nothing_is_ever_signed_with_no_algorithm(provider):
    for algorithm in ("none", "None", "NONE", "", "hs256"):
        with pytest.raises(JoseError):
            provider.hooks.ask(Plugin.portula_jose).sign(CLAIMS, typ="JWT", algorithm=algorithm)
    tokens = [("unsigned", unsigned_token(CLAIMS)), ("spelled otherwise", unsigned_token(CLAIMS, alg="nOne"))]
    assert believed(partial(provider.hooks.ask(Plugin.portula_jose).verify_own, typ={"JWT"}), tokens) == []
