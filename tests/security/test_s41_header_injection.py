"""S41: a key, or the place of one, that a token brings along is not looked at (RFC 7515 §4.1.2 to §4.1.6)."""

from functools import partial

import pytest
from support.fitting import stubbed

from portula import Plugin, hookimpl
from portula.plugin import Application, Fetcher
from portula_testing.forgeries import self_made
from portula_testing.jws import taken_apart
from security.keyed import ALGORITHMS, CLAIMS, believed, configured, key_of, keyed_client, provider_with


class Web(stubbed(Fetcher)):
    """A fetcher that notes what it is asked for, and has nothing."""

    def __init__(self):
        self.asked = []

    @hookimpl
    def portula_fetcher(self, provider):
        return self

    def get(self, url, *, accept, max_bytes=65536):
        self.asked.append(url)
        raise AssertionError("nobody asks for what a token says")


@pytest.fixture
def web():
    return Web()


def test_our_own_tokens_are_verified_with_our_own_keys_alone():
    """Authlib CVE-2026-27962; CVE-2018-0114."""
    for provider in (provider_with(), configured()):
        jose = provider.hooks.ask(Plugin.portula_jose)
        for algorithm in jose.signing_algorithms():
            kid = taken_apart(jose.sign(CLAIMS, typ="JWT", algorithm=algorithm))[0]["kid"]
            assert believed(partial(jose.verify_own, typ={"JWT"}), self_made(kid, CLAIMS)) == []


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_clients_tokens_are_verified_with_its_registered_keys_alone(web, algorithm):
    jose = provider_with(web).hooks.ask(Plugin.portula_jose)
    verify = partial(
        jose.verify_of_client, client=keyed_client(algorithm), algorithms=ALGORITHMS, typ={"JWT"}
    )
    assert believed(verify, self_made(key_of(algorithm).kid, CLAIMS)) == []
    nobody = partial(
        jose.verify_of_client, client=Application(client_id="x"), algorithms=ALGORITHMS, typ={"JWT"}
    )
    assert believed(nobody, self_made(key_of(algorithm).kid, CLAIMS)) == []
    assert web.asked == []


@pytest.mark.parametrize("name", ["jwk", "jku", "x5u", "x5c"])
def test_such_a_header_changes_nothing_for_a_token_that_is_right(web, name):
    """Ignored is ignored: neither believed nor a reason to refuse."""
    key = key_of("ES256")
    token = key.sign(CLAIMS, **{name: "https://attacker.example/keys"})
    jose = provider_with(web).hooks.ask(Plugin.portula_jose)
    found = jose.verify_of_client(token, keyed_client("ES256"), algorithms=ALGORITHMS, typ={"JWT"})
    assert found.claims == CLAIMS
    assert web.asked == []
