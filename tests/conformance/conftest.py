"""One server for all modules, started from examples/certification.py, and the suite that stands beside it."""

import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from conformance.suite.clock import Clock
from conformance.suite.fapi import FapiVariant
from conformance.suite.fapi_client import FapiClient
from conformance.suite.fapi_lab import Clients, fapi_clients
from conformance.suite.lab import Lab, PortulaCommand, free_issuer, serving
from conformance.suite.pages import Browser
from conformance.suite.parties import OP, Suite
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
    with ExitStack() as running:

        def make(*, static: bool = True, **settings: object) -> Lab:
            place = tmp_path_factory.mktemp("certification")
            (place / "suite.pem").write_bytes(authority.pem)
            command = PortulaCommand(place, free_issuer(), settings)
            op = OP(command.issuer, Clock(place / "clock"), trust)
            person, clients = command.populate(suite, static=static)
            running.enter_context(serving(command, authority.issue(place), op))
            lab = Lab(op, suite, person, clients, command)
            running.callback(lab.close)
            return lab

        yield make


@pytest.fixture(scope="session")
def lab(make_lab: Callable[..., Lab]) -> Lab:
    """The server under test with its clients, the suite, and a browser in which somebody is signed in."""
    return make_lab()


@pytest.fixture
def browser(suite: Suite, trust: ssl.SSLContext) -> Iterator[Browser]:
    """A browser that has been nowhere."""
    with Browser(suite.origin, trust) as fresh:
        yield fresh


@pytest.fixture(scope="session")
def fapi_client(
    authority: Authority, trust: ssl.SSLContext, suite: Suite, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Clients]:
    """The clients of the FAPI plans."""
    with fapi_clients(authority, trust, suite, tmp_path_factory.mktemp) as clients:
        yield clients


@pytest.fixture
def client(fapi_client: Clients, variant: FapiVariant) -> FapiClient:
    """The first client of a FAPI variant."""
    return fapi_client(variant, 1)


@pytest.fixture
def other(fapi_client: Clients, variant: FapiVariant) -> FapiClient:
    """Its second client."""
    return fapi_client(variant, 2)
