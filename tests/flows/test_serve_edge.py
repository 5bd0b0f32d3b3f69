"""`portula serve` and requests that no honest client sends; after each the server answers an honest one."""

import statistics
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from support.raw import Wire, answers, head
from support.server import Server, running

pytestmark = pytest.mark.thorough

BODY_SECONDS = 3
CLOSE = "Connection: close"
FORM = "Content-Type: application/x-www-form-urlencoded"


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that waits for a body some seconds only."""
    folder: Path = tmp_path_factory.mktemp("edge") / "data"
    with running(folder, "--body-timeout", str(BODY_SECONDS)) as server:
        yield server


@pytest.fixture(autouse=True)
def still_answers(edge: Server) -> Iterator[None]:
    yield
    assert answers(edge) < 5


def test_slow_bodies_keep_nobody_waiting(edge: Server) -> None:
    before = statistics.median(answers(edge) for _ in range(9))
    slow = [Wire(edge).send(head("Content-Length: 1000"), b"grant_type=") for _ in range(50)]
    during = statistics.median(answers(edge) for _ in range(9))
    assert during < before + 0.5
    began = time.monotonic()
    assert {status for wire in slow for status in wire.statuses()} == {408}
    assert time.monotonic() - began < BODY_SECONDS + 3


def test_a_body_that_drips_is_late_too(edge: Server) -> None:
    wire = Wire(edge).send(head("Content-Length: 1000"))
    for _ in range(8):
        wire.send(b"x")
        time.sleep(BODY_SECONDS / 4)
    assert wire.statuses() == [408]


def test_a_chunked_body_that_stops_is_late_too(edge: Server) -> None:
    wire = Wire(edge).send(head("Transfer-Encoding: chunked"), b"5\r\nabcde\r\n")
    assert wire.statuses() == [408]


@pytest.mark.parametrize("abruptly", [True, False])
def test_uploads_that_are_given_up_leave_nothing_behind(edge: Server, abruptly: bool) -> None:
    for _ in range(20):
        Wire(edge).send(head("Content-Length: 60000"), b"a" * 1000).give_up(abruptly=abruptly)
        Wire(edge).send(head("Transfer-Encoding: chunked"), b"ff\r\nabc").give_up(abruptly=abruptly)


SETTINGS_FRAME = b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"
HEADERS_FRAME = b"\x00\x00\x01\x01\x04\x00\x00\x00\x01\x83"


def test_http_2_is_not_spoken(edge: Server) -> None:
    for _ in range(5):
        wire = Wire(edge).send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", SETTINGS_FRAME, HEADERS_FRAME)
        assert wire.statuses() == [400]
    upgrade = ("Connection: Upgrade, HTTP2-Settings, close", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk")
    wire = Wire(edge).send(head(*upgrade, FORM, "Content-Length: 13"), b"grant_type=no")
    told = wire.read()
    assert told.startswith(b"HTTP/1.1 4")
    assert b"101" not in told.splitlines()[0]


@pytest.mark.parametrize(
    ("framing", "body"),
    [
        ("Content-Length: 100", b"grant_type=client_credentials"),
        ("Content-Length: 1", b""),
        ("Transfer-Encoding: chunked", b"1d\r\ngrant_type=client_credentials\r\n"),
        ("Transfer-Encoding: chunked", b"ff\r\ngrant_type=client_credentials"),
        ("Transfer-Encoding: chunked", b"1d\r\ngrant_type=client_credentials\r\n0\r\n"),
    ],
)
def test_a_body_that_ends_before_its_end_is_an_error(edge: Server, framing: str, body: bytes) -> None:
    told = Wire(edge).send(head(framing, FORM), body).end().read()
    assert told.startswith(b"HTTP/1.1 400 ")
    assert b"ended before its end" in told


@pytest.mark.parametrize(
    "framing", ["Transfer-Encoding: chunked\r\nContent-Length: 5", "Content-Length: 5\r\nContent-Length: 6"]
)
def test_a_length_that_is_said_twice_is_an_error(edge: Server, framing: str) -> None:
    wire = Wire(edge).send(head(framing), b"0\r\n\r\n", head(method="GET", path="/smuggled"))
    assert wire.statuses() == [400]


def test_a_chunk_without_a_length_is_an_error(edge: Server) -> None:
    assert Wire(edge).send(head("Transfer-Encoding: chunked"), b"zz\r\nabcde\r\n").statuses() == [400]


def test_what_came_whole_is_answered_although_nothing_more_comes(edge: Server) -> None:
    body = b"grant_type=client_credentials"
    told = Wire(edge).send(head(FORM, f"Content-Length: {len(body)}"), body).end().read()
    assert told.startswith(b"HTTP/1.1 401 ")
    assert b"invalid_client" in told


def test_pipelined_requests_are_answered_in_order(edge: Server) -> None:
    page, key_set = head(method="GET", path="/nothing"), head(method="GET", path="/o/.well-known/jwks.json")
    token = head("Content-Length: 3"), b"abc"
    assert Wire(edge).send(page, key_set, *token, page).end().statuses() == [404, 200, 400, 404]


@pytest.mark.parametrize("protocol", ["h2c", "websocket", "x"])
@pytest.mark.parametrize("pause", [0.0, 0.2], ids=["together", "apart"])
def test_an_upgrade_that_is_offered_is_passed_over(edge: Server, protocol: str, pause: float) -> None:
    """RFC 9110 §7.8; neither is the body read as a request, nor what follows lost."""
    offered = "Connection: Upgrade, HTTP2-Settings", f"Upgrade: {protocol}", "HTTP2-Settings: AAMAAABk"
    key_set = head(method="GET", path="/o/.well-known/jwks.json")
    smuggled = head(method="GET", path="/nothing")
    wire = Wire(edge)
    for framing, body in (
        (f"Content-Length: {len(smuggled)}", smuggled),
        ("Transfer-Encoding: chunked", b"%x\r\n%b\r\n0\r\n\r\n" % (len(smuggled), smuggled)),
    ):
        wire.send(head(FORM, framing, *offered))
        time.sleep(pause)
        wire.send(body, head(*offered, method="GET", path="/o/.well-known/jwks.json"), key_set)
    assert wire.end().statuses() == [400, 200, 200] * 2


def test_an_upgrade_has_its_body(edge: Server) -> None:
    body = b"grant_type=client_credentials"
    offered = FORM, "Connection: upgrade", "Upgrade: h2c", f"Content-Length: {len(body)}"
    assert Wire(edge).send(head(*offered), body).end().statuses() == [401]


def test_there_is_no_tunnel(edge: Server) -> None:
    tunnel = b"CONNECT id.example:443 HTTP/1.1\r\nHost: id.example:443\r\n\r\n"
    assert Wire(edge).send(tunnel, head(method="GET", path="/nothing")).statuses() == [400]


def test_many_pipelined_requests_wait_unparsed(edge: Server) -> None:
    """Each takes some thirty times the memory of its bytes; the connection is not read on while they wait."""
    page, most = head(method="GET", path="/"), 8 * 1024 * 1024
    wire = Wire(edge)
    wire.socket.setblocking(False)
    sent, ends_at = 0, time.monotonic() + 2
    while sent < most and time.monotonic() < ends_at:
        with suppress(BlockingIOError):
            sent += wire.socket.send(page * 4096)
    assert sent < most
    wire.give_up(abruptly=True)


@pytest.mark.parametrize("number", [60, 3000])
def test_each_of_many_pipelined_requests_is_answered(edge: Server, number: int) -> None:
    body = b"grant_type=client_credentials"
    token = head(FORM, f"Content-Length: {len(body)}") + body
    key_set = head(method="GET", path="/o/.well-known/jwks.json")
    wire = Wire(edge).send(
        (token + key_set) * (number // 60) + token * 3, head(CLOSE, method="GET", path="/nothing")
    )
    assert wire.end().statuses() == [401, 200] * (number // 60) + [401] * 3 + [404]


def test_a_long_body_behind_others_is_read(edge: Server) -> None:
    page, body = head(method="GET", path="/nothing"), b"grant_type=client_credentials&x=" + b"a" * 60_000
    wire = Wire(edge).send(page * 20, head(FORM, f"Content-Length: {len(body)}"), body, page)
    assert wire.end().statuses() == [404] * 20 + [401, 404]


def test_a_pipelined_request_that_is_cut_takes_no_other_with_it(edge: Server) -> None:
    page = head(method="GET", path="/nothing")
    assert Wire(edge).send(page, page, page[:20]).end().statuses() == [404, 404]
    assert Wire(edge).send(page, head("Content-Length: 9"), b"abc").end().statuses() == [404, 400]


def test_a_body_that_is_too_long_is_not_read(edge: Server) -> None:
    wire = Wire(edge).send(head("Content-Length: 100000000"))
    assert wire.socket.recv(100).startswith(b"HTTP/1.1 413 ")
    wire.send(*[b"a" * 65536] * 100).give_up(abruptly=False)
    chunks = [b"8000\r\n" + b"a" * 0x8000 + b"\r\n"] * 10
    wire = Wire(edge).send(head("Transfer-Encoding: chunked"), *chunks)
    assert wire.socket.recv(100).startswith(b"HTTP/1.1 413 ")
    wire.give_up(abruptly=True)


@pytest.mark.parametrize(
    "endless",
    [
        b"GET /" + b"a" * 1_000_000,
        b"GET / HTTP/1.1\r\nHost: id.example\r\nX: " + b"a" * 1_000_000,
        b"GET / HTTP/1.1\r\nHost: id.example\r\n" + b"X: y\r\n" * 200_000,
        b"GET / HTTP/1.1\r\nHost: id.example\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
        head("Transfer-Encoding: chunked") + b"1;" + b"a" * 1_000_000,
    ],
    ids=["url", "header", "headers", "whole", "chunk"],
)
def test_a_head_without_end_is_ended(edge: Server, endless: bytes) -> None:
    began = time.monotonic()
    told = Wire(edge).send(endless).read()
    assert told[9:12] in {b"", b"408", b"431"}  # a reset may overtake the answer
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("hosts", [[], ["a.example", "b.example"]])
def test_a_request_names_its_host_once(edge: Server, hosts: list[str]) -> None:
    """RFC 9112 §3.2."""
    lines = ["GET /o/.well-known/jwks.json HTTP/1.1", CLOSE, *(f"Host: {host}" for host in hosts), "", ""]
    assert Wire(edge).send("\r\n".join(lines).encode()).statuses() == [400]


def test_http_1_0_names_its_host_once_too(edge: Server) -> None:
    """RFC 9112 §3.2 speaks of any request."""
    lines = ["GET /o/.well-known/jwks.json HTTP/1.0", "Host: a.example", "Host: b.example", "", ""]
    assert Wire(edge).send("\r\n".join(lines).encode()).statuses() == [400]


@pytest.mark.parametrize("coding", ["gzip, chunked", "x, Chunked"])
def test_a_body_in_another_coding_is_not_read(edge: Server, coding: str) -> None:
    """RFC 9112 §6.1."""
    wire = Wire(edge).send(
        head(FORM, f"Transfer-Encoding: {coding}"), b"0\r\n\r\n", head(method="GET", path="/")
    )
    assert wire.statuses() == [501]


def test_a_coding_is_known_in_capitals(edge: Server) -> None:
    chunks = b"1d\r\ngrant_type=client_credentials\r\n0\r\n\r\n"
    assert Wire(edge).send(head(FORM, CLOSE, "Transfer-Encoding: Chunked"), chunks).statuses() == [401]


def test_http_1_0_needs_no_host(edge: Server) -> None:
    assert Wire(edge).send(b"GET /o/.well-known/jwks.json HTTP/1.0\r\n\r\n").statuses() == [200]


def test_connections_that_say_nothing_keep_nobody_waiting(edge: Server) -> None:
    silent = [Wire(edge) for _ in range(200)] + [Wire(edge).send(b"POST /o/tok") for _ in range(100)]
    assert answers(edge) < 5
    for wire in silent:
        wire.give_up(abruptly=True)


def test_a_continue_is_told_before_the_body_comes(edge: Server) -> None:
    wire = Wire(edge).send(head(FORM, CLOSE, "Content-Length: 13", "Expect: 100-continue"))
    assert wire.socket.recv(100).startswith(b"HTTP/1.1 100 ")
    assert wire.send(b"grant_type=no").statuses() == [400]


@pytest.mark.parametrize("path", ["//o/token/", "///o/token/", "//o/token", "//o//token/", "/o/token//"])
def test_slashes_before_the_path_of_an_endpoint_are_no_failure(edge: Server, path: str) -> None:
    body = b"grant_type=client_credentials"
    wire = Wire(edge).send(head(FORM, CLOSE, f"Content-Length: {len(body)}", path=path), body)
    assert wire.statuses() in ([401], [404])


@pytest.mark.parametrize(
    "path", ["//", "//x", "/o/static//x", "/o//static/x", "//o/authorize", "/accounts//login"]
)
def test_no_path_is_redirected_to_the_host_header(edge: Server, path: str) -> None:
    told = Wire(edge).send(head(CLOSE, method="GET", path=path)).read()
    assert b"id.example" not in told
    assert told[9:12] in {b"200", b"302", b"400", b"404"}  # 302 leads to the issuer


def test_answers_say_nothing_of_the_server_and_keep_the_connection(edge: Server) -> None:
    with httpx.Client() as client:
        for _ in range(3):
            told = client.get(f"{edge.issuer}/.well-known/jwks.json")
            assert "server" not in told.headers
            assert "connection" not in told.headers
        assert client.head(f"{edge.issuer}/.well-known/jwks.json").status_code == 200


@pytest.mark.parametrize("path", ["/o/.well-known/jwks.json", "/o/nowhere", "/"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_an_answer_comes_at_once(edge: Server, path: str, method: str) -> None:
    wire = Wire(edge)
    for _ in range(
        5
    ):  # head and body in one packet, since a second would wait for the first to be acknowledged
        told = wire.send(head(path=path, method=method)).socket.recv(65536)
        fields, _, body = told.partition(b"\r\n\r\n")
        length = int(fields.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
        assert len(body) == (length if method == "GET" else 0)
    wire.give_up(abruptly=False)
