"""Costly work takes none of the threads away from other requests, and few pieces of it are done at once."""

import threading
from contextlib import nullcontext

import pytest
from support.children import wait_until

from portula.cli import threads as served
from portula.cli.threads import Threads, Work
from portula.plugin import costly_work

NUMBER = 2


@pytest.fixture
def threads():
    """Threads that are as many after a test as before it."""
    made, before = Threads(NUMBER), threading.active_count()
    yield made
    wait_until(lambda: threading.active_count() <= before)


def begin_costly(threads, number, places=None):
    """Let costly work be done that ends when it is let go; return what lets it go, and what it did."""
    go, done = threading.Event(), []
    begun = threading.Semaphore(0)

    def work():
        begun.release()
        with costly_work(places):
            go.wait(10)
            done.append(threading.get_ident())

    for _ in range(number):
        threads.put(Work(work))
    return go, done, begun


def answers(threads):
    """Say whether other work is done now."""
    told = threading.Event()
    threads.put(Work(told.set))
    return told.wait(5)


@pytest.mark.parametrize("places", [None, 1])
def test_others_are_answered_while_many_wait_for_costly_work(threads, places):
    go, done, begun = begin_costly(threads, 10, places and threading.Semaphore(places))
    for _ in range(10):
        assert begun.acquire(timeout=5)
    assert answers(threads)
    assert done == []
    wait_until(lambda: threads.longest() == 0)  # so no worker is replaced for it
    go.set()
    wait_until(lambda: len(done) == 10)
    assert answers(threads)


def test_afterwards_there_are_as_many_threads_as_before(threads):
    before = threading.active_count()
    go, _, begun = begin_costly(threads, 6)
    for _ in range(6):
        assert begun.acquire(timeout=5)
    wait_until(lambda: threading.active_count() == before + 6)
    go.set()
    wait_until(lambda: threading.active_count() == before)
    assert answers(threads)
    wait_until(lambda: threads.longest() == 0)  # the thread that told of its work has yet to put it away
    assert threads.waiting == 0


def test_there_is_a_bound(threads, monkeypatch):
    monkeypatch.setattr(served, "MAX_STAND_INS", 3)
    before = threading.active_count()
    go, done, begun = begin_costly(threads, 20)
    for _ in range(NUMBER + 3):
        assert begun.acquire(timeout=5)
    assert not begun.acquire(timeout=0.2)
    assert threading.active_count() == before + 3
    go.set()
    wait_until(lambda: len(done) == 20)
    wait_until(lambda: threading.active_count() == before)
    assert answers(threads)


def test_a_failure_gives_the_place_back(threads):
    place, failed = threading.Semaphore(1), threading.Event()

    def fail():
        with pytest.raises(ZeroDivisionError), costly_work(place):
            raise ZeroDivisionError
        failed.set()

    threads.put(Work(fail))
    assert failed.wait(5)
    assert place.acquire(blocking=False)
    assert answers(threads)


def test_elsewhere_it_is_done_as_it_is():
    place, threads = threading.Semaphore(1), threading.active_count()
    with costly_work(), costly_work(nullcontext()), costly_work(place):
        assert not place.acquire(blocking=False)
        assert threading.active_count() == threads
    assert place.acquire(blocking=False)


def test_costly_work_is_done_where_the_system_has_no_further_thread(threads, monkeypatch):
    def refuse(_thread):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    finished = threading.Event()

    def work():
        with costly_work():
            finished.set()

    for _ in range(3):  # each is done, and none is counted as a thread that stands in
        finished.clear()
        threads.put(Work(work))
        assert finished.wait(5)
    monkeypatch.undo()
    go, done, begun = begin_costly(threads, NUMBER + 1)
    for _ in range(NUMBER + 1):
        assert begun.acquire(timeout=5)
    go.set()
    wait_until(lambda: len(done) == NUMBER + 1)
