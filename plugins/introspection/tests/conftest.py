import base64
from collections.abc import Callable
from typing import Any

import pytest
from support.fitting import fitting
from werkzeug.test import TestResponse

import portula_generators
import portula_introspection
import portula_oauth2
import portula_scopes_settings
from portula import hookimpl
from portula.plugin import AccessToken, Application, RefreshToken, User
from portula_testing.provider import MovableClock, TestLogin, make_provider
from portula_testing.writing import change_in

ISSUER = "http://localhost/o"


def basic(client_id: str, secret: str | None) -> str:
    return "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()


class Host(MovableClock, TestLogin):
    """The host's side: a clock, people, and no consent page."""

    def __init__(self) -> None:
        MovableClock.__init__(self, 1_700_000_000)
        TestLogin.__init__(self, User("1", "ann"), anybody=False)
        self.people = self.users

    @hookimpl
    def portula_consent(self, provider):
        return fitting("portula_consent")

    def authenticate(self, username, password, client_address):
        return self.people["1"]


class World:
    """A provider with three clients: `api` asks, `app` has tokens, `phone` is public."""

    def __init__(self, host: Host, plugins: list[Any], settings: dict[str, Any]) -> None:
        self.host = host
        settings = {"OIDC_ISS_ENDPOINT": ISSUER, "PASSWORD_GRANT_ENABLED": True, **settings}
        rooms = [portula_scopes_settings, portula_generators, portula_oauth2, portula_introspection]
        self.provider = make_provider(*rooms, host, *plugins, settings=settings)
        self.http = self.provider.app.test_client()
        self.grants = ("client_credentials", "password")
        self.secrets = {
            name: self.provider.clients.create(Application(client_id=name, grant_types=self.grants))[1]
            for name in ("api", "app")
        }
        public = Application(client_id="phone", client_type="public", grant_types=("password",))
        self.provider.clients.create(public)

    def tokens(self, client_id: str = "app", **form: str) -> dict[str, Any]:
        """Let a client get tokens: for ann with grant_type=password, else for itself."""
        form = {"grant_type": "client_credentials", **form}
        if form["grant_type"] == "password":
            form = {"username": "ann", "password": "secret", **form}
        headers = {}
        if client_id == "phone":
            form["client_id"] = client_id
        else:
            headers["Authorization"] = basic(client_id, self.secrets[client_id])
        answer = self.http.post("/o/token/", data=form, headers=headers)
        assert answer.status_code == 200, answer.text
        return answer.json

    def ask(
        self, token: str, caller: str = "api", authorization: str | None = None, **form: str
    ) -> TestResponse:
        """Ask about a token."""
        headers = {"Authorization": authorization or basic(caller, self.secrets[caller])}
        return self.http.post("/o/introspect/", data={"token": token, **form}, headers=headers)

    def change(self, kind: type[Any], token: str, **values: Any) -> None:
        """Change a stored token."""
        purpose = {AccessToken: "access token", RefreshToken: "refresh token"}[kind]
        digest = self.provider.keys.digest(purpose, token)
        assert change_in(self.provider.storage, kind, {"digest": digest}, **values) == 1


@pytest.fixture
def host() -> Host:
    return Host()


@pytest.fixture
def make(host: Host) -> Callable[..., World]:
    return lambda *plugins, **settings: World(host, list(plugins), settings)


@pytest.fixture
def world(make: Callable[..., World]) -> World:
    return make()
