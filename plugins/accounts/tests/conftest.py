from types import SimpleNamespace

import pytest
from support.browser import forms_of

import portula_accounts
import portula_sessions
from portula import Plugin
from portula_testing.provider import MovableClock, Recorder, make_provider

PASSWORD = "correct horse battery"


class Host(MovableClock, Recorder):
    """The host's side: a clock that stands, and a list of what was heard."""

    def __init__(self):
        MovableClock.__init__(self, 1_700_000_000)
        Recorder.__init__(self)
        self.heard = self.events


def make_accounts(*plugins, **settings):
    host = Host()
    settings = {"SECRET_KEYS": ["0123456789abcdef"], **settings}
    rooms = [host, portula_sessions, portula_accounts]
    provider = make_provider(*rooms, *plugins, settings=settings)
    return SimpleNamespace(
        app=provider.app, host=host, provider=provider, login=provider.hooks.ask(Plugin.portula_login)
    )


class Browser:
    """A browser that fills in forms as they come."""

    def __init__(self, app):
        self.client = app.test_client()

    def get(self, path, **kwargs):
        return self.client.get(path, **kwargs)

    def fields(self, path):
        return forms_of(self.client.get(path).text)[0].fields

    def post(self, path, fields, address="127.0.0.1"):
        return self.client.post(path, data=fields, environ_overrides={"REMOTE_ADDR": address})

    def sign_in(self, username="ada", password=PASSWORD, path="/accounts/login/", address="127.0.0.1"):
        return self.post(path, {**self.fields(path), "username": username, "password": password}, address)


@pytest.fixture
def make():
    """Return a function that makes a provider with a user `Ada`."""

    def make_with_ada(*plugins, **settings):
        made = make_accounts(*plugins, **settings)
        made.ada = made.login.users.create("Ada", PASSWORD, email="ada@example.com")
        made.browser = lambda: Browser(made.app)
        return made

    return make_with_ada


@pytest.fixture
def accounts(make):
    return make()


@pytest.fixture
def browser(accounts):
    return accounts.browser()


@pytest.fixture
def run(accounts):
    """Return a function that runs a command of the room."""
    from click.testing import CliRunner

    commands = {command.name: command for command in accounts.provider.hooks.collect(Plugin.portula_commands)}

    def run_command(name, *args, typed=None):
        with accounts.app.app_context():
            return CliRunner().invoke(commands[name], args, input=typed)

    return run_command
