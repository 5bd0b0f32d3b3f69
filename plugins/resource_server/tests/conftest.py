from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from support.fitting import fitting

import portula_generators
import portula_oauth2
import portula_resource_server
import portula_scopes_settings
from portula import hookimpl
from portula.plugin import AccessToken, Application, User
from portula_resource_server import current_token, require_oauth
from portula_testing.memory import MemoryStore
from portula_testing.provider import MovableClock, TestLogin, make_provider
from portula_testing.writing import add_to


class Host(MovableClock, TestLogin):
    """The host's side: a clock, people, no consent page, and a store for each provider."""

    def __init__(self) -> None:
        MovableClock.__init__(self, 1_700_000_000)
        TestLogin.__init__(self, User("1", "ann"), anybody=False)
        self.people = self.users

    @hookimpl
    def portula_stores(self, provider):
        return {"memory": MemoryStore}

    @hookimpl
    def portula_consent(self, provider):
        return fitting("portula_consent")


def add_views(app: Flask) -> None:
    """Add guarded views: for any token, for one scope, for two."""

    def told() -> dict[str, Any]:
        return {"client": current_token.client_id, "subject": current_token.subject}

    app.add_url_rule("/any", "any", require_oauth(told))
    app.add_url_rule("/read", "read", require_oauth("read")(told), methods=["GET", "POST"])
    app.add_url_rule("/both", "both", require_oauth("read", "write")(told))


class World:
    """A provider with guarded views in its own app."""

    def __init__(self, host: Host, plugins: list[Any], settings: dict[str, Any]) -> None:
        self.host = host
        rooms = [portula_scopes_settings, portula_generators, portula_oauth2, portula_resource_server]
        settings = {"STORAGE": "memory", **settings}
        self.provider = make_provider(*rooms, host, *plugins, settings=settings)
        self.app = self.provider.app
        add_to(self.provider.storage, Application(client_id="app"))
        add_views(self.app)
        self.http = self.app.test_client()
        self.numbers = iter(range(100))

    def token(self, scope: str = "read", subject: str | None = "1") -> str:
        """Keep an access token and return its value."""
        value = f"token-{next(self.numbers)}"
        add_to(
            self.provider.storage,
            AccessToken(
                digest=self.provider.keys.digest("access token", value),
                client_id="app",
                scope=scope,
                subject=subject,
                issued_at=self.host.time,
                expires_at=self.host.time + 60,
            ),
        )
        return value

    def get(self, path: str, token: str) -> Any:
        return self.http.get(path, headers={"Authorization": f"Bearer {token}"})


@pytest.fixture
def host() -> Host:
    return Host()


@pytest.fixture
def make(host: Host) -> Callable[..., World]:
    return lambda *plugins, **settings: World(host, list(plugins), settings)


@pytest.fixture
def world(make: Callable[..., World]) -> World:
    return make()
