"""How client secrets are kept, and what is accepted as one."""

import pytest
from hosting import ask_token, make_client, make_provider
from hypothesis import given
from hypothesis import strategies as st

from portula import Plugin
from portula.plugin import Keys
from portula_generators import costly
from portula_generators.hasher import Hasher
from portula_testing.writing import add_to

KEYS = Keys(["the first key, of enough bytes"], "")
SECRET = "a secret somebody chose, long enough"
FORMS = ("hash_generated", "hash_chosen", "seal")
HASHER = Hasher(KEYS, "testing")


@pytest.fixture
def hasher():
    return Hasher(KEYS, "testing")


@pytest.fixture(params=FORMS)
def form(request):
    return request.param


def counting(hasher, monkeypatch):
    """Return a list that grows with each argon2id verification."""
    calls, argon2 = [], hasher._argon2

    class Counting:
        def verify(self, stored, secret):
            calls.append(secret)
            return argon2.verify(stored, secret)

        hash = argon2.hash

    monkeypatch.setattr(hasher, "_argon2", Counting())
    return calls


def test_the_right_secret_is_known_and_no_other(hasher, form):
    stored = getattr(hasher, form)(SECRET)
    assert hasher.verify(SECRET, stored)
    for wrong in (SECRET[:-1], SECRET + " ", SECRET.upper(), "", "é", stored):
        assert not hasher.verify(wrong, stored)


def test_what_is_stored_does_not_show_the_secret(hasher, form):
    stored = getattr(hasher, form)(SECRET)
    assert SECRET not in stored
    assert SECRET[:8] not in stored
    assert len(getattr(hasher, form)("x" * 255)) < 512


def test_the_stored_form_is_never_accepted(hasher, form):
    stored = getattr(hasher, form)(SECRET)
    for presented in (stored, stored.partition(":")[2], stored.rpartition("$")[2]):
        assert not hasher.verify(presented, stored)


@pytest.mark.parametrize(
    ("form", "same"), [("hash_generated", True), ("hash_chosen", False), ("seal", False)]
)
def test_only_digests_of_full_entropy_are_the_same_each_time(hasher, form, same):
    make = getattr(hasher, form)
    assert (make(SECRET) == make(SECRET)) is same


def test_a_generated_secret_costs_no_argon2id(hasher, monkeypatch):
    calls = counting(hasher, monkeypatch)
    assert hasher.verify(SECRET, hasher.hash_generated(SECRET))
    hasher.verify_nothing(SECRET)
    assert calls == []


def test_a_chosen_secret_costs_argon2id_once(hasher, monkeypatch):
    stored = hasher.hash_chosen(SECRET)
    calls = counting(hasher, monkeypatch)
    assert [hasher.verify(SECRET, stored) for _ in range(5)] == [True] * 5
    assert calls == [SECRET]


def test_a_failure_is_never_remembered(hasher, monkeypatch):
    stored = hasher.hash_chosen(SECRET)
    calls = counting(hasher, monkeypatch)
    assert [hasher.verify("wrong", stored) for _ in range(3)] == [False] * 3
    assert hasher.verify(SECRET, stored)
    assert not hasher.verify("wrong", stored)
    assert calls == ["wrong"] * 3 + [SECRET, "wrong"]


def test_what_is_remembered_is_for_one_stored_form_only(hasher):
    stored, other = hasher.hash_chosen(SECRET), hasher.hash_chosen("another secret, also long enough")
    assert hasher.verify(SECRET, stored)
    assert not hasher.verify(SECRET, other)


def test_as_many_successes_are_remembered_as_is_said(hasher, monkeypatch):
    monkeypatch.setattr(costly, "REMEMBERED", 2)
    stored = {secret: hasher.hash_chosen(secret) for secret in ("one", "two", "three")}
    calls = counting(hasher, monkeypatch)
    for secret in ("one", "two", "one", "three", "one", "two"):
        assert hasher.verify(secret, stored[secret])
    assert calls == ["one", "two", "three", "two"]


def test_no_secret_is_held_in_what_is_remembered(hasher):
    hasher.verify(SECRET, hasher.hash_chosen(SECRET))
    assert hasher._comparisons._succeeded
    assert SECRET.encode() not in b"".join(hasher._comparisons._succeeded)


def test_a_chosen_secret_of_a_client_costs_argon2id_once_over_http(monkeypatch):
    provider = make_provider(CLIENT_SECRET_HASH_PROFILE="testing")
    client, secret = make_client(provider)
    provider.clients.create(
        client.__class__(client_id="chosen", grant_types=("client_credentials",)), secret=SECRET
    )
    calls = counting(provider.hooks.ask(Plugin.portula_secret_hasher), monkeypatch)
    for _ in range(3):
        assert ask_token(provider, SECRET, "chosen").status_code == 200
        assert ask_token(provider, secret).status_code == 200
    assert len(calls) == 1
    assert ask_token(provider, SECRET[1:], "chosen").status_code == 401


# --- SECRET_KEYS ---


def test_secrets_kept_under_an_older_key_still_count(hasher, form):
    stored = getattr(hasher, form)(SECRET)
    rotated = Hasher(Keys(["a newer key, of enough bytes", "the first key, of enough bytes"], ""), "testing")
    assert rotated.verify(SECRET, stored)
    assert not rotated.verify(SECRET[1:], stored)


@pytest.mark.parametrize("form", ["hash_generated", "seal"])
def test_without_its_key_a_digest_or_seal_counts_no_more(hasher, form):
    stored = getattr(hasher, form)(SECRET)
    assert not Hasher(Keys(["a newer key, of enough bytes"], ""), "testing").verify(SECRET, stored)


def test_client_secrets_outlive_a_change_of_the_issuer():
    first = make_provider(OIDC_ISS_ENDPOINT="https://one.example/o")
    second = make_provider(OIDC_ISS_ENDPOINT="https://two.example/o")
    client, secret = make_client(first)
    add_to(second.storage, client)
    assert ask_token(second, secret).status_code == 200


# --- Malformed ---


@given(
    prefix=st.sampled_from(["", "digest:", "sealed:", "$argon2id$", "$argon2id$v=19$m=8,t=1,p=1$", "plain:"]),
    rest=st.text(max_size=60),
    secret=st.text(max_size=60),
)
def test_a_malformed_stored_form_matches_nothing(prefix, rest, secret):
    assert HASHER.verify(secret, prefix + rest) is False


def test_a_secret_in_clear_in_the_store_matches_nothing(hasher):
    assert not hasher.verify(SECRET, SECRET)


@pytest.mark.parametrize("profile", ["rfc9106_low_memory", "rfc9106_high_memory", "testing"])
def test_the_profile_is_in_the_hash_it_makes(profile):
    from argon2 import extract_parameters

    hasher = Hasher(KEYS, profile)
    parameters = extract_parameters(Hasher(KEYS, "testing").hash_chosen(SECRET))
    assert parameters.type is hasher._argon2.type
    assert (hasher._argon2.memory_cost == parameters.memory_cost) is (profile == "testing")
    expected = {"rfc9106_low_memory": 65536, "rfc9106_high_memory": 2097152, "testing": 8}
    assert hasher._argon2.memory_cost == expected[profile]
