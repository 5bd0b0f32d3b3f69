"""A server of their own for relying parties of others: they look at the real clock, so no test moves its."""

import ssl
from collections.abc import Callable, Iterator

import pytest
from conformance.suite.fapi_lab import Clients, fapi_clients
from conformance.suite.lab import Lab
from conformance.suite.parties import Suite

from portula_testing.tls import Authority


@pytest.fixture(scope="session")
def lab(make_lab: Callable[..., Lab]) -> Lab:
    """The server, with nobody signed in."""
    return make_lab()


@pytest.fixture(scope="session")
def fapi_client(
    authority: Authority, trust: ssl.SSLContext, suite: Suite, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Clients]:
    """The clients of the FAPI plans, at servers of their own too."""
    with fapi_clients(authority, trust, suite, tmp_path_factory.mktemp) as clients:
        yield clients
