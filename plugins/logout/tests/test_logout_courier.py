import logging
import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from support.fitting import stubbed
from support.signing_out import SHOP, TEA, House, deliver, heard, sign_out, with_servers

from portula import hookimpl
from portula_logout.courier import Threads, courier_of
from portula_logout.hooks import Courier
from portula_logout.outbox import LEASE_SECONDS, Outbox
from portula_testing.provider import Memory


@pytest.fixture
def house(make):
    return with_servers(make())


# --- Several at once ---


def test_of_many_who_deliver_at_once_one_does(house):
    sign_out(house.browser("ada", "teapot", "shop"))
    with ThreadPoolExecutor(8) as pool:
        tallies = list(pool.map(lambda _: Outbox(house.provider).deliver(), range(8)))
    assert sum(tally.delivered for tally in tallies) == 2
    assert heard(house) == [SHOP, TEA]


def test_what_a_process_began_that_died_is_tried_again_when_its_lease_is_over(house):
    sign_out(house.browser("ada", "teapot"))

    class Killed(BaseException):
        """No exception that anybody handles."""

    def die():
        raise Killed

    house.fetcher.answers[TEA] = die
    with pytest.raises(Killed):
        Outbox(house.provider).deliver()
    house.fetcher.answers.clear()
    assert deliver(house, "--all")["delivered"] == 0
    house.clock.advance(LEASE_SECONDS - 1)
    assert deliver(house)["delivered"] == 0
    house.clock.advance(1)
    assert deliver(house)["delivered"] == 1


def test_who_finishes_after_their_lease_does_not_take_away_what_another_is_at(house):
    sign_out(house.browser("ada", "teapot"))

    def late():
        house.clock.advance(LEASE_SECONDS)
        house.fetcher.answers[TEA] = 500
        assert Outbox(house.provider).deliver().failed == 1
        return 200

    house.fetcher.answers[TEA] = late
    Outbox(house.provider).deliver()
    assert len(house.artifacts("logout-token")) == 1


# --- Threads ---


def test_threads_deliver_at_once_and_end(make):
    house = with_servers(make(OIDC_BACKCHANNEL_LOGOUT_THREADS=2))
    before = set(threading.enumerate())
    sign_out(house.browser("ada", "teapot", "shop"))
    house.fetcher.wait_for(2)
    for thread in set(threading.enumerate()) - before:
        thread.join(20)
        assert not thread.is_alive()
    assert house.artifacts("logout-token") == []


def test_no_more_threads_run_than_are_allowed(make):
    house = with_servers(make(OIDC_BACKCHANNEL_LOGOUT_THREADS=3))
    gate, names = threading.Event(), set()

    def slow():
        names.add(threading.current_thread())
        gate.wait(20)
        return 200

    house.fetcher.answers[TEA] = slow
    for _ in range(9):
        sign_out(house.browser("ada", "teapot"))
    gate.set()
    house.fetcher.wait_for(9)
    assert 1 <= len(names) <= 3


def test_a_new_process_finds_what_another_left_with_its_first_request(make):
    """The one that ended the session was killed between the transaction and the delivery."""
    memory = Memory()
    first = House(memory=memory)
    with_servers(first)
    sign_out(first.browser("ada", "teapot"))
    assert first.fetcher.posts == []
    second = House(memory=memory, OIDC_BACKCHANNEL_LOGOUT_THREADS=1)
    second.browser().get("/who")
    ((url, _),) = second.fetcher.wait_for(1)
    assert url == TEA


def test_a_process_looks_once_a_minute(make, monkeypatch):
    house = make(OIDC_BACKCHANNEL_LOGOUT_THREADS=1)
    now, looks = [1000.0], []
    monkeypatch.setattr("portula_logout.courier.time.monotonic", lambda: now[0])
    monkeypatch.setattr(Outbox, "due", lambda _self: looks.append(now[0]))
    for step in (0, 59, 1, 10):
        now[0] += step
        house.browser().get("/who")
    assert looks == [1000.0, 1060.0]


def test_a_store_that_fails_harms_no_request_that_looks(make, monkeypatch, caplog):
    house = make(OIDC_BACKCHANNEL_LOGOUT_THREADS=1)

    def fail(_self):
        raise OSError("the store is away")

    monkeypatch.setattr(Outbox, "due", fail)
    assert house.browser().get("/who").text == "nobody"
    assert "looking for logout tokens failed" in caplog.text


def test_a_store_that_fails_ends_a_thread_and_the_next_logout_starts_one(make, monkeypatch, caplog):
    house = with_servers(make(OIDC_BACKCHANNEL_LOGOUT_THREADS=1))
    failed = threading.Event()
    deliver_all = Outbox.deliver

    def fail(self):
        failed.set()
        raise OSError("the store is away")

    before = set(threading.enumerate())
    monkeypatch.setattr(Outbox, "deliver", fail)
    with caplog.at_level(logging.ERROR):
        sign_out(house.browser("ada", "teapot"))
        assert failed.wait(20)
        for thread in set(threading.enumerate()) - before:
            thread.join(20)
    assert "delivering logout tokens stopped" in caplog.text
    monkeypatch.setattr(Outbox, "deliver", deliver_all)
    sign_out(house.browser("ada", "shop"))
    house.fetcher.wait_for(2)


@pytest.mark.filterwarnings("ignore:This process.*is multi-threaded:DeprecationWarning")
def test_a_process_that_was_forked_starts_threads_of_its_own(make):
    """Even if another thread held the lock at that moment."""
    house = with_servers(make(OIDC_BACKCHANNEL_LOGOUT_THREADS=1))
    courier = courier_of(house.provider)
    assert isinstance(courier, Threads)
    ours, theirs = os.pipe()
    with courier._lock:
        child = os.fork()
        if child == 0:
            try:
                house.fetcher.answers[TEA] = lambda: os.write(theirs, b"heard") and 200
                sign_out(house.browser("ada", "teapot"))
                house.fetcher.wait_for(1)
            finally:
                os._exit(0)
    os.close(theirs)
    _, status = os.waitpid(child, 0)
    assert os.read(ours, 10) == b"heard"
    os.close(ours)
    assert status == 0


def test_another_plugin_can_be_the_courier():
    class Queue(stubbed(Courier)):
        def __init__(self):
            self.woken = []

        @hookimpl
        def portula_logout_courier(self, provider):
            return self

        def wake(self, waiting):
            self.woken.append(waiting)

        def look(self):
            pass

    queue = Queue()
    house = with_servers(House(queue, PLUGINS_CHOICE={"logout_courier": "Queue"}))
    sign_out(house.browser("ada", "teapot", "shop"))
    assert queue.woken == [2]
    assert len(house.artifacts("logout-token")) == 2
