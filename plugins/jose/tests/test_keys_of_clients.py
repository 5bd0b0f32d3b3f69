"""Keys of clients at their jwks_uri: fetched, kept, fetched again, and never in a flood."""

import json
import threading

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from portula import Plugin, hookimpl
from portula.errors import FetchFailed, KeysUnavailable, UntrustedToken
from portula.plugin import Application, Fetcher, FetchResponse
from portula_jose.client_keys import MAX_CANDIDATES, MAX_CLIENTS, MAX_KEYS, ClientKey, UnusableKey
from portula_testing.jws import TokenKey, decode, encode, signed_with_secret

URI = "https://client.example/jwks"
ALGORITHMS = ("RS256", "PS256", "ES256", "ES384", "ES512", "EdDSA", "Ed25519", "HS256")


class Web(Fetcher):
    """The slot of the fetcher: what other servers answer, and what they were asked."""

    def __init__(self):
        self.pages = {}
        self.asked = []
        self.max_age = None
        self.status = self.fault = None

    @hookimpl
    def portula_fetcher(self, provider):
        return self

    def put(self, *keys, uri=URI):
        self.pages[uri] = json.dumps({"keys": [key.jwk for key in keys]}).encode()

    def get(self, url, *, accept, max_bytes=65536):
        self.asked.append(url)
        assert set(accept) == {"application/json", "application/jwk-set+json"}
        self.max_bytes = max_bytes
        if self.fault:
            raise self.fault
        page = self.pages.get(url)
        if page is None:
            raise FetchFailed("there is nothing", self.status)
        return FetchResponse(200, "application/json", page, self.max_age)

    def post(self, url, form, *, max_bytes=65536):
        raise AssertionError("keys are not posted")


@pytest.fixture
def web():
    return Web()


@pytest.fixture
def key():
    return TokenKey("ES256", "one")


@pytest.fixture
def check(make, web):
    """Return a function that says whether a token of the client at `URI` is believed."""
    jose = make(web).hooks.ask(Plugin.portula_jose)
    return checking(jose)


def checking(jose):
    def check(token, client_id="client", **metadata):
        client = Application(client_id=client_id, metadata=metadata or {"jwks_uri": URI})
        try:
            jose.verify_of_client(token, client, algorithms=ALGORITHMS, typ={"JWT"})
        except UntrustedToken:
            return False
        return True

    return check


def test_keys_are_fetched_once_and_kept(check, web, key):
    web.put(key)
    assert [check(key.sign({"n": number})) for number in range(5)] == [True] * 5
    assert web.asked == [URI]


def test_the_size_of_the_answer_is_limited(make, web, key):
    web.put(key)
    assert checking(make(web, CLIENT_JWKS_MAX_BYTES=2048).hooks.ask(Plugin.portula_jose))(key.sign({}))
    assert web.max_bytes == 2048


@pytest.mark.parametrize(("said", "kept"), [(None, 3600), (0, 60), (300, 300), (10**9, 3600)])
def test_keys_are_kept_as_long_as_the_answer_says_within_bounds(check, web, key, clock, said, kept):
    web.put(key)
    web.max_age = said
    assert check(key.sign({}))
    clock.advance(kept - 1)
    web.put()
    assert check(key.sign({}))
    clock.advance(1)
    assert not check(key.sign({}))


def test_the_bounds_are_set(make, web, key, clock):
    web.put(key)
    settings = {"CLIENT_JWKS_MIN_CACHE_SECONDS": 20, "CLIENT_JWKS_CACHE_SECONDS": 100}
    for said, kept in ((5, 20), (None, 100)):
        check = checking(make(web, **settings).hooks.ask(Plugin.portula_jose))
        web.max_age, web.asked = said, []
        for seconds in (0, kept - 1, 1):
            clock.advance(seconds)
            check(key.sign({}))
        assert len(web.asked) == 2


def test_a_key_with_another_name_is_looked_for(check, web, key, clock):
    """oidcc-refresh-token-rp-key-rotation of the certification suite."""
    web.put(key)
    assert check(key.sign({}))
    clock.advance(10)
    new = TokenKey("ES256", "two")
    web.put(new)
    assert check(new.sign({}))
    assert not check(key.sign({})), "a key that was taken back counts no more"


def test_a_key_without_a_name_is_looked_for_too(check, web, key, clock):
    web.put(key)
    assert check(key.sign({}, kid=None))
    clock.advance(10)
    new = TokenKey("ES256", "two")
    web.put(new)
    assert check(new.sign({}, kid=None))


