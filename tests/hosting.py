"""A provider in memory for tests of the host: nothing is discovered unless asked for, rooms are given as plugins."""

from itertools import count

from flask import Flask

import portula_consent
import portula_generators
import portula_oauth2
import portula_scopes_settings
from portula import Provider, hookimpl
from portula.plugin import Application, Login, User
from portula_testing.memory import MemoryStore

ROOMS = (portula_oauth2, portula_generators, portula_scopes_settings, portula_consent)
KEY = "a secret key of sixteen bytes or more"

_numbers = count()


class Memory:
    """A store in memory."""

    @hookimpl
    def portula_stores(self, provider):
        return {"memory": MemoryStore}


class NobodyHere(Login):
    """A login under which nobody is ever signed in, and everybody exists."""

    def current(self):
        return None

    def login_url(self, next_url, client=None):
        return f"/login?next={next_url}"

    def sign_out(self):
        """Nobody was there."""

    def find(self, subject):
        return User(subject, subject)

    def authenticate(self, username, password, client_address):
        return None

    @hookimpl
    def portula_login(self, provider):
        return self


def make_app(**settings):
    """Return an app that is configured and has no provider yet."""
    app = Flask(f"hosting{next(_numbers)}")
    app.config.update(TESTING=True, SECRET_KEY=KEY, OAUTH2_PROVIDER=settings)
    return app


def deployment(*plugins, rooms=ROOMS):
    """Return the plugins of a provider that discovers nothing: these rooms, a store, a login, and those given."""
    return [*rooms, Memory(), NobodyHere(), *plugins]


def make_provider(*plugins, rooms=ROOMS, **settings):
    """Return a provider of these rooms and plugins, all in the tier of the deployment."""
    return Provider(make_app(**settings), plugins=deployment(*plugins, rooms=rooms), discover=False)


def discovering(*plugins, **settings):
    """Return a provider of everything installed, in memory."""
    settings = {"STORAGE": "memory", **settings}
    return Provider(make_app(**settings), plugins=[Memory(), *plugins])


def make_client(provider, **members):
    """Save a client of the client credentials grant; return it and its secret."""
    client = Application(**{"client_id": "machine", "grant_types": ("client_credentials",), **members})
    return provider.clients.create(client)


def ask_token(provider, secret, client_id="machine", **fields):
    """Ask for a token by client credentials, over HTTP."""
    data = {"grant_type": "client_credentials", **fields}
    return provider.app.test_client().post("/o/token/", data=data, auth=(client_id, secret))
