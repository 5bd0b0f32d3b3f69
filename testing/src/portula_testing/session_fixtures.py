"""What each test of login sessions is given; a part of `portula_testing.sessions_contract`."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from portula import Plugin, Provider
from portula.plugin import LoginSession, Sessions
from portula_testing.attacks import Visits
from portula_testing.plugins import MovableClock


class SessionFixtures:
    """A provider, its sessions, and browsers that visit it."""

    @pytest.fixture
    def provider(self) -> Provider:
        """Return a provider of `make_provider`, fresh for each test, with the plugin in it. Override it."""
        raise NotImplementedError

    @pytest.fixture
    def sessions(self, provider: Provider) -> Sessions:
        """Return what answers the slot."""
        return provider.hooks.ask(Plugin.portula_sessions)

    @pytest.fixture
    def visit(self, provider: Provider) -> Visits:
        """Return the function that does something within a request."""
        return Visits(provider)

    @pytest.fixture
    def clock(self, provider: Provider) -> MovableClock:
        """Return the provider's clock."""
        clock = provider.hooks.ruling(Plugin.portula_clock).answer
        if not isinstance(clock, MovableClock):
            raise TypeError("the provider is one of make_provider")
        return clock

    @pytest.fixture
    def browser(self, visit: Visits) -> FlaskClient:
        """Return a browser."""
        return visit.browser()

    @staticmethod
    def start(visit: Visits, browser: FlaskClient, subject: str = "ann") -> LoginSession:
        """Sign a person in."""
        sessions = next(iter(visit.app.extensions["portula"].values())).hooks.ask(Plugin.portula_sessions)
        session: LoginSession = visit(browser, lambda: sessions.start(subject, subject.title(), ["pwd"]))
        return session