@pytest.mark.parametrize("seconds", [10, 120])
def test_bad_tokens_cause_no_flood(make, web, key, clock, seconds):
    check = checking(make(web, CLIENT_JWKS_REFETCH_SECONDS=seconds).hooks.ask(Plugin.portula_jose))
    web.put(key)
    for number in range(50):
        assert not check(TokenKey("ES256", f"unknown {number}").sign({}))
    assert len(web.asked) == 1
    clock.advance(seconds - 1)
    assert not check(TokenKey("ES256", "unknown").sign({}))
    assert len(web.asked) == 1
    clock.advance(1)
    assert not check(TokenKey("ES256", "unknown").sign({}))
    assert len(web.asked) == 2
    assert check(key.sign({})), "the good ones go on"


def test_a_wrong_signature_under_a_known_name_asks_nobody(check, web, key, clock):
    web.put(key)
    assert check(key.sign({}))
    clock.advance(100)
    assert not check(TokenKey("ES256", "one").sign({}))
    assert len(web.asked) == 1


def test_a_server_that_fails_is_not_asked_all_the_time(check, web, key, clock):
    assert [check(key.sign({})) for _ in range(20)] == [False] * 20
    assert len(web.asked) == 1
    clock.advance(10)
    web.put(key)
    assert check(key.sign({}))


@pytest.mark.parametrize("status", [None, 500, 503])
def test_a_token_cannot_be_judged_while_no_keys_are_held_and_their_server_gives_no_answer(
    make, web, key, clock, status
):
    web.status = status
    jose = make(web).hooks.ask(Plugin.portula_jose)

    def check():
        client = Application(client_id="client", metadata={"jwks_uri": URI})
        jose.verify_of_client(key.sign({}), client, algorithms=ALGORITHMS, typ={"JWT"})

    for waited, left in ((0, 10), (4, 6), (5, 1)):
        clock.advance(waited)
        with pytest.raises(KeysUnavailable) as unavailable:
            check()
        assert unavailable.value.retry_after == left
    assert len(web.asked) == 1
    clock.advance(1)
    web.put(key)
    check()
    clock.advance(3600)
    web.pages.clear()
    with pytest.raises(KeysUnavailable):
        check()


def test_a_server_that_answers_without_keys_says_that_there_are_none(make, web, key):
    web.status = 404
    jose, client = (
        make(web).hooks.ask(Plugin.portula_jose),
        Application(client_id="client", metadata={"jwks_uri": URI}),
    )
    with pytest.raises(UntrustedToken) as untrusted:
        jose.verify_of_client(key.sign({}), client, algorithms=ALGORITHMS, typ={"JWT"})
    assert not isinstance(untrusted.value, KeysUnavailable)


def test_a_fault_of_the_fetcher_is_not_remembered(make, web, key):
    web.put(key)
    web.fault = RuntimeError("a fault of its own")
    check = checking(make(web).hooks.ask(Plugin.portula_jose))
    with pytest.raises(RuntimeError):
        check(key.sign({}))
    web.fault = None
    assert check(key.sign({}))


def test_keys_that_cannot_be_renewed_count_no_more(check, web, key, clock):
    web.put(key)
    assert check(key.sign({}))
    web.pages.clear()
    clock.advance(3600)
    assert not check(key.sign({}))


def test_a_failed_look_for_a_new_key_leaves_the_known_ones(check, web, key, clock):
    web.put(key)
    assert check(key.sign({}))
    web.pages.clear()
    clock.advance(100)
    assert not check(TokenKey("ES256", "new").sign({}))
    assert check(key.sign({}))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no json",
        b"[]",
        b"null",
        b'{"keys":{}}',
        b'{"keys":[1,null,"a",[]]}',
        b"[" * 30_000,
        b"\xff",
        b"{}",
    ],
)
def test_an_answer_that_is_no_set_of_keys_believes_nobody(check, web, key, body):
    web.pages[URI] = body
    assert not check(key.sign({}))


def test_a_set_that_names_its_keys_twice_is_none(check, web, key):
    web.pages[URI] = b'{"keys":[],' + json.dumps(key.jwks).encode()[1:]
    assert not check(key.sign({}))


def test_without_a_fetcher_nobody_is_believed(make, key):
    assert not checking(make().hooks.ask(Plugin.portula_jose))(key.sign({}))


def test_a_client_that_moves_its_keys_is_asked_at_the_new_place(check, web, key):
    web.put(key)
    new = TokenKey("ES256", "one")
    web.put(new, uri=f"{URI}/new")
    assert check(key.sign({}))
    assert check(new.sign({}), jwks_uri=f"{URI}/new")
    assert not check(key.sign({}), jwks_uri=f"{URI}/new")


def test_one_client_is_not_believed_by_the_keys_of_another(check, web, key):
    """Attack S76 among clients."""
    other = TokenKey("ES256", "one")
    web.put(key)
    web.put(other, uri=f"{URI}/other")
    assert check(key.sign({}), "client")
    assert not check(key.sign({}), "other", jwks_uri=f"{URI}/other")
    assert check(other.sign({}), "other", jwks_uri=f"{URI}/other")


