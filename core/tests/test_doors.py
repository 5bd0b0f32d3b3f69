"""One set of handlers, two doors: through Flask and ahead of it, the answers are the same byte for byte."""

import base64
import io
from itertools import product
from urllib.parse import urlencode

import pytest
from flask import request
from hosting import ROOMS, make_client, make_provider
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import run_wsgi_app

import portula_introspection
from portula import hookimpl
from portula.model.requests import CurrentRequest
from portula.plugin import Answer, Endpoint, json_answer
from portula.web.requests import REQUEST_KEY

FORM = "application/x-www-form-urlencoded"
METADATA = ("/o/.well-known/oauth-authorization-server", "/.well-known/oauth-authorization-server/o")
FORMS = tuple(f"/o/{name}{slash}" for name in ("token", "revoke_token", "introspect") for slash in ("/", ""))
PATHS = (*FORMS, *METADATA, "/o/tea", "/fails")
MAX = 2048


class Still:
    """A clock that stands, tokens that are known beforehand, and two endpoints more."""

    @hookimpl
    def portula_clock(self, provider):
        return lambda: 1_700_000_000

    @hookimpl
    def portula_endpoints(self, provider):
        return [
            Endpoint("tea", "tea", ("GET", "PUT"), self.tea),
            Endpoint("fails", "/fails", ("POST",), self.fail),
        ]

    def tea(self, message):
        if message.query == "empty":
            return Answer(204, {"X-Tea": "none"})
        if message.query == "odd":
            return Answer(299, {"Content-Type": "text/plain"}, "é".encode("latin-1"))
        return json_answer(418, {"body": message.body.decode("latin-1"), "from": message.client_address})

    def fail(self, message):
        raise RuntimeError("a secret of ours")


def make(**given):
    provider = make_provider(
        Still(),
        rooms=(*ROOMS, portula_introspection),
        ACCESS_TOKEN_GENERATOR=lambda _request: "the-token",
        MAX_BODY_BYTES=MAX,
        OIDC_ISS_ENDPOINT="https://id.example/o",
        **given,
    )
    _, secret = make_client(provider)
    return provider, basic("machine", secret)


def basic(user, password):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def environ(method, path, body=b"", **extra):
    """Return a WSGI environment as a server makes it."""
    return {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        REQUEST_KEY: CurrentRequest("the-request"),
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_NAME": "id.example",
        "SERVER_PORT": "443",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "id.example",
        "REMOTE_ADDR": "192.0.2.1",
        "CONTENT_TYPE": FORM,
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "https",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        **extra,
    }


def through(application, given):
    """Return status line, headers in their order, and body."""
    body, status, headers = run_wsgi_app(application, given, buffered=True)
    return status, list(headers), b"".join(body)


def answers(method, path, body=b"", authorization=None, providers=(), **extra):
    """Return the answers of both doors to the same request, each from a provider of its own, made now or given."""
    made = []
    for ahead in (False, True):
        provider, own = providers[ahead] if providers else make()
        keywords = dict(extra)
        if authorization:
            keywords["HTTP_AUTHORIZATION"] = own if authorization == "own" else authorization
        stream = keywords.pop("stream", io.BytesIO)(body)
        given = environ(method, path, body, **{"wsgi.input": stream, **keywords})
        application = provider.wsgi() if ahead else provider.app
        made.append(through(application, {name: value for name, value in given.items() if value is not None}))
    return made


def headers_of(answer):
    return dict(answer[1])


