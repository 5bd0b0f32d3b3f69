"""The contract of the slot `secret_hasher`. Subclass SecretHasherContract and override its fixture `make_hasher`."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from portula.plugin import SecretHasher
from portula_testing.attacks import nearly_right
from portula_testing.storage_samples import in_thread

GENERATED = "5mN-q0V~c2xTRbd_8pYkZ.WfJ1sUoh7LgEa3Ki4yC9tQwXr6"
CHOSEN = "a secret that a person chose, long enough"
KEY, OTHER_KEY = "the key of the contract, number one", "the key of the contract, number two"
MALFORMED = ("", "plain", "digest:", "sealed:", "sealed:!!!", "$argon2id$", "$argon2id$v=19$m=8", "\0", "é")
"""What may stand in a damaged or a foreign table."""

WAYS = ("hash_generated", "hash_chosen", "seal")
NOTHING_TO_VERIFY_SHARE = 0.2
"""How much of the time of a comparison `verify_nothing` takes at the least: a coarse net, for a missing comparison."""


class SecretHasherContract:
    """What is true of every secret hasher.

    Example:
        class TestMyHasher(SecretHasherContract):
            @pytest.fixture
            def make_hasher(self):
                def make(*secret_keys):
                    provider = make_provider(my_plugin, settings={"SECRET_KEYS": secret_keys})
                    return provider.hooks.ask(Plugin.portula_secret_hasher)

                return make
    """

    @pytest.fixture
    def make_hasher(self) -> Callable[..., SecretHasher]:
        """Return a function from SECRET_KEYS, current first, to the hasher of one more process. Override it."""
        raise NotImplementedError

    @pytest.fixture
    def hasher(self, make_hasher: Callable[..., SecretHasher]) -> SecretHasher:
        """Return the hasher of one process."""
        return make_hasher(KEY)

    @pytest.mark.parametrize("way", WAYS)
    def test_the_right_secret_passes_again_and_again(self, hasher: SecretHasher, way: str) -> None:
        stored = getattr(hasher, way)(CHOSEN)
        assert [hasher.verify(CHOSEN, stored) for _ in range(3)] == [True] * 3

    @pytest.mark.parametrize("way", WAYS)
    @pytest.mark.parametrize("secret", [GENERATED, CHOSEN])
    def test_a_secret_that_is_nearly_right_fails(self, hasher: SecretHasher, way: str, secret: str) -> None:
        stored = getattr(hasher, way)(secret)
        assert hasher.verify(secret, stored) is True
        for wrong in ("", *nearly_right(secret), f"{secret}\0", "x" * 10_000):
            assert hasher.verify(wrong, stored) is False, wrong

    @pytest.mark.parametrize("first", WAYS)
    @pytest.mark.parametrize("second", WAYS)
    def test_of_several_secrets_the_one_that_is_presented_is_named(
        self, hasher: SecretHasher, first: str, second: str
    ) -> None:
        stored = [getattr(hasher, first)(GENERATED), getattr(hasher, second)(CHOSEN)]
        given = {"client_id": "tea", "client_address": "192.0.2.1"}
        for _ in range(3):
            assert hasher.verify_any(GENERATED, stored, **given) == stored[0]
            assert hasher.verify_any(CHOSEN, stored, **given) == stored[1]
        assert hasher.verify_any("x" * 40, stored, **given) is None
        assert hasher.verify_any(CHOSEN, [], **given) is None

    @pytest.mark.parametrize("way", WAYS)
    def test_what_is_stored_does_not_pass(self, hasher: SecretHasher, way: str) -> None:
        """Attack S50."""
        stored: str = getattr(hasher, way)(GENERATED)
        for part in {stored, stored.rpartition(":")[2], stored.rpartition("$")[2]}:
            assert hasher.verify(part, stored) is False, part

    @pytest.mark.parametrize("way", WAYS)
    def test_what_is_stored_does_not_show_the_secret(self, hasher: SecretHasher, way: str) -> None:
        assert GENERATED not in getattr(hasher, way)(GENERATED)

    @pytest.mark.parametrize("way", ["hash_chosen", "seal"])
    def test_one_secret_is_not_stored_alike_twice(self, hasher: SecretHasher, way: str) -> None:
        assert getattr(hasher, way)(CHOSEN) != getattr(hasher, way)(CHOSEN)

    def test_a_chosen_secret_is_kept_as_argon2id(self, hasher: SecretHasher) -> None:
        """RFC 9106."""
        assert "argon2id$" in hasher.hash_chosen(CHOSEN)

    @pytest.mark.parametrize("way", WAYS)
    def test_another_process_verifies_it(self, make_hasher: Callable[..., SecretHasher], way: str) -> None:
        stored = getattr(make_hasher(KEY), way)(GENERATED)
        assert make_hasher(KEY).verify(GENERATED, stored) is True

    @pytest.mark.parametrize("way", WAYS)
    def test_it_survives_a_new_secret_key(self, make_hasher: Callable[..., SecretHasher], way: str) -> None:
        stored = getattr(make_hasher(KEY), way)(GENERATED)
        assert make_hasher(OTHER_KEY, KEY).verify(GENERATED, stored) is True

    @pytest.mark.parametrize("way", ["hash_generated", "seal"])
    def test_it_is_worthless_without_the_secret_key(
        self, make_hasher: Callable[..., SecretHasher], way: str
    ) -> None:
        stored = getattr(make_hasher(KEY), way)(GENERATED)
        assert make_hasher(OTHER_KEY).verify(GENERATED, stored) is False

    @pytest.mark.parametrize("secret", [GENERATED, CHOSEN])
    def test_a_sealed_secret_can_be_read_by_whoever_has_the_secret_key(
        self, make_hasher: Callable[..., SecretHasher], secret: str
    ) -> None:
        stored = make_hasher(KEY).seal(secret)
        assert make_hasher(KEY).unseal(stored) == secret
        assert make_hasher(OTHER_KEY, KEY).unseal(stored) == secret
        assert make_hasher(OTHER_KEY).unseal(stored) is None

    def test_what_is_kept_in_another_way_cannot_be_read(self, hasher: SecretHasher) -> None:
        """Attack S46: what is stored in place of a secret must not become a key."""
        for stored in (hasher.hash_generated(GENERATED), hasher.hash_chosen(CHOSEN), *MALFORMED):
            assert hasher.unseal(stored) is None, stored

    @pytest.mark.parametrize("stored", MALFORMED)
    def test_what_is_malformed_never_matches(self, hasher: SecretHasher, stored: str) -> None:
        for secret in (stored, GENERATED, ""):
            assert hasher.verify(secret, stored) is False

    @pytest.mark.parametrize(
        "secret", ["", "\0", "é 日本", "x" * 10_000], ids=["empty", "nul", "wide", "long"]
    )
    def test_odd_secrets_are_compared_like_others(self, hasher: SecretHasher, secret: str) -> None:
        for way in WAYS:
            assert hasher.verify(secret, getattr(hasher, way)(GENERATED)) is False
        hasher.verify_nothing(secret)

    def test_a_comparison_in_another_thread_is_the_same(self, hasher: SecretHasher) -> None:
        stored = hasher.hash_chosen(CHOSEN)
        assert in_thread(lambda: hasher.verify(CHOSEN, stored)) is True
        assert in_thread(lambda: hasher.verify(GENERATED, stored)) is False

    def test_nothing_to_compare_takes_the_time_of_a_comparison(self, hasher: SecretHasher) -> None:
        """Attack S51: an unknown client is not answered faster than a wrong secret."""
        stored = hasher.hash_generated(GENERATED)
        compared, nothing = [], []
        for _ in range(20):
            compared.append(_seconds(lambda: hasher.verify(CHOSEN, stored)))
            nothing.append(_seconds(lambda: hasher.verify_nothing(CHOSEN)))
        assert min(nothing) >= NOTHING_TO_VERIFY_SHARE * min(compared)


def _seconds(work: Callable[[], object], times: int = 50) -> float:
    started = time.perf_counter()
    for _ in range(times):
        work()
    return time.perf_counter() - started
