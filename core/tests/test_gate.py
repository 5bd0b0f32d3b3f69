"""What stands before the threads: whole requests pass, and what cannot be answered in time is told so."""

import asyncio
import io
import threading

import pytest
from support.children import wait_until
from support.gates import Client, ask, echo, make_gate, part, scope_of

from portula.cli import gate as gates
from portula.cli.gate import Gate, ServedApplication, environ_of, reply_of
from portula.cli.threads import Threads


def test_until_it_is_open_all_is_answered_503():
    told = ask(make_gate(None), scope_of("POST", headers=[(b"content-length", b"5")]))
    assert told.status == 503
    assert told.headers[b"retry-after"] == b"2"
    assert b"temporarily_unavailable" in told.body


def test_a_whole_body_is_handed_on():
    scope = scope_of("POST", headers=[(b"transfer-encoding", b"chunked")])
    told = ask(make_gate(), scope, part(b"abc", more=True), part(b"de"))
    assert (told.status, told.body, told.headers[b"x-length"]) == (200, b"abcde", b"5")


def test_a_request_without_body_waits_for_none():
    told = ask(make_gate(), scope_of())
    assert (told.status, told.body, told.headers[b"x-length"]) == (200, b"", b"-")


def test_a_body_that_is_announced_too_long_is_not_read():
    told = ask(make_gate(), scope_of("POST", headers=[(b"content-length", b"101")]))
    assert (told.status, told.body, told.headers[b"x-length"]) == (200, b"", b"101")


def test_of_a_chunked_body_one_byte_too_many_is_read():
    messages = [part(b"x" * 60, more=True)] * 9
    told = ask(make_gate(), scope_of("POST", headers=[(b"transfer-encoding", b"chunked")]), *messages)
    assert told.headers[b"x-length"] == b"101"


def test_a_late_body_is_answered_408():
    told = ask(make_gate(body_seconds=0.05), scope_of("POST", headers=[(b"content-length", b"5")]))
    assert (told.status, told.headers[b"connection"]) == (408, b"close")


def test_a_body_that_was_cut_is_answered_400():
    scope = scope_of("POST", headers=[(b"content-length", b"5")])
    scope["state"][gates.CUT] = True
    assert ask(make_gate(), scope, part(b"abc")).status == 400


def test_a_client_that_is_gone_is_not_answered():
    scope = scope_of("POST", headers=[(b"content-length", b"5")])
    assert ask(make_gate(), scope, {"type": "http.disconnect"}).sent == []


@pytest.mark.parametrize("hosts", [0, 2])
def test_http_1_1_names_the_host_once_and_http_1_0_no_more_often(hosts):
    scope = scope_of()
    scope["headers"] = [(b"host", b"id.example")] * hosts
    assert ask(make_gate(), scope).status == 400
    scope["http_version"] = "1.0"
    assert ask(make_gate(), scope).status == (200 if hosts == 0 else 400)


class Held:
    """An application that answers when it is let go."""

    def __init__(self):
        self.go = threading.Event()
        self.asked = 0

    def __call__(self, environ, start_response):
        self.asked += 1
        self.go.wait(10)
        return echo(environ, start_response)


async def _ask_together(gate, number, act, begun=bool):
    clients = [Client() for _ in range(number)]
    tasks = []
    for client in clients:
        tasks.append(asyncio.create_task(gate(scope_of(), client.receive, client.send)))
        await asyncio.sleep(0)  # now it is in the line
        if len(tasks) == 1:
            # The first is with the thread before the next one comes.
            while not gate._threads.longest():  # noqa: ASYNC110 - a thread says so, and no event
                await asyncio.sleep(0.01)
            begun()
    await asyncio.sleep(0.2)
    act(clients)
    await asyncio.gather(*tasks)
    return [client.status for client in clients]


def test_the_line_for_a_thread_has_an_end(monkeypatch):
    monkeypatch.setattr(gates, "WAITING_MOST", 3)
    held = Held()

    def act(clients):
        assert sorted(client.status for client in clients if client.sent) == [503, 503]
        held.go.set()

    statuses = asyncio.run(_ask_together(make_gate(held), 6, act))
    assert sorted(statuses) == [200, 200, 200, 200, 503, 503]


def test_who_waits_too_long_for_a_thread_is_told_so_and_nothing_is_done(monkeypatch):
    held = Held()

    def begun():
        monkeypatch.setattr(gates, "WAITING_SECONDS", 0.1)

    statuses = asyncio.run(_ask_together(make_gate(held), 3, lambda _: held.go.set(), begun))
    assert sorted(statuses) == [200, 503, 503]
    assert held.asked == 1


def test_threads_know_how_long_the_longest_call_has_taken():
    held = Held()
    threads = Threads(2)
    gate = Gate(threads, Threads(1), body_seconds=1, multiprocess=False)
    gate.open_to(ServedApplication(held, 100))
    assert threads.longest() == 0

    def act(_):
        assert 0.1 < threads.longest() < 5
        held.go.set()

    asyncio.run(_ask_together(gate, 1, act))
    wait_until(lambda: threads.longest() == 0)


def test_a_gate_that_is_closing_ends_connections_and_lets_no_body_wait():
    async def closing():
        gate = make_gate(body_seconds=60)
        client = Client()
        scope = scope_of("POST", headers=[(b"content-length", b"5")])
        task = asyncio.create_task(gate(scope, client.receive, client.send))
        await asyncio.sleep(0.05)
        gate.stopping = True
        task.cancel()
        await task
        return client

    told = asyncio.run(closing())
    assert (told.status, told.headers[b"connection"]) == (503, b"close")


