"""SECRET_KEYS: one key a purpose and provider, digests, and seals that notice every change."""

from base64 import urlsafe_b64decode, urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portula.plugin import Keys, unkeyed_digest

OLD, NEW = "the old key, of enough bytes", "the new key, of enough bytes"
KEYS = Keys([NEW], "https://id.example/o")
texts = st.text(max_size=40)


def test_every_purpose_namespace_and_secret_key_has_a_key_of_its_own():
    derived = [
        key
        for secret in (OLD, NEW)
        for namespace in ("", "https://id.example/o", "https://id.example/p")
        for purpose in ("", "csrf", "client secret", "client secret ")
        for key in Keys([secret], namespace).derive(purpose)
    ]
    assert {len(key) for key in derived} == {32}
    assert len(set(derived)) == len(derived) == 24


def test_purpose_and_namespace_do_not_run_into_each_other():
    assert Keys([NEW], "b").derive("a") != Keys([NEW], "").derive("ab")
    assert Keys([NEW], "c").derive("a b") != Keys([NEW], "b c").derive("a")


def test_the_same_purpose_has_the_same_key_in_another_process():
    assert Keys([NEW], "x").derive("csrf") == Keys([NEW], "x").derive("csrf")


def test_keys_are_derived_in_the_order_of_secret_keys():
    assert Keys([NEW, OLD], "x").derive("p") == [*Keys([NEW], "x").derive("p"), *Keys([OLD], "x").derive("p")]


@given(one=texts, other=texts)
def test_a_digest_belongs_to_one_value(one, other):
    digest = KEYS.digest("p", one)
    assert len(digest) == 43
    assert KEYS.verify("p", other, digest) is (one == other)
    assert (KEYS.digest("p", other) == digest) is (one == other)
    assert not KEYS.verify("q", one, digest)


def test_new_digests_are_made_under_the_first_key_and_looked_up_under_all():
    rotated = Keys([NEW, OLD], "x")
    assert rotated.digest("p", "v") == Keys([NEW], "x").digest("p", "v")
    assert rotated.digests("p", "v") == (Keys([NEW], "x").digest("p", "v"), Keys([OLD], "x").digest("p", "v"))
    assert Keys([NEW], "x").digests("p", "v") == Keys([NEW], "x").digest("p", "v")
    assert rotated.verify("p", "v", Keys([OLD], "x").digest("p", "v"))
    assert not Keys([NEW], "x").verify("p", "v", Keys([OLD], "x").digest("p", "v"))


@pytest.mark.parametrize("digest", ["", "é", "x" * 43, unkeyed_digest("v")])
def test_what_is_no_digest_of_ours_matches_nothing(digest):
    assert not KEYS.verify("p", "v", digest)


@given(text=texts)
def test_what_was_sealed_is_read_again_and_looks_new_each_time(text):
    sealed, again = KEYS.seal("p", text), KEYS.seal("p", text)
    assert sealed != again
    assert KEYS.unseal("p", sealed) == KEYS.unseal("p", again) == text
    assert KEYS.unseal("q", sealed) is None
    assert Keys([NEW], "another").unseal("p", sealed) is None
    assert Keys([OLD], "https://id.example/o").unseal("p", sealed) is None
    assert Keys([OLD, NEW], "https://id.example/o").unseal("p", sealed) == text


def test_a_seal_notices_every_changed_byte():
    raw = urlsafe_b64decode(KEYS.seal("p", "text") + "==")
    for place in range(len(raw)):
        changed = raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]
        assert KEYS.unseal("p", urlsafe_b64encode(changed).decode().rstrip("=")) is None
    for length in range(len(raw)):
        assert KEYS.unseal("p", urlsafe_b64encode(raw[:length]).decode().rstrip("=")) is None


@given(sealed=texts | st.binary(max_size=60).map(lambda raw: urlsafe_b64encode(raw).decode()))
def test_what_nobody_sealed_is_nothing(sealed):
    assert KEYS.unseal("p", sealed) is None


def test_shared_keys_leave_the_namespace_out():
    one, two = Keys([NEW, OLD], "one"), Keys([NEW, OLD], "two")
    assert one.across_issuers.digest("p", "v") == two.across_issuers.digest("p", "v") != one.digest("p", "v")
    assert two.across_issuers.unseal("p", one.across_issuers.seal("p", "text")) == "text"


def test_keys_never_show_themselves():
    assert repr(Keys([NEW, OLD], "x")) == "<Keys: 2>"
    assert NEW not in repr(Keys([NEW], "x").__repr__())
