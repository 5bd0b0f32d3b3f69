import asyncio
import json
import logging
import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from click.testing import CliRunner
from support.fitting import stubbed
from support.signing_out import SHOP, TEA, House, deliver, heard, sign_out, with_servers
from werkzeug.test import Client

from portula import Plugin, hookimpl
from portula.flow.deliveries import LEASE_SECONDS, Deliveries
from portula.plugin import (
    DeliveryKind,
    DeliveryWorker,
    Endpoint,
    OutgoingMessage,
    Plan,
    TokenIssued,
    deliver_command,
    json_answer,
)
from portula_testing.provider import Memory


@pytest.fixture
def make():
    return House


@pytest.fixture
def house(make):
    return with_servers(make())


# --- Several at once ---


def test_of_many_who_deliver_at_once_one_does(house):
    sign_out(house.browser("ada", "teapot", "shop"))
    with ThreadPoolExecutor(8) as pool:
        tallies = list(pool.map(lambda _: house.provider.deliveries.deliver(), range(8)))
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
        house.provider.deliveries.deliver()
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
        assert house.provider.deliveries.deliver().failed == 1
        return 200

    house.fetcher.answers[TEA] = late
    house.provider.deliveries.deliver()
    assert len(house.artifacts("logout-token")) == 1


# --- Threads ---


def test_threads_deliver_at_once_and_end(make, monkeypatch):
    monkeypatch.setattr(
        "portula.web.delivery_threads.MAX_SLEEP_SECONDS", 1
    )  # one may wait for a lease that is over
    house = with_servers(make(DELIVERY_THREADS=2))
    before = set(threading.enumerate())
    sign_out(house.browser("ada", "teapot", "shop"))
    house.fetcher.wait_for(2)
    for thread in set(threading.enumerate()) - before:
        thread.join(20)
        assert not thread.is_alive()
    assert house.artifacts("logout-token") == []


def test_no_more_threads_run_than_are_allowed(make):
    house = with_servers(make(DELIVERY_THREADS=3))
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
    second = House(memory=memory, DELIVERY_THREADS=1)
    second.browser().get("/who")
    ((url, _),) = second.fetcher.wait_for(1)
    assert url == TEA


def test_a_process_looks_once_a_minute(make, monkeypatch):
    house = make(DELIVERY_THREADS=1)
    now, looks = [1000.0], []
    monkeypatch.setattr("portula.web.delivery_threads.time.monotonic", lambda: now[0])
    monkeypatch.setattr(Deliveries, "due", lambda _self: looks.append(now[0]))
    for step in (0, 59, 1, 10):
        now[0] += step
        house.browser().get("/who")
    assert looks == [1000.0, 1060.0]


def test_a_store_that_fails_harms_no_request_that_looks(make, monkeypatch, caplog):
    house = make(DELIVERY_THREADS=1)

    def fail(_self):
        raise OSError("the store is away")

    monkeypatch.setattr(Deliveries, "due", fail)
    assert house.browser().get("/who").text == "nobody"
    assert "looking for deliveries failed" in caplog.text


@pytest.mark.parametrize("failure", [OSError("the store is away"), asyncio.CancelledError()], ids=repr)
def test_a_store_that_fails_ends_a_thread_and_the_next_logout_starts_one(make, monkeypatch, caplog, failure):
    house = with_servers(make(DELIVERY_THREADS=1))
    failed = threading.Event()
    deliver_all = Deliveries.deliver

    def fail(self, **_):
        failed.set()
        raise failure

    before = set(threading.enumerate())
    monkeypatch.setattr(Deliveries, "deliver", fail)
    with caplog.at_level(logging.ERROR):
        sign_out(house.browser("ada", "teapot"))
        assert failed.wait(20)
        for thread in set(threading.enumerate()) - before:
            thread.join(20)
    assert "delivering stopped" in caplog.text
    monkeypatch.setattr(Deliveries, "deliver", deliver_all)
    sign_out(house.browser("ada", "shop"))
    house.fetcher.wait_for(2)


def test_a_thread_that_cannot_be_started_takes_no_place(make, monkeypatch, caplog):
    house = with_servers(make(DELIVERY_THREADS=1))

    def refuse(_thread):
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as without_threads, caplog.at_level(logging.ERROR):
        without_threads.setattr(threading.Thread, "start", refuse)
        sign_out(house.browser("ada", "teapot"))
    assert "waking the delivery worker failed" in caplog.text
    sign_out(house.browser("ada", "shop"))
    house.fetcher.wait_for(2)


@pytest.mark.filterwarnings("ignore:This process.*is multi-threaded:DeprecationWarning")
def test_a_process_that_was_forked_starts_threads_of_its_own(make):
    """Even if another thread held the lock at that moment."""
    house = with_servers(make(DELIVERY_THREADS=1))
    worker = house.provider.delivery_worker
    ours, theirs = os.pipe()
    with worker._lock:
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


def test_another_plugin_can_be_the_worker():
    class Queue(stubbed(DeliveryWorker)):
        def __init__(self):
            self.woken = []

        @hookimpl
        def portula_delivery_worker(self, provider):
            return self

        def wake(self, added):
            self.woken.append(added)

        def look(self):
            pass

    queue = Queue()
    house = with_servers(House(queue))
    sign_out(house.browser("ada", "teapot", "shop"))
    assert queue.woken == [2]
    assert len(house.artifacts("logout-token")) == 2


# --- Servers that hang or fail ---