def test_the_number_of_clients_that_are_remembered_has_an_end(make, web, key):
    jose = make(web).hooks.ask(Plugin.portula_jose)
    check = checking(jose)
    token = key.sign({})
    for number in range(MAX_CLIENTS + 10):
        check(token, f"client{number}", jwks=key.jwks)
    assert len(jose._client_keys._kept) == MAX_CLIENTS


def test_threads_that_wait_for_one_client_ask_once(make, web, key):
    web.put(key)
    check = checking(make(web).hooks.ask(Plugin.portula_jose))
    barrier, found = threading.Barrier(8), []

    def visit():
        barrier.wait()
        found.append(check(key.sign({})))

    threads = [threading.Thread(target=visit) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 8
    assert len(web.asked) == 1


# --- Which keys of a set ---


def test_of_keys_without_names_the_right_one_is_found(check):
    keys = [TokenKey("ES256") for _ in range(MAX_CANDIDATES)]
    nameless = [{name: value for name, value in key.jwk.items() if name != "kid"} for key in keys]
    assert check(keys[-1].sign({}), jwks={"keys": nameless})
    assert check(keys[-1].sign({}, kid=None), jwks={"keys": nameless})


def test_a_token_is_tried_with_so_many_keys_and_no_more(check):
    keys = [TokenKey("ES256", str(number)) for number in range(MAX_CANDIDATES + 1)]
    jwks = {"keys": [key.jwk for key in keys]}
    assert check(keys[-2].sign({}, kid=None), jwks=jwks)
    assert not check(keys[-1].sign({}, kid=None), jwks=jwks)
    assert check(keys[-1].sign({}), jwks=jwks), "its name finds it"


def test_of_a_set_so_many_keys_are_looked_at_and_no_more(check, key):
    filler = [{"kty": "unknown"}] * (MAX_KEYS - 1)
    assert check(key.sign({}), jwks={"keys": [*filler, key.jwk]})
    assert not check(key.sign({}), "another", jwks={"keys": [*filler, {}, key.jwk]})


def test_keys_that_are_not_known_here_are_passed_over(check, key):
    """RFC 7517 §5."""
    strange = [
        {"kty": "AKP", "alg": "ML-DSA-44", "pub": "AAAA"},
        {"kty": "OKP", "crv": "X25519", "x": "AAAA"},
        7,
    ]
    assert check(key.sign({}), jwks={"keys": [*strange, key.jwk]})


def test_a_set_with_a_private_key_does_not_count_by_it(check, key):
    jwk = {**key.jwk, "d": "AAAA"}
    assert not check(key.sign({}), jwks={"keys": [jwk]})
    assert not check(
        signed_with_secret(b"x" * 32, {}, kid="one"), jwks={"keys": [{"kty": "oct", "k": "eHh4"}]}
    )


def test_rsa_keys_have_bounds(check):
    """RFC 7518 §3.3 below, our time above."""
    weak = TokenKey("RS256", private=rsa.generate_private_key(65537, 1024))
    assert not check(weak.sign({}), jwks=weak.jwks)
    fine = TokenKey("RS256").jwk
    for members, said in (
        ({"n": "_" * (9216 // 6)}, "more than 8192 bits"),
        ({"e": "_" * 200}, "exponent"),
        (weak.jwk, "less than 2048"),
    ):
        with pytest.raises(UnusableKey, match=said):
            ClientKey.of({**fine, **members})


@pytest.mark.parametrize(
    ("of_token", "of_key"), [("Ed25519", "EdDSA"), ("EdDSA", "Ed25519"), ("Ed25519", None)]
)
def test_ed25519_has_two_names(check, of_token, of_key):
    """RFC 8037 §3.1 and RFC 9864 §2.2."""
    key = TokenKey("EdDSA")
    jwk = {name: value for name, value in {**key.jwk, "alg": of_key}.items() if value is not None}
    assert check(key.sign({}, alg=of_token), jwks={"keys": [jwk]})


@pytest.mark.parametrize(("of_token", "of_key"), [("ES256", "ES384"), ("ES384", "ES256"), ("ES512", "ES256")])
def test_an_algorithm_takes_no_key_of_another_curve(check, of_token, of_key):
    """Attack S40; jwcrypto alone would take it, once it has seen the key."""
    key = TokenKey(of_key)
    jwk = {name: value for name, value in key.jwk.items() if name != "alg"}
    assert check(key.sign({}), jwks={"keys": [jwk]})
    assert not check(key.sign({}, alg=of_token), jwks={"keys": [jwk]})


def test_a_signature_of_another_length_is_none(check):
    key = TokenKey("ES512")
    data, _, signature = key.sign({}).rpartition(".")
    assert check(f"{data}.{signature}", jwks=key.jwks)
    raw = decode(signature)
    padded = b"\0" + raw[:66] + b"\0" + raw[66:]
    assert not check(f"{data}.{encode(padded)}", jwks=key.jwks)
