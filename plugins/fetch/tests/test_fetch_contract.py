"""What answers the slot keeps what every fetcher promises."""

import pytest

import portula_fetch
from portula import Plugin
from portula_testing.fetcher_contract import FetcherContract
from portula_testing.provider import make_provider


class TestFetcher(FetcherContract):
    @pytest.fixture
    def make_fetcher(self):
        def make(*, ca_file, private, seconds):
            settings = {
                "FETCH_CA_BUNDLE": ca_file,
                "FETCH_ALLOWED_PRIVATE_HOSTS": private,
                "FETCH_TIMEOUT_SECONDS": seconds,
            }
            return make_provider(portula_fetch, settings=settings).hooks.ask(Plugin.portula_fetcher)

        return make
