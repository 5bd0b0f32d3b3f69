"""A server on loopback, and fetchers that may ask it."""

import pytest

import portula_fetch
from portula import Plugin
from portula_testing.plugins import MovableClock
from portula_testing.provider import make_provider
from portula_testing.tls import Authority, HttpsServer


@pytest.fixture(scope="session")
def authority():
    return Authority()


@pytest.fixture(scope="session")
def ca_file(authority, tmp_path_factory):
    return str(authority.write(tmp_path_factory.mktemp("authority")))


@pytest.fixture
def server(authority, tmp_path):
    with HttpsServer(authority, tmp_path) as server:
        yield server


@pytest.fixture
def clock():
    return MovableClock()


@pytest.fixture
def fetcher_with(ca_file, clock):
    """Return a function that makes a fetcher by its settings."""

    def make(**settings):
        given = {"FETCH_CA_BUNDLE": ca_file, "FETCH_ALLOWED_PRIVATE_HOSTS": ["localhost"], **settings}
        return make_provider(portula_fetch, settings=given, clock=clock).hooks.ask(Plugin.portula_fetcher)

    return make
