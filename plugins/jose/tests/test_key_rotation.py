"""How generated keys follow each other: published before they sign, and after."""

import multiprocessing
import threading

import pytest
from flask import Flask
from support.signing import artifacts, kid_of, kids, published, states

from portula import Plugin
from portula.errors import UntrustedToken
from portula_jose import signing_keys as ring_module
from portula_jose.signing_keys import REREAD_SECONDS, State
from portula_testing.jws import taken_apart, verify_token
from portula_testing.provider import MovableClock, make_provider

DAY = 24 * 3600
LEAD = 2 * 3600 + REREAD_SECONDS
MANY_YEARS = 10 * 365 * DAY


@pytest.fixture
def by_hand(worker):
    """A worker whose keys are rotated by hand only, with keys for one algorithm."""
    jose = worker(SIGNING_KEY_ROTATION_SECONDS=None, SIGNING_ALGORITHMS=["RS256"], ENCRYPTION_ALGORITHMS=[])
    kid_of(jose)
    return jose


def test_a_new_key_is_published_before_it_signs_and_the_old_one_after(by_hand, clock):
    old = kid_of(by_hand)
    new = by_hand.ring.rotate("RS256").public.kid
    assert (kid_of(by_hand), kids(by_hand), states(by_hand)) == (old, [old, new], ["active", "next"])
    clock.advance(LEAD - 1)
    token = by_hand.sign({}, typ="JWT")
    assert taken_apart(token)[0]["kid"] == old
    clock.advance(1)
    assert (kid_of(by_hand), kids(by_hand), states(by_hand)) == (new, [old, new], ["retiring", "active"])
    clock.advance(14 * DAY - 1)
    assert by_hand.verify_own(token, typ={"JWT"})
    clock.advance(1)
    assert kids(by_hand) == [new]
    with pytest.raises(UntrustedToken):
        by_hand.verify_own(token, typ={"JWT"})
    clock.advance(REREAD_SECONDS)
    assert states(by_hand) == ["active"]
    assert len(artifacts(by_hand)) == 1, "a retired key is deleted"


def _sign_in_child(jose, answers):
    answers.put(kid_of(jose))


def test_a_process_that_was_forked_reads_the_keys_anew(worker):
    """Those of before may be hours old, or be of a thread that was reading them."""
    settings = {"SIGNING_ALGORITHMS": ["RS256"], "ENCRYPTION_ALGORITHMS": []}
    jose, other = worker(**settings), worker(**settings)
    old = kid_of(jose)
    new = other.ring.rotate("RS256", at_once=True).public.kid
    assert kid_of(jose) == old, "known within seconds"
    fork = multiprocessing.get_context("fork")
    answers = fork.SimpleQueue()
    with jose.ring._reading:
        child = fork.Process(target=_sign_in_child, args=(jose, answers))
        child.start()
        child.join(20)
    assert child.exitcode == 0
    assert answers.get() == new


@pytest.mark.parametrize("max_age", [0, 60, 86400])
def test_a_new_key_is_published_until_no_cache_lacks_it(worker, clock, max_age):
    jose = worker(OIDC_JWKS_MAX_AGE_SECONDS=max_age, SIGNING_ALGORITHMS=["RS256"])
    old = kid_of(jose)
    new = jose.ring.rotate("RS256")
    assert new.signs_from - clock() >= 2 * max_age
    clock.advance(2 * max_age)
    assert kid_of(jose) == old
    clock.advance(REREAD_SECONDS)
    assert kid_of(jose) == new.public.kid


@pytest.mark.parametrize("seconds", [3600, 30 * DAY])
def test_a_retiring_key_stays_published_as_long_as_is_set(worker, clock, seconds):
    jose = worker(SIGNING_KEY_RETIRING_SECONDS=seconds, SIGNING_KEY_ROTATION_SECONDS=None)
    token = jose.sign({}, typ="JWT")
    jose.ring.rotate("RS256", at_once=True)
    clock.advance(seconds - 1)
    assert jose.verify_own(token, typ={"JWT"})
    clock.advance(1)
    with pytest.raises(UntrustedToken):
        jose.verify_own(token, typ={"JWT"})


