"""What strangers can make a process compute and keep for chosen secrets: it has bounds, and tells nothing."""

import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from hosting import ask_token, make_provider

from portula import Plugin
from portula.plugin import Application
from portula_generators import costly

SECRET = "a secret somebody chose, long enough"


@pytest.fixture
def house(monkeypatch):
    """A provider with a client `chosen`, and what its argon2id verifications do: each waits for the gate."""
    provider = make_provider(CLIENT_SECRET_HASH_PROFILE="testing")
    provider.clients.create(
        Application(client_id="chosen", grant_types=("client_credentials",)), secret=SECRET
    )
    hasher = provider.hooks.ask(Plugin.portula_secret_hasher)
    seen = SimpleNamespace(
        provider=provider, asked=[], at_once=0, now=0, gate=threading.Event(), argon2=hasher._argon2
    )
    seen.gate.set()
    lock = threading.Lock()

    def verify(stored, secret):
        with lock:
            seen.asked.append(secret)
            seen.now += 1
            seen.at_once = max(seen.at_once, seen.now)
        seen.gate.wait(10)
        try:
            return seen.argon2.verify(stored, secret)
        finally:
            with lock:
                seen.now -= 1

    monkeypatch.setattr(hasher, "_argon2", SimpleNamespace(verify=verify, hash=seen.argon2.hash))
    return seen


def ask(house, secret, client_id="chosen"):
    return ask_token(house.provider, secret, client_id).status_code


def at_once(house, secrets):
    """Send requests at the same moment, and let the first hash end when all of them have come."""
    house.gate.clear()
    with ThreadPoolExecutor(len(secrets)) as pool:
        threading.Timer(0.5, house.gate.set).start()
        return list(pool.map(lambda secret: ask(house, secret), secrets))


def test_many_right_secrets_at_the_first_moment_cost_one_hash(house):
    assert at_once(house, [SECRET] * 24) == [200] * 24
    assert house.asked == [SECRET]


def test_many_equal_wrong_secrets_at_once_cost_one_hash(house):
    assert at_once(house, ["wrong"] * 24) == [401] * 24
    assert house.asked == ["wrong"]


def test_different_wrong_secrets_are_few_hashes_and_fewer_at_once(house):
    wrong = [f"wrong {number}" for number in range(24)]
    assert at_once(house, wrong) == [401] * 24
    assert len(house.asked) == costly.FAILURES
    assert house.at_once <= costly.AT_WORK


def test_an_address_that_was_wrong_too_often_is_heard_again_after_a_while(house, monkeypatch):
    assert {ask(house, f"wrong {number}") for number in range(20)} == {401}
    assert len(house.asked) == costly.FAILURES
    assert ask(house, SECRET) == 401
    later = costly.monotonic() + costly.WINDOW_SECONDS
    monkeypatch.setattr(costly, "monotonic", lambda: later)
    assert ask(house, SECRET) == 200


def test_another_address_and_a_secret_that_was_right_before_are_heard_at_once(house):
    hasher = house.provider.hooks.ask(Plugin.portula_secret_hasher)
    (stored,) = house.provider.clients.find("chosen").secret_hashes
    for number in range(20):
        assert not hasher.verify_for("192.0.2.1", f"wrong {number}", stored)
    assert not hasher.verify_for("192.0.2.1", SECRET, stored)
    assert hasher.verify_for("192.0.2.2", SECRET, stored)
    assert hasher.verify_for("192.0.2.1", SECRET, stored)


def test_right_secrets_use_up_nothing(house):
    hasher = house.provider.hooks.ask(Plugin.portula_secret_hasher)
    for _ in range(3):
        (stored,) = house.provider.clients.find("chosen").secret_hashes
        for number in range(20):
            made = house.argon2.hash(f"right {number}")
            assert hasher.verify_for("192.0.2.1", f"right {number}", made)
        assert hasher.verify_for("192.0.2.1", SECRET, stored)


def test_an_unknown_client_costs_a_hash_as_a_wrong_secret_does_and_as_few(house):
    ask(house, "wrong")
    house.asked.clear()
    assert {ask(house, f"wrong {number}", "nobody") for number in range(20)} == {401}
    assert len(house.asked) == costly.FAILURES


def test_a_hash_that_fails_fails_for_all_who_wait_and_is_forgotten(house, monkeypatch):
    comparisons = costly.Comparisons()

    def fail():
        raise MemoryError

    for _ in range(2):
        with pytest.raises(MemoryError):
            comparisons.ask(b"mark", fail)
    assert comparisons.ask(b"mark", lambda: True)


def test_addresses_that_are_remembered_have_a_bound(monkeypatch):
    monkeypatch.setattr(costly, "REMEMBERED", 5)
    comparisons = costly.Comparisons()
    for number in range(50):
        assert not comparisons.ask(b"%d" % number, lambda: False, f"caller {number}")
    assert len(comparisons._failed) == 5