GRANT = urlencode({"grant_type": "client_credentials"}).encode()
REQUESTS = {
    "tokens": (("POST", "/o/token/", GRANT, "own"), {}, 200),
    "tokens without the slash": (("POST", "/o/token", GRANT, "own"), {}, 200),
    "tokens for an origin": (("POST", "/o/token/", GRANT, "own"), {"HTTP_ORIGIN": "https://a.example"}, 200),
    "no client": (("POST", "/o/token/", GRANT), {}, 401),
    "wrong secret": (("POST", "/o/token/", GRANT, basic("machine", "x")), {}, 401),
    "no grant": (("POST", "/o/token/", b"", "own"), {}, 400),
    "repeated": (("POST", "/o/token/", GRANT + b"&" + GRANT, "own"), {}, 400),
    "not UTF-8": (("POST", "/o/token/", GRANT + b"&x=%ff", "own"), {}, 400),
    "raw bytes": (("POST", "/o/token/", GRANT + b"&x=\xff", "own"), {}, 400),
    "JSON": (("POST", "/o/token/", b"{}", "own"), {"CONTENT_TYPE": "application/json"}, 400),
    "multipart": (
        (
            "POST",
            "/o/token/",
            b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n--x--\r\n',
            "own",
        ),
        {"CONTENT_TYPE": "multipart/form-data; boundary=x"},
        400,
    ),
    "no media type": (("POST", "/o/token/", GRANT, "own"), {"CONTENT_TYPE": None}, 400),
    "query and body": (("POST", "/o/token/", GRANT, "own"), {"QUERY_STRING": "grant_type=x"}, 400),
    "no length": (("POST", "/o/token/", GRANT, "own"), {"CONTENT_LENGTH": None}, 400),
    "a length that is none": (("POST", "/o/token/", GRANT, "own"), {"CONTENT_LENGTH": "x"}, 400),
    "an empty length": (("POST", "/o/token/", GRANT, "own"), {"CONTENT_LENGTH": ""}, 400),
    "a shorter length": (
        ("POST", "/o/token/", GRANT + b"x", "own"),
        {"CONTENT_LENGTH": str(len(GRANT))},
        200,
    ),
    "a length of 5000 digits": (("POST", "/o/token/", GRANT, "own"), {"CONTENT_LENGTH": "9" * 5000}, None),
    "chunked": (
        ("POST", "/o/token/", GRANT, "own"),
        {"CONTENT_LENGTH": None, "HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True},
        200,
    ),
    "too large": (("POST", "/o/token/", b"x" * (MAX + 1), "own"), {}, 413),
    "too large and chunked": (
        ("POST", "/o/token/", b"x" * (MAX + 1), "own"),
        {"CONTENT_LENGTH": None, "HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True},
        413,
    ),
    "as large as allowed": (("POST", "/o/token/", b"x" * MAX, "own"), {}, 400),
    "revocation": (("POST", "/o/revoke_token/", b"token=x", "own"), {}, 200),
    "introspection": (("POST", "/o/introspect/", b"token=x", "own"), {}, 200),
    "metadata": (("GET", METADATA[0]), {}, 200),
    "metadata at the root": (("GET", METADATA[1]), {}, 200),
    "metadata, head": (("HEAD", METADATA[0]), {}, 200),
    "teapot": (("PUT", "/o/tea", b"hot"), {"HTTP_X_FORWARDED_FOR": "203.0.113.9"}, 418),
    "empty answer": (("GET", "/o/tea"), {"QUERY_STRING": "empty"}, 204),
    "odd status and bytes": (("GET", "/o/tea"), {"QUERY_STRING": "odd"}, 299),
    "a handler that fails": (("POST", "/fails"), {}, 500),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_both_doors_answer_the_same(name):
    given, extra, status = REQUESTS[name]
    by_flask, ahead = answers(*given, **extra)
    assert by_flask == ahead
    if status is not None:
        assert by_flask[0].startswith(f"{status} ")


METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND")


@pytest.fixture(scope="module")
def providers():
    """Return two providers, for requests that change nothing."""
    return make(), make()


@pytest.mark.parametrize(("method", "path"), list(product(METHODS, PATHS)))
def test_every_method_at_every_path_is_answered_the_same(method, path, providers):
    by_flask, ahead = answers(method, path, providers=providers)
    assert by_flask == ahead
    assert b"<html" not in by_flask[2].lower()
    if by_flask[0].startswith("405"):
        allowed = headers_of(by_flask)["Allow"].split(", ")
        assert method not in allowed
        for other in allowed:
            assert not answers(other, path, providers=providers)[0][0].startswith("405")
    if method == "HEAD":
        assert by_flask[2] == b""


@given(
    method=st.sampled_from(("GET", "POST", "HEAD", "OPTIONS", "PUT")),
    path=st.sampled_from(PATHS),
    body=st.binary(max_size=30)
    | st.dictionaries(st.text(max_size=5), st.text(max_size=5)).map(urlencode).map(str.encode),
    query=st.sampled_from(("", "grant_type=x", "%ff", "a&&b", "\xe9")),
    content_type=st.sampled_from((FORM, "application/json", "text/plain", None)),
    authorization=st.sampled_from((None, "own", "Basic x", "Bearer x", "x")),
    origin=st.sampled_from((None, "https://a.example", "null", "\xe9")),
)
def test_whatever_comes_both_doors_agree(method, path, body, query, content_type, authorization, origin):
    extra = {"QUERY_STRING": query, "CONTENT_TYPE": content_type, "HTTP_ORIGIN": origin}
    by_flask, ahead = answers(method, path, body, authorization, **extra)
    assert by_flask == ahead
    assert not by_flask[0].startswith("5") or path == "/fails"


def test_a_failure_is_logged_and_says_nothing_to_the_client(caplog):
    by_flask, _ = answers("POST", "/fails")
    assert by_flask[0] == "500 INTERNAL SERVER ERROR"
    assert b"secret" not in by_flask[2]
    assert "a secret of ours" in caplog.text


def test_no_hop_by_hop_header_is_ever_set():
    """PEP 3333 forbids it to applications, and wsgiref stops at it."""
    from wsgiref.util import is_hop_by_hop

    for asked, extra, _ in REQUESTS.values():
        for answer in answers(*asked, **extra):
            assert not [name for name, _ in answer[1] if is_hop_by_hop(name)]


class Counting(io.RawIOBase):
    """A body without an end, that counts what was read of it."""

    def __init__(self, _body):
        self.read_bytes = 0
        Counting.last = self

    def readable(self):
        return True

    def readinto(self, buffer):
        self.read_bytes += len(buffer)
        assert self.read_bytes < 100 * MAX, "the whole body is being read"
        buffer[:] = b"x" * len(buffer)
        return len(buffer)


@pytest.mark.parametrize("ahead", [False, True])
def test_a_body_without_end_is_not_read_to_its_end(ahead):
    provider, _ = make()
    stream = Counting(b"")
    chunked = {"CONTENT_LENGTH": None, "HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True}
    given = {**environ("POST", "/o/token/"), **chunked, "wsgi.input": stream}
    del given["CONTENT_LENGTH"]
    status, _, _ = through(provider.wsgi() if ahead else provider.app, given)
    assert status.startswith("413")


class Hanging(io.BytesIO):
    """A socket whose client sent its body and waits: to read on would hang."""

    def read(self, size=-1):
        assert 0 <= size <= len(self.getvalue()) - self.tell(), "it would hang here"
        return super().read(size)


@pytest.mark.parametrize("path", ["/o/token/", "/o/introspect/"])
def test_no_more_is_read_than_the_client_sent(path):
    provider, own = make()
    body = GRANT + b"&token=x"
    given = environ("POST", path, body, HTTP_AUTHORIZATION=own, **{"wsgi.input": Hanging(body)})
    assert through(provider.wsgi(), given)[0].startswith("200")


def test_a_form_that_the_app_has_read_before_is_read_again():
    provider, own = make()
    seen = []
    provider.app.before_request(lambda: seen.append(request.form.get("grant_type")))
    given = environ("POST", "/o/token/", GRANT, HTTP_AUTHORIZATION=own)
    assert through(provider.app, given)[0].startswith("200")
    assert seen == ["client_credentials"]


def test_what_is_not_ours_goes_on_to_the_app_or_to_who_was_given():
    provider, _ = make()
    provider.app.add_url_rule("/hello", view_func=lambda: "hello")
    for path in ("/hello", "/o/nothing", "/o//token/", "/o/token/x"):
        assert through(provider.wsgi(), environ("GET", path)) == through(provider.app, environ("GET", path))

    def other(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [environ["PATH_INFO"].encode()]

    assert through(provider.wsgi(other), environ("GET", "/hello"))[2] == b"/hello"
    assert through(provider.wsgi(other), environ("POST", "/o/token/"))[0].startswith("4")


def test_below_another_script_flask_answers():
    provider, own = make()
    given = environ("POST", "/o/token/", GRANT, HTTP_AUTHORIZATION=own, SCRIPT_NAME="/app")
    assert through(provider.wsgi(), given)[0].startswith("200")