def test_rotating_twice_makes_one_key_and_does_not_hurry_it(by_hand, clock):
    first = by_hand.ring.rotate("RS256")
    clock.advance(600)
    second = by_hand.ring.rotate("RS256")
    assert (second.public.kid, second.signs_from) == (first.public.kid, first.signs_from)
    assert len(kids(by_hand)) == 2


def test_a_key_that_waits_is_let_sign_at_once_where_that_is_asked_for(by_hand, clock):
    old = kid_of(by_hand)
    new = by_hand.ring.rotate("RS256")
    hurried = by_hand.ring.rotate("RS256", at_once=True)
    assert hurried.public.kid == new.public.kid == kid_of(by_hand)
    assert kids(by_hand) == [old, hurried.public.kid]


def test_every_rotation_at_once_makes_a_key(by_hand, clock):
    seen = {kid_of(by_hand)}
    for number in range(2, 5):
        by_hand.ring.rotate("RS256", at_once=True)
        seen.add(kid_of(by_hand))
        assert len(seen) == number
    assert set(kids(by_hand)) == seen


def test_of_workers_that_rotate_at_once_all_get_one_key(worker):
    workers = [worker(SIGNING_ALGORITHMS=["RS256"]) for _ in range(4)]
    kid_of(workers[0])
    barrier, made = threading.Barrier(4), []

    def rotate(jose):
        barrier.wait()
        made.append(jose.ring.rotate("RS256").public.kid)

    threads = [threading.Thread(target=rotate, args=(jose,)) for jose in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 1
    assert len(artifacts(workers[0])) == 2


@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize("others_at_once", [True, False])
def test_who_is_overtaken_while_it_makes_a_key_gets_that_of_the_faster_one(
    worker, clock, monkeypatch, at_once, others_at_once
):
    slow, fast = (worker(SIGNING_ALGORITHMS=["RS256"]) for _ in range(2))
    kid_of(slow)
    generate, meanwhile = ring_module._generate, []

    def overtaken(*how):
        if not meanwhile:
            meanwhile.append(None)
            meanwhile[0] = fast.ring.rotate("RS256", at_once=others_at_once)
        return generate(*how)

    monkeypatch.setattr(ring_module, "_generate", overtaken)
    made = slow.ring.rotate("RS256", at_once=at_once)
    assert made.public.kid == meanwhile[0].public.kid
    assert len(artifacts(slow)) == 2
    assert (made.signs_from == clock()) is (at_once or others_at_once)
    assert slow.ring.read().of("RS256")[-1] == made


@pytest.mark.parametrize("waits", [True, False])
def test_a_rotation_that_could_not_be_kept_is_none(by_hand, monkeypatch, waits):
    if waits:
        by_hand.ring.rotate("RS256")
    before = by_hand.ring.read().keys

    def fail(plan):
        raise ZeroDivisionError

    with monkeypatch.context() as broken:
        broken.setattr(by_hand._provider.storage, "apply", fail)
        with pytest.raises(ZeroDivisionError):
            by_hand.ring.rotate("RS256", at_once=True)
    assert by_hand.ring.ring().keys == by_hand.ring.read().keys == before


def test_every_worker_hears_of_a_rotation_within_seconds(worker, clock):
    first, second = worker(), worker()
    old = kid_of(second)
    new = first.ring.rotate("RS256", at_once=True).public.kid
    token = second.sign({"stale": True}, typ="JWT")
    assert taken_apart(token)[0]["kid"] == old
    assert first.verify_own(token, typ={"JWT"}).claims == {"stale": True}
    verify_token(token, next(key for key in published(first) if key["kid"] == old))
    clock.advance(REREAD_SECONDS)
    assert kid_of(second) == new


def test_keys_follow_each_other_by_themselves(worker, clock):
    jose = worker(SIGNING_ALGORITHMS=["RS256"])
    old = kid_of(jose)
    clock.advance(90 * DAY - LEAD - 1)
    assert kids(jose) == [old]
    clock.advance(REREAD_SECONDS)
    assert len(kids(jose)) == 2, "the next one is published in time"
    assert kid_of(jose) == old
    clock.advance(LEAD)
    assert kid_of(jose) == kids(jose)[1]
    assert states(jose) == ["retiring", "active"]


@pytest.mark.parametrize(("seconds", "rotated"), [(DAY, True), (None, False)])
def test_how_soon_keys_follow_each_other_is_set(worker, clock, seconds, rotated):
    jose = worker(SIGNING_KEY_ROTATION_SECONDS=seconds, SIGNING_ALGORITHMS=["RS256"])
    old = kid_of(jose)
    for _ in range(4):
        clock.advance(DAY // 2)
        kids(jose)
    assert (kid_of(jose) != old) is rotated


def test_a_provider_that_nobody_asked_for_long_still_publishes_before_it_signs(worker, clock):
    jose = worker(SIGNING_ALGORITHMS=["RS256"])
    old = kid_of(jose)
    clock.advance(MANY_YEARS)
    assert kid_of(jose) == old
    assert states(jose) == ["active", "next"]
    clock.advance(LEAD)
    assert kid_of(jose) == kids(jose)[1]


def test_many_generations_are_read(worker, clock):
    jose = worker(SIGNING_KEY_ROTATION_SECONDS=None, SIGNING_ALGORITHMS=["RS256", "ES256"])
    kid_of(jose, "ES256")
    for _ in range(110):
        jose.ring.rotate("ES256", at_once=True)
    later = worker(SIGNING_ALGORITHMS=["RS256", "ES256"])
    assert len(later.ring.placed_keys()) == 111
    assert kid_of(later, "ES256") == kid_of(jose, "ES256")


def test_a_key_made_by_a_clock_that_is_ahead_signs(worker, memory, clock):
    ahead = MovableClock(clock() + 30)
    kid = kid_of(make_provider("jose", memory, clock=ahead).hooks.ask(Plugin.portula_jose))
    jose = worker()
    assert kid_of(jose) == kid
    assert kid in kids(jose)


def test_a_clock_that_goes_back_breaks_nothing(memory):
    moments = [2_000_000_000]
    jose = make_provider("jose", memory, clock=lambda: moments[-1]).hooks.ask(Plugin.portula_jose)
    kid = kid_of(jose)
    moments.append(moments[-1] - 3600)
    assert kid_of(jose) == kid
    assert kid in kids(jose)


def test_there_are_four_states():
    assert [state.value for state in State] == ["next", "active", "retiring", "retired"]


def test_workers_on_a_database_sign_with_one_key(tmp_path, clock):
    """The same with processes' own connections, on SQLite."""

    def start():
        app = Flask("worker", instance_path=str(tmp_path))
        return make_provider("jose", "storage_sql", app=app, settings={"STORAGE": "storage_sql"}, clock=clock)

    providers = [start() for _ in range(3)]
    tokens = [provider.hooks.ask(Plugin.portula_jose).sign({"a": 1}, typ="JWT") for provider in providers]
    assert len({taken_apart(token)[0]["kid"] for token in tokens}) == 1
    providers[0].hooks.ask(Plugin.portula_jose).ring.rotate("RS256")
    clock.advance(LEAD)
    tokens += [provider.hooks.ask(Plugin.portula_jose).sign({"a": 1}, typ="JWT") for provider in providers]
    assert len({taken_apart(token)[0]["kid"] for token in tokens}) == 2
    for provider in providers:
        for token in tokens:
            assert provider.hooks.ask(Plugin.portula_jose).verify_own(token, typ={"JWT"}).claims == {"a": 1}
    for provider in providers:
        for store in provider.stores.values():
            store.close()
