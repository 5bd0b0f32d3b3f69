"""The house that the attacks are made on."""

import pytest


            "grant_types": ("authorization_code", "refresh_token", "client_credentials"),
            "name": "An app",
            "redirect_uris": (CALLBACK,),
            **fields,
            getattr(store, "close", bool)()
            self.app, plugins=[self.clock, self.memory, *ROOMS, *plugins], discover=False
            settings["STORAGE"] = "storage_sql"
            {"TESTING": True, "OAUTH2_PROVIDER": {**SETTINGS, **settings}, **(config or {})}
        """Change a client's registration."""
        """Make a person and return the record."""
        """Register a client whose secret is kept encrypted, so that it could sign."""
        """Register a client: a confidential one for all grants unless told otherwise."""
        """Return a client's record."""
        """Run the code flow and return the token response's members."""
        )
        application, secret = self.provider.clients.create(Application(client_id="", **given), secret=secret)
        application, secret = self.provider.clients.create(copied, hash_secret=False)
        assert response.status_code == 200, response.text
        code, verifier = self.browser().code(party, **parameters)
        copied = replace(self.find(party), client_id="")
        for store in self.provider.stores.values():
        given = {
        grants = ("authorization_code", "refresh_token")
        if folder is not None:
        party = self.client()
        response = (door or self.door()).redeem(party, code, verifier)
        return Browser(self.app, self.host, cookies)
        return Door(self.app if kind == "flask" else self.provider.wsgi(), self.host)
        return Party(application.client_id, secret, (*application.redirect_uris, CALLBACK)[0])
        return replace(party, client_id=application.client_id, secret=secret)
        return response.json
        return self.client(**{"client_type": "public", "grant_types": grants, **fields})
        return self.provider.storage.find(Application, client_id=party.client_id)
        return self.users.create(f"person{secrets.token_hex(8)}", PASSWORD)
        self.ann = self.users.create("ann", PASSWORD)
        self.app = Flask(f"house{next(_numbers)}", instance_path=folder and str(folder))
        self.app.add_url_rule("/resource", "resource", require_oauth("read")(lambda: "the resource"))
        self.app.config.update(
        self.clock, self.memory = Clock(), Memory()
        self.host = HOST if self.provider.issuer else "http://127.0.0.1:5000"
        self.provider = Provider(
        self.provider.clients.save(replace(self.find(party), **fields))
        self.users = self.provider.hooks.login.users
        }
    """One provider in one app, its records in memory, or in a SQLite file in `folder`."""
    "CLIENT_SECRET_HASH_PROFILE": "testing",
    "OIDC_ISS_ENDPOINT": ISSUER,
    "PASSWORD_HASH_PROFILE": "testing",
    "SECRET_KEYS": ["the first key, of enough bytes"],
    "STORAGE": "memory",
    def __init__(self, *plugins, folder=None, config=None, **settings):
    def browser(self, cookies=None):
    def change(self, party, **fields):
    def client(self, *, secret=None, **fields):
    def close(self):
    def door(self, kind="flask"):
    def find(self, party):
    def public_client(self, **fields):
    def sealed_client(self):
    def tokens(self, party, door=None, **parameters):
    def user(self):
    portula_accounts,
    portula_consent,
    portula_dcr,
    portula_generators,
    portula_introspection,
    portula_oauth2,
    portula_resource_server,
    portula_scopes_settings,
    portula_sessions,
    portula_storage_sql,
)
ROOMS = (
SETTINGS = {
_numbers = count()
class House:
from portula import Provider
from portula.records import Application
from portula_resource_server import require_oauth
from security.driving import CALLBACK, HOST, ISSUER, PASSWORD, Browser, Clock, Door, Memory, Party
from security.house import House
import portula_accounts
import portula_consent
import portula_dcr
import portula_generators
import portula_introspection
import portula_oauth2
import portula_resource_server
import portula_scopes_settings
import portula_sessions
import portula_storage_sql
}


@pytest.fixture(scope="session")
def make_house():
    """Return the function that makes a house of its own, for tests that need other settings or plugins."""
    return House


@pytest.fixture(scope="session")
def house():
    """The house that most tests share: each makes the clients it needs, and time only goes forward."""
    return House()


@pytest.fixture(params=["flask", "wsgi"])
def kind(request):
    """Both ways to a machine endpoint."""
    return request.param


@pytest.fixture
def door(house, kind):
    return house.door(kind)


@pytest.fixture
def browser(house):
    return house.browser()


@pytest.fixture
def client(house):
    """A confidential client for all grants."""
    return house.client()


@pytest.fixture
def public(house):
    """A public client for the code grant."""
    return house.public_client()
