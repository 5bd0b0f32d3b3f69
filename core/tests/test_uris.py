"""Comparing URIs: exactly, except for the port of a native client on loopback; and in linear time."""

import time
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portula.model.uris import MAX_URI_LENGTH, origin_matches, redirect_uri_matches
from portula.plugin import is_loopback_host, origin_of, redirect_uri_problem, uri_scheme

WEB = ("http", "https")

pieces = st.sampled_from(
    [
        "http://127.0.0.1",
        "http://[::1]",
        "http://localhost",
        "https://client.example",
        "HTTP://127.0.0.1",
        ":",
        ":80",
        ":8080",
        ":65536",
        ":٣",
        "/",
        "/cb",
        "?a=b",
        "#x",
        "@",
        ".",
        "..",
        "%2e",
        "\\",
        "\n",
        " ",
        "é",
        "com.example.app:/",
    ]
)
uris = st.lists(pieces | st.text(max_size=4), max_size=6).map("".join)


def without_port(uri):
    """Cut the port off an http URI on a literal loopback address; None for all others."""
    for prefix in ("http://127.0.0.1", "http://[::1]"):
        if uri.startswith(prefix):
            rest = uri.removeprefix(prefix)
            return (prefix, rest.removeprefix(":").lstrip("0123456789") if rest.startswith(":") else rest)
    return None


@given(registered=uris, presented=uris, native=st.booleans())
def test_what_matches_is_equal_unless_it_is_the_port_of_a_native_client_on_loopback(
    registered, presented, native
):
    if redirect_uri_matches(registered, presented, native=native) and registered != presented:
        assert native
        assert without_port(registered) is not None
        assert without_port(registered) == without_port(presented)


@given(uri=uris, native=st.booleans())
def test_every_uri_matches_itself(uri, native):
    assert redirect_uri_matches(uri, uri, native=native)


@given(
    host=st.sampled_from(["127.0.0.1", "[::1]"]), ports=st.tuples(*[st.none() | st.integers(0, 65535)] * 2)
)
def test_a_native_client_may_use_every_port_on_loopback(host, ports):
    registered, presented = (f"http://{host}{'' if port is None else f':{port}'}/cb" for port in ports)
    assert redirect_uri_matches(registered, presented, native=True)
    assert redirect_uri_matches(registered, presented, native=False) is (registered == presented)


@pytest.mark.parametrize(
    "presented",
    [
        "http://127.0.0.1:65536/cb",
        "http://127.0.0.1:/cb",
        "http://127.0.0.1:080800/cb",
        "http://127.0.0.1:8080/CB",
        "http://127.0.0.1:8080/cb/",
        "http://127.0.0.1:8080/cb?x",
        "http://127.0.0.1:8080/cb#",
        "http://127.0.0.1:8080@evil.example/cb",
        "http://127.0.0.1.evil.example/cb",
        "http://127.0.0.1:8080.evil.example/cb",
        "http://127.0.0.1:٨٠/cb",
        "http://127.0.0.2/cb",
        "http://localhost/cb",
        "http://[::1]/cb",
        "https://127.0.0.1:8080/cb",
        "HTTP://127.0.0.1:8080/cb",
        "http://127.0.0.1:8080\\cb",
        " http://127.0.0.1:8080/cb",
        "http://127.0.0.1:80\t80/cb",
    ],
)
def test_nothing_but_the_port_may_differ(presented):
    assert not redirect_uri_matches("http://127.0.0.1/cb", presented, native=True)


@given(uri=uris)
def test_what_may_be_registered_is_plain_and_has_an_allowed_scheme(uri):
    if redirect_uri_problem(uri, WEB) is None:
        assert uri.isascii()
        assert uri.isprintable()
        assert " " not in uri
        assert uri_scheme(uri) in WEB
        assert "#" not in uri
        assert "@" not in urlsplit(uri).netloc
        assert uri_scheme(uri) == "https" or is_loopback_host(urlsplit(uri).hostname)