def test_a_server_that_hangs_keeps_no_other_waiting(make):
    """40 sign-outs wait for one server that never answers; another one hears while it hangs."""
    house = with_servers(make(DELIVERY_THREADS=2))
    gate, hanging = threading.Event(), threading.Semaphore(0)

    def hang():
        hanging.release()
        gate.wait(20)

    house.fetcher.answers[TEA] = hang
    for _ in range(40):
        sign_out(house.browser("ada", "teapot"))
    assert hanging.acquire(timeout=20)
    sign_out(house.browser("bob", "shop"))
    house.fetcher.wait_for(1)
    assert heard(house) == [SHOP]
    assert not hanging.acquire(blocking=False), "half of the threads wait for one server at the most"
    gate.set()


def test_a_server_that_fails_is_left_alone_and_the_others_hear(house):
    house.fetcher.answers[TEA] = None
    for _ in range(40):
        sign_out(house.browser("ada", "teapot"))
    sign_out(house.browser("bob", "shop"))
    for expected, pause in ((1, 10), (2, 20), (3, 40)):
        tally = house.provider.deliveries.deliver()
        assert heard(house).count(TEA) == expected
        assert tally.next_at == house.clock() + pause
        house.clock.advance(pause)
    assert heard(house).count(SHOP) == 1
    house.fetcher.answers.clear()
    house.provider.deliveries.deliver()
    house.clock.advance(40)
    house.provider.deliveries.deliver()
    assert house.artifacts("logout-token") == []


def test_by_hand_a_server_that_fails_is_tried_once_too(house):
    house.fetcher.answers[TEA] = 503
    for _ in range(3):
        sign_out(house.browser("ada", "teapot"))
    assert deliver(house, "--all")["failed"] == 1
    assert heard(house) == [TEA]


@pytest.mark.parametrize(("status", "tried"), [(404, 3), (401, 3), (429, 1), (500, 1)])
def test_a_server_that_answers_is_asked_for_each(house, status, tried):
    house.fetcher.answers[TEA] = status
    for _ in range(3):
        sign_out(house.browser("ada", "teapot"))
    assert deliver(house)["failed"] == tried


# --- Kinds of other rooms ---

HOOK = "https://hook.example/ended"


class Ends:
    """Posts the end of each session, as JSON under a header of its own."""

    wanted = True

    @hookimpl
    def portula_deliveries(self, provider):
        kind = DeliveryKind(
            what="of an end",
            message=self.message,
            done=frozenset({409}),
            permanent=frozenset({410}),
            retry_seconds=1,
            give_up_seconds=60,
        )
        return {"end": kind}

    @hookimpl
    def portula_record_session_end(self, event):
        return [event.provider.deliveries.record("end", event.sid, HOOK, {"subject": event.subject})]

    def message(self, delivery):
        if not self.wanted:
            return None
        body = json.dumps({**delivery.data, "attempt": delivery.attempt}).encode()
        return OutgoingMessage(url=HOOK, body=body, headers={"Content-Type": "application/json"})


@pytest.fixture
def ends():
    return Ends()


def test_a_room_sends_any_body_and_headers(make, ends):
    house = with_servers(make(ends))
    sign_out(house.browser("ada", "teapot"))
    assert deliver(house)["delivered"] == 1, "the command of a room delivers what is the room's"
    assert heard(house) == [TEA]
    house.fetcher.answers[HOOK] = 500
    command = deliver_command(house.provider)
    with house.app.app_context():
        failed, none, done = (
            CliRunner().invoke(command, arguments).output for arguments in ([], [], ["--all"])
        )
    assert (failed, none) == (
        "0 delivered, 1 to be tried again, 0 given up.\n",
        "0 delivered, 0 to be tried again, 0 given up.\n",
    )
    assert done == failed
    house.fetcher.answers.clear()
    house.clock.advance(2)
    assert house.provider.deliveries.deliver().delivered == 1
    assert house.fetcher.posts[-1] == (HOOK, b'{"subject": "ada", "attempt": 3}')
    assert house.fetcher.headers[-1] == {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("status", "outcome"), [(204, "delivered"), (409, "delivered"), (410, "given_up"), (400, "failed")]
)
def test_a_kind_says_what_an_answer_means(make, ends, status, outcome):
    house = make(ends)
    house.fetcher.answers[HOOK] = status
    sign_out(house.browser("ada"))
    assert getattr(house.provider.deliveries.deliver(), outcome) == 1


def test_what_need_not_arrive_any_more_is_not_sent(make, ends):
    house = make(ends)
    sign_out(house.browser("ada"))
    ends.wanted = False
    assert house.provider.deliveries.deliver().given_up == 1
    assert house.fetcher.posts == []


def test_what_a_room_left_that_is_gone_is_left_alone(ends):
    memory = Memory()
    sign_out(House(ends, memory=memory).browser("ada"))
    house = House(memory=memory, DELIVERY_THREADS=1)
    house.browser().get("/who")
    assert house.provider.deliveries.deliver().next_at is None
    assert (len(house.artifacts("end")), house.fetcher.posts) == (1, [])


def test_a_machine_request_ahead_of_flask_wakes_the_worker(make):
    class Tokens(Ends):
        @hookimpl
        def portula_record_token(self, event):
            return [event.provider.deliveries.record("end", event.id, HOOK, {"subject": event.client_id})]

        @hookimpl
        def portula_endpoints(self, provider):
            def answer(message):
                event = TokenIssued(provider=provider, client_id="tea", grant_type="tea", scopes=())
                plan = Plan()
                plan.extend(provider.hooks.record(Plugin.portula_record_token, event))
                provider.storage.apply(plan)
                return json_answer(200, {})

            return [Endpoint("tea", "tea/", ("POST",), answer)]

    house = make(Tokens(), DELIVERY_THREADS=1)
    client = Client(house.provider.wsgi())
    assert client.post("/o/tea/").status_code == 200
    assert house.fetcher.wait_for(1)[0][0] == HOOK
