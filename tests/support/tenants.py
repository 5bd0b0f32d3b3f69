"""Two providers in one app and on one storage, and a browser and client programs that visit either."""

import secrets

from flask import Flask
from security.driving import CALLBACK, Party, answered, basic, bearer, pkce

from portula import Plugin
from portula.plugin import Application
from portula_resource_server import require_oauth
from portula_testing.provider import Memory, MovableClock, Recorder, make_provider
from support.browser import forms_of

HOST = "https://id.example"
PASSWORD = "a long password of theirs"
ROOMS = (
    "accounts",
    "consent",
    "generators",
    "introspection",
    "oauth2",
    "resource_server",
    "scopes_settings",
    "sessions",
    "storage_sql",
)
KEYS = {"north": "the secret key of the north", "south": "the secret key of the south"}


class Tenant:
    """One of the providers, as its visitors see it."""

    def __init__(self, house, name, *plugins, rooms=ROOMS, **settings):
        self.name, self.house, self.recorder = name, house, Recorder()
        given = {
            "MOUNT_PATH": f"/{name}",
            "OIDC_ISS_ENDPOINT": f"{HOST}/{name}",
            "ACCOUNTS_PATH": f"/{name}/accounts",
            "SECRET_KEYS": [KEYS[name]],
            **house.storage,
            **settings,
        }
        self.provider = make_provider(
            *rooms,
            house.clock,
            self.recorder,
            *([] if "STORAGE" in given else [house.memory]),
            *plugins,
            app=house.app,
            name=name,
            settings=given,
        )
        view = require_oauth("read", provider=name)(lambda: "the resource")
        house.app.add_url_rule(f"/{name}/resource", f"resource_{name}", view)

    @property
    def users(self):
        return self.provider.hooks.ask(Plugin.portula_login).users

    # --- Machines ---

    def client(self, chosen_secret=None):
        """Register a client for all grants."""
        grants = ("authorization_code", "refresh_token", "client_credentials")
        application = Application(client_id="", grant_types=grants, redirect_uris=(CALLBACK,))
        client, secret = self.provider.clients.create(application, secret=chosen_secret)
        return Party(client.client_id, secret)

    def post(self, path, party, **data):
        headers = basic(party.client_id, party.secret)
        return self.house.http.post(f"/{self.name}/{path}", data=data, headers=headers, base_url=HOST)

    def redeem(self, party, code, verifier):
        data = {"code": code, "code_verifier": verifier, "redirect_uri": CALLBACK}
        return self.post("token/", party, grant_type="authorization_code", **data)

    def refresh(self, party, token):
        return self.post("token/", party, grant_type="refresh_token", refresh_token=token)

    def tokens(self, party, username="ann", **parameters):
        """Run the code flow in a browser of its own and return the token response's members."""
        response = self.redeem(party, *Browser(self.house).code(self, party, username, **parameters))
        assert response.status_code == 200, response.text
        return response.json

    def is_active(self, party, token):
        response = self.post("introspect/", party, token=token)
        assert response.status_code == 200, response.text
        return response.json["active"]

    def resource(self, token):
        return self.house.http.get(f"/{self.name}/resource", headers=bearer(token), base_url=HOST)

    def open(self, path, method="GET", token=None, **keywords):
        headers = bearer(token) if token else {}
        return self.house.http.open(
            f"/{self.name}/{path}", method=method, headers=headers, base_url=HOST, **keywords
        )

    def metadata(self):
        url = f"/{self.name}/.well-known/oauth-authorization-server"
        return self.house.http.get(url, base_url=HOST).json


class Two:
    """An app with two providers on one storage: north and south, whose pages stand on one host."""

    def __init__(
        self,
        *,
        folder=None,
        url=None,
        same_keys=False,
        north=(),
        south=(),
        rooms=ROOMS,
        each=None,
        **settings,
    ):
        place = folder and str(folder)
        self.app = Flask(f"two{secrets.token_hex(4)}", static_folder=None, instance_path=place)
        self.app.config["TESTING"] = True
        self.clock, self.memory = MovableClock(1_700_000_000), Memory()
        self.storage = {"STORAGE": "storage_sql"} if folder or url else {}
        if url:
            self.storage["DATABASE_URL"] = url
        each = each or {}
        if same_keys:
            settings["SECRET_KEYS"] = [KEYS["north"]]
        self.http = self.app.test_client(use_cookies=False)
        self.north = Tenant(self, "north", *north, rooms=rooms, **settings, **each.get("north", {}))
        self.south = Tenant(self, "south", *south, rooms=rooms, **settings, **each.get("south", {}))
        self.ann = self.north.users.create("ann", PASSWORD)
        self.bob = self.north.users.create("bob", PASSWORD)

    def close(self):
        for tenant in (self.north, self.south):
            for store in tenant.provider.stores.values():
                getattr(store, "close", bool)()


class Browser:
    """A person's browser; it may be told cookies that nobody gave it."""

    def __init__(self, house):
        self.http = house.app.test_client()

    def get(self, path, **keywords):
        return self.http.get(path, base_url=HOST, **keywords)

    def post(self, path, data):
        return self.http.post(path, data=data, base_url=HOST)

    def cookie(self, name):
        return self.http.get_cookie(f"__Host-{name}", domain="id.example").value

    def plant(self, name, value):
        self.http.set_cookie(f"__Host-{name}", value, domain="id.example", secure=True)

    def sign_in(self, tenant, username="ann"):
        page = f"/{tenant.name}/accounts/login/"
        (form,) = forms_of(self.get(page).text)
        response = self.post(page, {**form.fields, "username": username, "password": PASSWORD})
        assert response.status_code == 302, response.text

    def is_signed_in(self, tenant):
        return self.get(f"/{tenant.name}/accounts/").status_code == 200

    def ask(self, tenant, party, **parameters):
        asked = {
            "response_type": "code",
            "client_id": party.client_id,
            "redirect_uri": CALLBACK,
            "scope": "read",
            "code_challenge": pkce()[1],
            "code_challenge_method": "S256",
        }
        return self.get(f"/{tenant.name}/authorize/", query_string={**asked, **parameters})

    def consent_form(self, tenant, party, **parameters):
        """Return the fields of the consent page, with the word of the person who allows it."""
        response = self.ask(tenant, party, **parameters)
        assert response.status_code == 200, response.text
        return {**forms_of(response.text)[0].fields, "allow": "yes"}

    def code(self, tenant, party, username="ann", **parameters):
        """Return a fresh code and its verifier."""
        self.sign_in(tenant, username)
        verifier, challenge = pkce()
        form = self.consent_form(tenant, party, code_challenge=challenge, **parameters)
        return answered(self.post(f"/{tenant.name}/authorize/", form))["code"], verifier
