"""What strangers can make a process compute and keep for chosen secrets: it has bounds, and tells nothing."""

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from hosting import ask_token, make_provider

from portula import Plugin
from portula.errors import RetryLater
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
    seen.waiting = threading.Semaphore(0)
    """Released by each that waits for the comparison of another."""
    seen.gate.set()
    lock = threading.Lock()

    def verify(stored, secret):
        with lock:
            seen.asked.append(secret)
            seen.now += 1
            seen.at_once = max(seen.at_once, seen.now)
        seen.gate.wait(60)
        try:
            return seen.argon2.verify(stored, secret)
        finally:
            with lock:
                seen.now -= 1

    class Counted(Future):
        def result(self, timeout=None):
            seen.waiting.release()
            return super().result(timeout)

    monkeypatch.setattr(costly, "Future", Counted)
    monkeypatch.setattr(hasher, "_argon2", SimpleNamespace(verify=verify, hash=seen.argon2.hash))
    return seen


def ask(house, secret, client_id="chosen"):
    return ask_token(house.provider, secret, client_id).status_code


def at_once(house, secrets):
    """Send requests at the same moment, and let the first hash end when all that are alike wait for it."""
    house.gate.clear()
    with ThreadPoolExecutor(len(secrets)) as pool:
        answers = pool.map(lambda secret: ask(house, secret), secrets)
        found = [house.waiting.acquire(timeout=30) for _ in range(len(secrets) - len(set(secrets)))]
        house.gate.set()
        assert all(found)
        return list(answers)


def test_many_right_secrets_at_the_first_moment_cost_one_hash(house):
    assert at_once(house, [SECRET] * 24) == [200] * 24
    assert house.asked == [SECRET]


def test_many_equal_wrong_secrets_at_once_cost_one_hash(house):
    assert at_once(house, ["wrong"] * 24) == [401] * 24
    assert house.asked == ["wrong"]


def test_different_wrong_secrets_are_few_hashes_and_fewer_at_once(house):
    wrong = [f"wrong {number}" for number in range(24)]
    assert sorted(at_once(house, wrong)) == [401] * costly.FAILURES + [429] * (24 - costly.FAILURES)
    assert len(house.asked) == costly.FAILURES
    assert house.at_once <= costly.AT_WORK


def test_an_address_that_was_wrong_too_often_is_heard_again_after_a_while(house, monkeypatch):
    assert [ask(house, f"wrong {number}") for number in range(20)] == [401] * 15 + [429] * 5
    assert len(house.asked) == costly.FAILURES
    refused = ask_token(house.provider, SECRET, "chosen")
    assert (refused.status_code, refused.json["error"]) == (429, "temporarily_unavailable")
    assert 1 <= int(refused.headers["Retry-After"]) <= costly.WINDOW_SECONDS
    later = costly.monotonic() + costly.WINDOW_SECONDS
    monkeypatch.setattr(costly, "monotonic", lambda: later)
    assert ask(house, SECRET) == 200


def from_address(house, address, secret, client_id="chosen"):
    """Say which stored secret somebody at an address presents; 429 where nothing is compared."""
    hasher, client = (
        house.provider.hooks.ask(Plugin.portula_secret_hasher),
        house.provider.clients.find(client_id),
    )
    stored = client.secret_hashes if client else ()
    try:
        return hasher.verify_any(secret, stored, client_id=client_id, client_address=address)
    except RetryLater as error:
        return error.status_code


def test_another_address_and_a_secret_that_was_right_before_are_heard_at_once(house):
    (stored,) = house.provider.clients.find("chosen").secret_hashes
    found = [from_address(house, "192.0.2.1", f"wrong {number}") for number in range(20)]
    assert found == [None] * 15 + [429] * 5
    assert from_address(house, "192.0.2.1", SECRET) == 429
    assert from_address(house, "192.0.2.2", SECRET) == stored
    assert from_address(house, "192.0.2.1", SECRET) == stored


def test_right_secrets_use_up_nothing(house):
    hasher = house.provider.hooks.ask(Plugin.portula_secret_hasher)
    for number in range(80):
        made = house.argon2.hash(f"right {number}")
        given = {"client_id": "chosen", "client_address": "192.0.2.1"}
        assert hasher.verify_any(f"right {number}", [made], **given) == made
    assert from_address(house, "192.0.2.1", SECRET) is not None


def test_of_two_secrets_each_costs_its_hash_once(house):
    hasher = house.provider.hooks.ask(Plugin.portula_secret_hasher)
    old, new = (house.argon2.hash(secret) for secret in ("the old one", "the new one"))
    for _ in range(40):
        given = {"client_id": "rotating", "client_address": "192.0.2.1"}
        assert hasher.verify_any("the new one", [old, new], **given) == new
    assert len(house.asked) == 2


@pytest.fixture
def others(house):
    """Clients beside the chosen one: what each is like cannot be told."""
    create = house.provider.clients.create
    create(Application(client_id="generated", grant_types=("client_credentials",)))
    create(Application(client_id="public", client_type="public", redirect_uris=("https://c.example/cb",)))
    ask(house, SECRET)  # from now on it is known that a person chose a secret
    house.asked.clear()


@pytest.mark.parametrize("client_id", ["chosen", "generated", "public", "nobody"])
@pytest.mark.parametrize("wrong", ["wrong", "wrong {}"], ids=["equal", "different"])
def test_neither_answers_nor_hashes_tell_clients_from_each_other(house, others, client_id, wrong):
    answers = [ask_token(house.provider, wrong.format(number), client_id) for number in range(20)]
    assert [answer.status_code for answer in answers] == [401] * 15 + [429] * 5
    assert len({(answer.data, *answer.headers) for answer in answers[:15]}) == 1
    assert len(house.asked) == costly.FAILURES


def test_who_tries_many_clients_is_refused_at_all_alike(house, others):
    for number in range(costly.FAILURES_PER_ADDRESS):
        assert ask(house, "wrong", f"nobody {number}") == 401
    house.asked.clear()
    assert {ask(house, "wrong", name) for name in ("chosen", "generated", "public", "nobody at all")} == {429}
    assert house.asked == []
    assert ask(house, SECRET) == 200  # it was right before


def test_where_nobody_chose_a_secret_nothing_is_costly_and_nothing_refused():
    provider = make_provider(CLIENT_SECRET_HASH_PROFILE="testing")
    _, secret = provider.clients.create(Application(client_id="c", grant_types=("client_credentials",)))
    names = ["c", "nobody"] * 50
    assert {ask_token(provider, "wrong", name).status_code for name in names} == {401}
    assert ask_token(provider, secret, "c").status_code == 200


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
        assert not comparisons.ask(b"%d" % number, lambda: False, {f"caller {number}": 1})
    assert len(comparisons._failed) == 5
