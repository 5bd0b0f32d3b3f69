"""Public documents are made once a second for requests that are alike, and never given to another."""

import asyncio

import pytest
from support.gates import Client, ask, echo, make_gate, part, scope_of

from portula.cli import public_cache
from portula.cli.gate import ServedApplication
from portula.cli.public_cache import MAX_BODY_BYTES, MAX_HEAD_BYTES, MAX_HEADERS, MOST

CERTIFICATE = "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"
PUBLIC = ("Cache-Control", "public, max-age=300")


class Documents:
    """An application whose answer says how often it was called."""

    def __init__(self, *headers, status="200 OK", length=0):
        self.headers, self.status, self.calls, self.length = headers, status, 0, length

    def __call__(self, environ, start_response):
        self.calls += 1
        start_response(self.status, [("Content-Type", "text/plain"), *self.headers])
        return [b"%d" % self.calls, b"x" * self.length]


@pytest.fixture(autouse=True)
def now(monkeypatch):
    """The clock of the cache, which stands."""
    clock = [100.0]
    monkeypatch.setattr(public_cache.time, "monotonic", lambda: clock[0])
    return clock


def light(**given):
    return scope_of(**{"path": b"/light", **given})


def test_requests_that_are_alike_are_answered_once():
    documents = Documents(PUBLIC)
    gate = make_gate(documents)
    first, second = ask(gate, light()), ask(gate, light())
    assert (first.status, first.body, first.headers) == (second.status, second.body, second.headers)
    assert documents.calls == 1


def other_scope(**changed):
    return {**light(), **changed}


@pytest.mark.parametrize(
    "other",
    [
        light(headers=[(b"origin", b"https://app.example")]),
        light(headers=[(b"x-forwarded-host", b"other.example")]),
        light(headers=[(b"if-none-match", b'"x"')]),
        other_scope(query_string=b""),
        other_scope(scheme="https"),
        other_scope(client=("192.0.2.8", 4711)),
        other_scope(server=("127.0.0.1", 8001)),
        other_scope(headers=[(b"host", b"other.example")]),
        other_scope(raw_path=b"/%6cight"),
        other_scope(http_version="1.0"),
        other_scope(extensions={"tls": {"client_cert_chain": [CERTIFICATE]}}),
    ],
    ids=[
        *("origin", "proxy", "condition", "query", "scheme", "address", "server", "host", "path", "version"),
        "certificate",
    ],
)
def test_a_request_that_differs_is_answered_by_itself(other):
    documents = Documents(PUBLIC)
    gate = make_gate(documents)
    assert ask(gate, light()).body == b"1"
    assert ask(gate, other).body == b"2"
    assert ask(gate, light()).body == b"1"


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("Cache-Control", "no-store")],
        [("Cache-Control", "public")],
        [("Cache-Control", "public, max-age=0")],
        [("Cache-Control", "public, max-age=x")],
        [("Cache-Control", "private, max-age=300")],
        [("Cache-Control", "max-age=300")],
        [PUBLIC, ("Set-Cookie", "a=b")],
        [PUBLIC, ("Cache-Control", "no-store")],
        [("Cache-Control", "private"), PUBLIC],
        [("Cache-Control", "public, no-cache, max-age=300")],
        [("Cache-Control", f"public, max-age={'9' * 5000}")],
        [PUBLIC, ("Vary", "*")],
        [PUBLIC, ("Age", "300")],
    ],
    ids=str,
)
def test_an_answer_that_is_not_for_all_is_made_for_each(headers):
    documents = Documents(*headers)
    gate = make_gate(documents)
    assert [ask(gate, light()).body for _ in range(2)] == [b"1", b"2"]


@pytest.mark.parametrize("method", ["HEAD", "POST", "OPTIONS"])
def test_methods_but_get_are_answered_each(method):
    documents = Documents(PUBLIC)
    gate = make_gate(documents)
    for _ in range(2):
        ask(gate, light(method=method))
    assert documents.calls == 2


def test_a_get_with_a_body_is_answered_by_itself():
    gate = make_gate(Documents(PUBLIC))
    with_body = light(headers=[(b"content-length", b"2")])
    assert [ask(gate, with_body, part(b"ab")).body for _ in range(2)] == [b"1", b"2"]


def test_what_may_need_the_storage_is_answered_each_time():
    documents = Documents(PUBLIC)
    gate = make_gate(documents)
    assert [ask(gate, scope_of()).body for _ in range(2)] == [b"1", b"2"]


@pytest.mark.parametrize("status", ["404 Not Found", "500 Internal Server Error", "206 Partial Content"])
def test_an_answer_that_is_no_document_is_made_for_each(status):
    gate = make_gate(Documents(PUBLIC, status=status))
    assert [ask(gate, light()).body for _ in range(2)] == [b"1", b"2"]


def test_an_answer_is_as_old_as_the_request_for_it(now):
    def slow(environ, start_response):
        now[0] += 2
        return documents(environ, start_response)

    documents = Documents(PUBLIC)
    gate = make_gate(slow)
    assert [ask(gate, light()).body for _ in range(2)] == [b"1", b"2"]


def test_another_application_answers_for_itself():
    gate = make_gate(Documents(PUBLIC))
    ask(gate, light())
    gate.open_to(ServedApplication(echo, 100, lambda _: True))
    assert ask(gate, light()).body == b""


def test_after_a_second_it_is_made_anew(now):
    gate = make_gate(Documents(PUBLIC))
    assert ask(gate, light()).body == b"1"
    now[0] += 0.9
    assert ask(gate, light()).body == b"1"
    now[0] += 0.2
    assert ask(gate, light()).body == b"2"
    now[0] += 0.9
    assert ask(gate, light()).body == b"2"


def test_there_are_so_many_and_no_more():
    documents = Documents(PUBLIC)
    gate = make_gate(documents)

    async def many():
        for number in range(MOST + 1):
            client = Client()
            await gate(light(headers=[(b"x", b"%d" % number)]), client.receive, client.send)

    asyncio.run(many())
    assert len(gate._public._kept) == MOST
    assert ask(gate, light(headers=[(b"x", b"%d" % MOST)])).body == b"%d" % (MOST + 1)
    assert ask(gate, light(headers=[(b"x", b"0")])).body == b"%d" % (MOST + 2), "the oldest had to go"


def test_long_heads_and_long_bodies_are_not_kept():
    long_head = light(headers=[(b"x", b"y" * MAX_HEAD_BYTES)])
    gate = make_gate(Documents(PUBLIC))
    assert [ask(gate, long_head).body for _ in range(2)] == [b"1", b"2"]
    gate = make_gate(Documents(PUBLIC, length=MAX_BODY_BYTES))
    assert [ask(gate, light()).body[:1] for _ in range(2)] == [b"1", b"2"]


def test_with_an_access_log_each_request_is_seen_by_the_application(caplog):
    caplog.set_level("INFO", "portula.access")
    documents = Documents(PUBLIC)
    gate = make_gate(documents, access_log=True)
    for _ in range(2):
        ask(gate, light())
    assert documents.calls == 2
    assert len(caplog.records) == 2


def test_a_kept_answer_ends_the_connection_of_a_gate_that_is_closing():
    gate = make_gate(Documents(PUBLIC))
    assert "connection" not in {name.decode() for name in ask(gate, light()).headers}
    gate.stopping = True
    assert ask(gate, light()).headers[b"connection"] == b"close"


def test_many_headers_are_not_kept():
    gate = make_gate(Documents(PUBLIC))
    many = light(headers=[(b"x", b"y")] * MAX_HEADERS)
    assert [ask(gate, many).body for _ in range(2)] == [b"1", b"2"]