@pytest.mark.parametrize(
    ("uri", "schemes", "native", "problem"),
    [
        ("https://client.example/cb", WEB, False, None),
        ("https://client.example", WEB, False, None),
        ("https://client.example/cb?a=b&c", WEB, False, None),
        ("http://localhost:3000/cb", WEB, False, None),
        ("http://[::1]/cb", WEB, False, None),
        ("com.example:/cb", WEB, True, None),
        ("com.example:/cb", WEB, False, "has the scheme"),
        ("myapp:/cb", WEB, True, "has the scheme"),
        ("myapp:/cb", ("myapp",), False, None),
        ("myapp:", ("myapp",), False, "has neither host nor path"),
        ("javascript:alert(1)", ("javascript",), True, "may never be redirected to"),
        ("DATA:text/html,x", ("data",), True, "may never be redirected to"),
        ("/cb", WEB, False, "is not absolute"),
        ("client.example/cb", WEB, False, "is not absolute"),
        ("", WEB, False, "is not a plain ASCII URI"),
        ("https://client.example/é", WEB, False, "is not a plain ASCII URI"),
        ("https://client.example/a b", WEB, False, "is not a plain ASCII URI"),
        ("https://client.example\\@evil.example/", WEB, False, "is not a plain ASCII URI"),
        ("https://client.example:99999/", WEB, False, "is not a plain ASCII URI"),
        ("https://[::1/", WEB, False, "is not a plain ASCII URI"),
        ("https://client.example/" + "x" * MAX_URI_LENGTH, WEB, False, "is not a plain ASCII URI"),
        ("https://client.example/cb#x", WEB, False, "has a fragment"),
        ("https://client.example/cb#", WEB, False, "has a fragment"),
        ("https:///cb", WEB, False, "has no host"),
        ("https://user@client.example/", WEB, False, "has user information"),
        ("https://client.example./", WEB, False, "cannot be compared exactly"),
        ("https://*.client.example/", WEB, False, "cannot be compared exactly"),
        ("https://client.example/a/../b", WEB, False, "has dot segments"),
        ("https://client.example/a/%2E%2e/b", WEB, False, "has dot segments"),
        ("http://client.example/", WEB, False, "use https"),
        ("http://127.0.0.1/cb", ("https",), False, "has the scheme"),
    ],
)
def test_what_is_wrong_with_a_uri_is_said(uri, schemes, native, problem):
    found = redirect_uri_problem(uri, schemes, native=native)
    assert found is None if problem is None else problem in found


@pytest.mark.parametrize(
    ("uri", "origin"),
    [
        ("https://Client.Example/cb", "https://client.example"),
        ("https://client.example:443/", "https://client.example"),
        ("http://client.example:80", "http://client.example"),
        ("http://client.example:443", "http://client.example:443"),
        ("http://[::1]:8080/x", "http://[::1]:8080"),
        ("https://user@client.example", None),
        ("com.example:/cb", None),
        ("null", None),
        ("*", None),
        ("https://", None),
    ],
)
def test_an_origin_is_scheme_host_and_port(uri, origin):
    assert origin_of(uri) == origin


NO_HOSTS = [
    "x,frame-src,.evil.example",
    "a;frame-src.example",
    "a'b.example",
    "a*b.example",
    "a$b.example",
    "a!b.example",
    "a=b.example",
    "a&b.example",
    "a(b).example",
    "a..b",
    ".a",
    "-a.example",
    f"{'a' * 64}.example",
    "a." * 127 + "ab",
    "1.2.3",
    "1.2.3.256",
    "a.0x7f",
    "2130706433",
    "[::1%25eth0]",
    "[::1]evil.example",
    "[v1.x]",
]


@pytest.mark.parametrize("host", NO_HOSTS)
def test_a_host_is_a_name_or_an_address(host):
    """Else it could end a word where it is written, such as a Content-Security-Policy."""
    for scheme in ("https", "com.example.app"):
        assert redirect_uri_problem(f"{scheme}://{host}/cb", ("https", "com.example.app")) is not None
    assert origin_of(f"https://{host}") is None
    assert origin_of(f"https://{host}:8443/cb") is None


@pytest.mark.parametrize(
    "host",
    ["a", "a-b.example", "a_b.example", "xn--bcher-kva.example", "1a.example", "127.0.0.1", "[2001:db8::1]"],
)
def test_names_and_addresses_are_hosts(host):
    assert redirect_uri_problem(f"https://{host}:8443/cb", WEB) is None
    assert redirect_uri_problem(f"com.example.app://{host}/cb", ("com.example.app",)) is None
    assert origin_of(f"https://{host}/cb") == f"https://{host}"


def test_an_origin_header_has_no_path():
    assert origin_matches("https://client.example/cb", "https://client.example")
    assert not origin_matches("https://client.example/cb", "https://client.example/")
    assert not origin_matches("https://client.example/cb", "https://other.example")
    assert not origin_matches("com.example:/cb", "com.example:")


def seconds(function, *arguments, **keywords):
    best = float("inf")
    for _ in range(5):
        start = time.perf_counter()
        function(*arguments, **keywords)
        best = min(best, time.perf_counter() - start)
    return best


@pytest.mark.parametrize(
    "unit",
    [
        "0",
        ":",
        "/",
        "?",
        "@",
        "[",
        "]",
        "%2e",
        "../",
        "http://127.0.0.1:",
        "a.",
        "-",
        "\n",
        "\\",
        "é",
        "http:",
    ],
)
def test_ten_kilobytes_cost_next_to_nothing(unit):
    """A quadratic walk over 10 KB is 10^8 steps: seconds. A linear one is 10^4."""
    hostile = [prefix + unit * (10_000 // len(unit)) for prefix in ("", "http://127.0.0.1:", "https://[")]
    for uri in hostile:
        assert seconds(redirect_uri_matches, "http://127.0.0.1/cb", uri, native=True) < 0.05
        assert seconds(redirect_uri_matches, uri, uri + "x", native=True) < 0.05
        assert seconds(redirect_uri_problem, uri, WEB, native=True) < 0.05
        assert seconds(origin_of, uri) < 0.05
