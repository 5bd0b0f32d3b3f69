"""One server for all modules, started from examples/certification.py, and the suite that stands beside it."""

import ssl
from collections.abc import Callable, Iterator

import pytest

from conformance.suite.lab import Lab, serving
from conformance.suite.pages import Browser
from conformance.suite.parties import Suite
from portula_testing.tls import Authority, HttpsServer


@pytest.fixture(scope="session")
def authority() -> Authority:
    """Who signs the certificates of both sides."""
    return Authority("conformance")


@pytest.fixture(scope="session")
def trust(authority: Authority) -> ssl.SSLContext:
    """What a client needs to speak to either."""
    return ssl.create_default_context(cadata=authority.pem.decode())


@pytest.fixture(scope="session")
def suite(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Suite]:
    """The suite's own server."""
    with HttpsServer(authority, tmp_path_factory.mktemp("suite")) as server:
        yield Suite(server)


@pytest.fixture(scope="session")
def make_lab(
    authority: Authority, trust: ssl.SSLContext, suite: Suite, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., Lab]]:
    """Start a server with the settings of the example and some of the test's own; its clock is the suite's."""
    running = []

    def make(*, static: bool = True, **settings: object) -> Lab:
        place = tmp_path_factory.mktemp("certification")
        (place / "suite.pem").write_bytes(authority.pem)
        server = serving(place, authority.issue(place), trust, suite, settings, static=static)
        running.append(server)
        return server.__enter__()

    yield make
    for server in running:
        server.__exit__(None, None, None)


@pytest.fixture(scope="session")
def lab(make_lab: Callable[..., Lab]) -> Lab:
    """The server under test with its clients, the suite, and a browser in which somebody is signed in."""
    return make_lab()


@pytest.fixture
def browser(suite: Suite, trust: ssl.SSLContext) -> Iterator[Browser]:
    """A browser that has been nowhere."""
    with Browser(suite.origin, trust) as fresh:
        yield fresh
