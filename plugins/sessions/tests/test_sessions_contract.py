"""Sessions of this room hold to the contract of login sessions."""

import pytest

import portula_sessions
from portula_testing.contracts import SessionsContract
from portula_testing.provider import make_provider


class TestServerSessions(SessionsContract):
    @pytest.fixture(params=["http", "https"])
    def provider(self, request):
        settings = {"OIDC_ISS_ENDPOINT": "https://id.example/o"} if request.param == "https" else {}
        return make_provider(portula_sessions, settings=settings)


class TestShortSessions(SessionsContract):
    """Idleness ends a session before its lifetime does."""

    @pytest.fixture
    def provider(self):
        settings = {"SESSION_IDLE_SECONDS": 60, "SESSION_COOKIE_PERSISTENT": True}
        return make_provider(portula_sessions, settings=settings)