class Closing:
    """An answer in parts that wants to be closed."""

    closed = False

    def __init__(self, *, failing=False):
        self.failing = failing

    def __iter__(self):
        yield b"one "
        if self.failing:
            raise RuntimeError
        yield b"two"

    def close(self):
        self.closed = True


@pytest.mark.parametrize("failing", [False, True])
def test_an_answer_is_read_whole_and_closed(failing):
    answer = Closing(failing=failing)

    def application(environ, start_response):
        start_response("200 OK", [])(b"zero ")
        return answer

    reply = reply_of(application, environ_of(scope_of(), b"", None))
    assert answer.closed
    assert (reply.status, reply.body) == (500, gates.FAILED.body) if failing else (200, b"zero one two")


def test_an_application_that_raises_is_answered_500_and_logged(caplog):
    def application(environ, start_response):
        raise RuntimeError("no")

    assert reply_of(application, environ_of(scope_of(path=b"/there"), b"", None)).status == 500
    assert "GET /there failed" in caplog.text


@pytest.mark.parametrize(
    "failure", [SystemExit(1), KeyboardInterrupt(), GeneratorExit(), asyncio.CancelledError()], ids=repr
)
def test_an_application_that_wants_to_end_the_process_or_thread_does_not(failure):
    def application(environ, start_response):
        raise failure

    assert reply_of(application, environ_of(scope_of(), b"", None)).status == 500


def test_the_later_of_two_beginnings_counts():
    def application(environ, start_response):
        start_response("200 OK", [])
        error = ValueError()
        start_response("502 Bad Gateway", [], (type(error), error, None))
        return []

    assert reply_of(application, environ_of(scope_of(), b"", None)).status == 502


@pytest.mark.parametrize(
    ("method", "status", "expected"),
    [("GET", 200, b"2"), ("HEAD", 200, None), ("GET", 204, None), ("GET", 304, None)],
)
def test_a_length_is_told_where_it_may_be(method, status, expected):
    def application(environ, start_response):
        start_response(f"{status} X", [])
        return [b"ok" if status == 200 and method == "GET" else b""]

    assert ask(make_gate(application), scope_of(method)).headers.get(b"content-length") == expected


def test_the_environment_is_as_pep_3333_says():
    headers = [
        (b"content-type", b"text/plain"),
        (b"cookie", b"a=1"),
        (b"cookie", b"b=2"),
        (b"accept", b"x"),
        (b"accept", b"y"),
        (b"x-forwarded-for", b"192.0.2.1"),
        (b"x_forwarded_for", b"6.6.6.6"),
        (b"content-length", b"999"),
        (b"transfer-encoding", b"chunked"),
    ]
    environ = environ_of(scope_of("POST", b"//caf%C3%A9%2F", headers), b"body", 4)
    assert environ["PATH_INFO"] == "//caf\u00c3\u00a9/"
    assert environ["QUERY_STRING"] == "a=%2F"
    assert environ["CONTENT_TYPE"] == "text/plain"
    assert environ["CONTENT_LENGTH"] == "4"
    assert environ["HTTP_COOKIE"] == "a=1; b=2"
    assert environ["HTTP_ACCEPT"] == "x,y"
    assert environ["HTTP_X_FORWARDED_FOR"] == "192.0.2.1"
    assert "HTTP_TRANSFER_ENCODING" not in environ
    assert "HTTP_CONTENT_TYPE" not in environ
    assert environ["REMOTE_ADDR"] == "192.0.2.7"
    assert (environ["SERVER_NAME"], environ["SERVER_PORT"]) == ("127.0.0.1", "8000")
    assert isinstance(environ["wsgi.input"], io.BytesIO)


def test_what_needs_no_storage_is_answered_while_all_threads_wait():
    free = threading.Event()

    def application(environ, start_response):
        if environ["PATH_INFO"] != "/light":
            free.wait(10)
        return echo(environ, start_response)

    async def both():
        gate = make_gate(application)
        held, light = Client(), Client()
        waiting = asyncio.create_task(gate(scope_of(), held.receive, held.send))
        await asyncio.sleep(0.05)
        await asyncio.wait_for(gate(scope_of(path=b"/light"), light.receive, light.send), 5)
        assert (held.status, light.status) == (None, 200)
        free.set()
        await waiting
        assert held.status == 200

    asyncio.run(both())


@pytest.mark.parametrize("application", [echo, None], ids=["open", "not open"])
def test_healthz_is_answered_ahead_of_everything(application):
    gate = make_gate(application, health_path="/ops")
    told = ask(gate, scope_of(path=b"/ops/healthz"))
    assert (told.status, told.body) == (200, b'{"status":"ok"}')
    assert ask(gate, scope_of(path=b"/healthz")).status == (200 if application else 503)


def test_the_access_log_has_a_line_for_each_request_and_no_query(caplog):
    caplog.set_level("INFO", "portula.access")
    ask(make_gate(), scope_of())
    assert caplog.records == []
    ask(make_gate(access_log=True), scope_of())
    ask(make_gate(None, access_log=True), scope_of())
    answered, refused = [record.msg.fields for record in caplog.records]
    assert (answered["method"], answered["path"], answered["status"]) == ("GET", "/x", 200)
    assert (refused["status"], refused["address"]) == (503, "192.0.2.7")
    assert "%2F" not in caplog.text
