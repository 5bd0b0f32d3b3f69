"""What failed is remembered for whom it concerns, and for nobody else; a fork begins anew."""

import multiprocessing
import os
import socket
import threading

import pytest

from portula.errors import FetchFailed
from portula_fetch.failures import MAX_BACKOFF_SECONDS, MAX_REMEMBERED, Failures, NotSent
from portula_fetch.lookup import LOOKUPS_PER_TURN
from portula_testing.tls import Reply


def fails(fetch, *arguments, **named):
    with pytest.raises(FetchFailed) as caught:
        fetch(*arguments, **named)
    return str(caught.value)


def test_a_bad_document_does_not_keep_others_of_its_server_away(fetcher_with, server):
    """Or anybody could have the keys of everybody at a shared host refused."""
    bad, good = server.answer("/mallory", Reply(404)), server.answer("/ann", Reply(body=b"x"))
    fetcher = fetcher_with()
    fails(fetcher.get, bad, accept=())
    assert fetcher.get(good, accept=()).body == b"x"
    assert "it failed before" in fails(fetcher.get, bad, accept=())


def test_a_server_that_cannot_be_reached_is_not_asked_for_other_documents(fetcher_with, clock):
    with socket.socket() as nobody:  # bound, and not listening
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
        fetcher = fetcher_with()
        assert "the connection failed" in fails(fetcher.get, f"https://localhost:{port}/a", accept=())
        assert "it failed before" in fails(fetcher.get, f"https://localhost:{port}/b", accept=())
        assert "it failed before" in fails(fetcher.post, f"https://localhost:{port}/c", {})
        clock.advance(10)
        assert "the connection failed" in fails(fetcher.get, f"https://localhost:{port}/b", accept=())


def test_a_form_that_was_not_taken_does_not_hold_up_the_next(fetcher_with, server):
    """A client that refuses one logout token still hears of the next."""
    url = server.answer("/logout", Reply(400), Reply(200))
    fetcher = fetcher_with()
    fails(fetcher.post, url, {"logout_token": "one"})
    assert fetcher.post(url, {"logout_token": "two"}).status == 200


def test_an_answer_makes_good_for_all_failures(fetcher_with, server, clock):
    url = server.answer("/", Reply(500), Reply(500), Reply(body=b"x"), Reply(500))
    fetcher = fetcher_with(FETCH_FAILURE_BACKOFF_SECONDS=10)
    for pause in (0, 10):
        clock.advance(pause)
        fails(fetcher.get, url, accept=())
    clock.advance(20)
    assert fetcher.get(url, accept=()).body == b"x"
    fails(fetcher.get, url, accept=())
    assert "asked again in 10 seconds" in fails(fetcher.get, url, accept=())


def test_the_pause_ends_at_ten_minutes():
    failures = Failures(1, lambda: 0)
    for _ in range(100):
        failures.remember("https://gone.example")
    with pytest.raises(NotSent, match=f"in {MAX_BACKOFF_SECONDS} seconds"):
        failures.refuse("https://gone.example")


def test_what_is_remembered_is_bounded():
    failures = Failures(10, lambda: 0)
    for number in range(MAX_REMEMBERED + 1):
        failures.remember(f"https://{number}.example")
    failures.refuse("https://0.example")
    with pytest.raises(NotSent):
        failures.refuse("https://1.example")


def _fetch_in_child(fetcher, url, answers):
    answers.put((fetcher.get(url, accept=()).body, fetcher._process.pid == os.getpid()))


def test_a_process_that_was_forked_has_turns_of_its_own(fetcher_with, server):
    """Whoever held a turn or a lock at the fork is not there to give it back."""
    url = server.answer("/", Reply(body=b"x"))
    fetcher = fetcher_with(FETCH_MAX_CONCURRENT=1, FETCH_TIMEOUT_SECONDS=20)
    fork = multiprocessing.get_context("fork")
    answers = fork.SimpleQueue()
    with fetcher._process.turns.take(server.url, 1):
        child = fork.Process(target=_fetch_in_child, args=(fetcher, url, answers))
        child.start()
        child.join(60)
    assert child.exitcode == 0
    assert answers.get() == (b"x", True)


@pytest.fixture
def hanging(monkeypatch):
    """Let the resolver hang for names below slow.example until the event that is returned is set."""
    answered, resolve = threading.Event(), socket.getaddrinfo

    def slow(host, *arguments, **named):
        if host.endswith("slow.example"):
            answered.wait(20)
            raise socket.gaierror("no answer")
        return resolve(host, *arguments, **named)

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    yield answered
    answered.set()


def test_names_that_nobody_resolves_harm_no_server_of_another_name(fetcher_with, server, hanging):
    """Whose lookup was not begun did not fail: who registers such names would keep the fetcher from all others."""
    url = server.answer("/", Reply(body=b"x"))
    fetcher = fetcher_with(FETCH_MAX_CONCURRENT=1, FETCH_TIMEOUT_SECONDS=0.1)
    for number in range(LOOKUPS_PER_TURN):
        assert "in time" in fails(fetcher.get, f"https://{number}.slow.example/", accept=())
    assert "looked up" in fails(fetcher.get, url, accept=())
    hanging.set()
    for thread in threading.enumerate():
        if thread.name == "portula-fetch-lookup":
            thread.join(3)
    assert fetcher.get(url, accept=()).body == b"x"


def test_a_name_is_looked_up_while_as_many_others_hang_as_have_turns(fetcher_with, server, hanging):
    url = server.answer("/", Reply(body=b"x"))
    fetcher = fetcher_with(FETCH_MAX_CONCURRENT=2, FETCH_TIMEOUT_SECONDS=0.3)
    for number in range(4):
        fails(fetcher.get, f"https://{number}.slow.example/", accept=())
    assert fetcher.get(url, accept=()).body == b"x"
