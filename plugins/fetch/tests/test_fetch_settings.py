"""Each setting changes what it says it changes, and is refused when it cannot be meant."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

import portula_fetch
from portula import Plugin
from portula.errors import ConfigError, FetchFailed
from portula_testing.provider import make_provider
from portula_testing.tls import HttpsServer, Reply


def why(fetch, *arguments, **named):
    with pytest.raises(FetchFailed) as caught:
        fetch(*arguments, **named)
    return str(caught.value)


@pytest.mark.parametrize("entry", ["localhost", "LOCALHOST", "127.0.0.1", "127.0.0.0/8"])
def test_a_private_host_is_asked_when_it_is_named(fetcher_with, server, entry):
    url = server.answer("/", Reply(body=b"x"))
    assert "is not public" in why(fetcher_with(FETCH_ALLOWED_PRIVATE_HOSTS=[]).get, url, accept=())
    assert "is not public" in why(fetcher_with(FETCH_ALLOWED_PRIVATE_HOSTS=["other"]).get, url, accept=())
    allowed = fetcher_with(FETCH_ALLOWED_PRIVATE_HOSTS=[entry, "::1"])
    assert allowed.get(url, accept=()).body == b"x"


def test_the_authorities_of_the_bundle_are_trusted(fetcher_with, server):
    url = server.answer("/", Reply(body=b"x"))
    assert "certificate is not trusted" in why(fetcher_with(FETCH_CA_BUNDLE=None).get, url, accept=())
    assert fetcher_with().get(url, accept=()).body == b"x"


def test_ports_below_1024_are_refused_but_443(fetcher_with):
    fetcher = fetcher_with(FETCH_ALLOWED_PRIVATE_HOSTS=[], FETCH_FAILURE_BACKOFF_SECONDS=0)
    for port in (0, 1, 22, 25, 80, 1023):
        assert f"port {port} is not allowed" in why(fetcher.get, f"https://localhost:{port}/", accept=())
    for url in ("https://localhost/", "https://localhost:443/", "https://localhost:1024/"):
        assert "is not public" in why(fetcher.get, url, accept=())


def test_ports_are_those_that_are_named(fetcher_with, server):
    url = server.answer("/", Reply(body=b"x"))
    assert "is not allowed" in why(fetcher_with(FETCH_ALLOWED_PORTS=[443]).get, url, accept=())
    assert fetcher_with(FETCH_ALLOWED_PORTS=[443, server.port]).get(url, accept=()).body == b"x"


def test_a_fetch_takes_as_long_as_it_may(fetcher_with, server):
    url = server.answer("/", Reply(body=server.slowly(b"x", 0.6)))
    message = why(fetcher_with(FETCH_TIMEOUT_SECONDS=0.3).get, url, accept=())
    assert message == f"{server.url}: there was no whole answer within 0.3 seconds"
    server.answer("/", Reply(body=server.slowly(b"x", 0.6)))
    assert len(fetcher_with(FETCH_TIMEOUT_SECONDS=10).get(url, accept=()).body) == 12


@pytest.mark.parametrize(("most", "at_one"), [(1, 1), (2, 1), (4, 2), (5, 3)])
def test_no_more_fetches_are_under_way_than_allowed(fetcher_with, server, most, at_one):
    """Half of them at one server; the others wait for their turn, and get it."""
    here, peak, lock = [], [], threading.Lock()
    together = threading.Barrier(at_one)

    def answer(_asked):
        with lock:
            here.append(1)
            peak.append(len(here))
        together.wait(timeout=5)
        with lock:
            here.pop()
        return Reply(body=b"x")

    server.routes["/"] = answer
    fetcher = fetcher_with(FETCH_MAX_CONCURRENT=most)
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda _: fetcher.get(f"{server.url}/", accept=()).body, range(6)))
    assert found == [b"x"] * 6
    assert max(peak) == at_one


def test_a_slow_server_does_not_keep_the_others_waiting(fetcher_with, server, authority, tmp_path_factory):
    arrived, go_on = threading.Semaphore(0), threading.Event()

    def answer(_asked):
        arrived.release()
        go_on.wait(5)
        return Reply(body=b"slow")

    server.routes["/"] = answer
    fetcher = fetcher_with(FETCH_MAX_CONCURRENT=4)
    with HttpsServer(authority, tmp_path_factory.mktemp("quick")) as quick, ThreadPoolExecutor(4) as pool:
        slow = [pool.submit(fetcher.get, f"{server.url}/", accept=()) for _ in range(4)]
        assert [arrived.acquire(timeout=5) for _ in range(2)] == [True, True]
        assert fetcher.get(quick.answer("/", Reply(body=b"quick")), accept=()).body == b"quick"
        assert not any(fetch.done() for fetch in slow)
        go_on.set()
        assert [fetch.result(timeout=10).body for fetch in slow] == [b"slow"] * 4


def test_who_does_not_get_a_turn_in_time_is_told_so(fetcher_with, server):
    arrived, go_on = threading.Event(), threading.Event()

    def answer(_asked):
        arrived.set()
        go_on.wait(30)
        return Reply(body=b"x")

    server.routes["/"] = answer
    server.answer("/other", Reply())
    fetcher = fetcher_with(FETCH_MAX_CONCURRENT=1, FETCH_TIMEOUT_SECONDS=30)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(fetcher.get, f"{server.url}/", accept=())
        assert arrived.wait(30)
        fetcher._settings = fetcher._settings.model_copy(update={"FETCH_TIMEOUT_SECONDS": 0.1})
        message = why(fetcher.get, f"{server.url}/other", accept=())
        assert message.endswith("too many requests to other servers are under way")
        go_on.set()
        assert first.result(timeout=30).body == b"x"
    assert [asked.path for asked in server.asked] == ["/"]


def test_a_document_that_failed_is_left_alone_for_a_while_and_then_twice_as_long(fetcher_with, server, clock):
    url = server.answer("/keys", Reply(404))
    fetcher = fetcher_with(FETCH_FAILURE_BACKOFF_SECONDS=10)
    for pause, asked in ((0, 1), (9, 1), (1, 2), (19, 2), (1, 3)):
        clock.advance(pause)
        with pytest.raises(FetchFailed):
            fetcher.get(url, accept=())
        assert len(server.asked) == asked
    assert (
        why(fetcher.get, url, accept=()) == f"{server.url}: it failed before; it is asked again in 40 seconds"
    )


def test_without_a_back_off_it_is_asked_each_time(fetcher_with, server):
    url = server.answer("/keys", Reply(404), Reply(body=b"x"))
    fetcher = fetcher_with(FETCH_FAILURE_BACKOFF_SECONDS=0)
    assert "it answered 404" in why(fetcher.get, url, accept=())
    assert fetcher.get(url, accept=()).body == b"x"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("FETCH_ALLOWED_PRIVATE_HOSTS", ["10.0.0.1/8"], "without host bits"),
        ("FETCH_ALLOWED_PRIVATE_HOSTS", ["*.example.com"], "is neither a host name nor an address"),
        ("FETCH_ALLOWED_PRIVATE_HOSTS", ["https://intranet/"], "is neither a host name nor an address"),
        ("FETCH_ALLOWED_PRIVATE_HOSTS", ["127.1"], "is neither a host name nor an address"),
        ("FETCH_ALLOWED_PORTS", [0], "at least 1"),
        ("FETCH_ALLOWED_PORTS", [65536], "at most 65535"),
        ("FETCH_CA_BUNDLE", "/no/such/file.pem", "cannot be read: No such file or directory"),
        ("FETCH_CA_BUNDLE", __file__, "cannot be read: it holds no PEM certificates"),
        ("FETCH_TIMEOUT_SECONDS", 0, "more than 0"),
        ("FETCH_TIMEOUT_SECONDS", 61, "at most 60"),
        ("FETCH_MAX_CONCURRENT", 0, "at least 1"),
        ("FETCH_MAX_CONCURRENT", 1001, "at most 1000"),
        ("FETCH_FAILURE_BACKOFF_SECONDS", -1, "at least 0"),
        ("FETCH_FAILURE_BACKOFF_SECONDS", 601, "at most 600"),
    ],
)
def test_a_setting_that_cannot_be_meant_stops_the_start(name, value, said):
    with pytest.raises(ConfigError) as caught:
        make_provider(portula_fetch, settings={name: value})
    assert str(caught.value).startswith(name)
    assert said in str(caught.value)


def test_whoever_allows_a_network_hears_what_that_means():
    def findings(*hosts):
        provider = make_provider(portula_fetch, settings={"FETCH_ALLOWED_PRIVATE_HOSTS": hosts})
        return [(found.id, found.summary) for found in provider.hooks.collect(Plugin.portula_checks)]

    (found,) = findings("localhost", "10.0.0.0/8", "10.0.0.1")
    assert found[0] == "fetch.private-networks"
    assert found[1].endswith(": 10.0.0.0/8.")
    assert findings("localhost", "10.0.0.1") == []


def test_a_machine_that_trusts_nobody_is_found(monkeypatch, ca_file):
    monkeypatch.setenv("SSL_CERT_FILE", "/no/such/file")
    monkeypatch.setenv("SSL_CERT_DIR", "/no/such/folder")
    assert [found.id for found in make_provider(portula_fetch).hooks.collect(Plugin.portula_checks)] == [
        "fetch.no-authorities"
    ]
    bundled = make_provider(portula_fetch, settings={"FETCH_CA_BUNDLE": ca_file})
    assert bundled.hooks.collect(Plugin.portula_checks) == []
