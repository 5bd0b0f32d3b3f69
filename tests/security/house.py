"""A provider with every room on a store in memory, its people and clients, and both doors to its endpoints."""

import secrets
from dataclasses import replace
from itertools import count

from flask import Flask

import portula_accounts
import portula_attestation
import portula_ciba
import portula_cimd
import portula_client_assertion
import portula_consent
import portula_dcr
import portula_device
import portula_dpop
import portula_fetch
import portula_generators
import portula_grant_management
import portula_id_jag
import portula_introspection
import portula_jar
import portula_jarm
import portula_jose
import portula_jwt_access_tokens
import portula_jwt_bearer
import portula_jwt_introspection
import portula_logout
import portula_mtls
import portula_oauth2
import portula_oidc
import portula_par
import portula_profiles
import portula_protected_resource
import portula_rar
import portula_resource_indicators
import portula_resource_server
import portula_scopes_settings
import portula_sessions
import portula_storage_sql
import portula_token_exchange
from portula import Plugin, Provider
from portula.plugin import Application
from portula_resource_server import require_oauth
from security.driving import CALLBACK, HOST, ISSUER, PASSWORD, Browser, Clock, Door, Memory, Party

ROOMS = (
    portula_accounts,
    portula_attestation,
    portula_ciba,
    portula_cimd,
    portula_client_assertion,
    portula_consent,
    portula_dcr,
    portula_device,
    portula_dpop,
    portula_fetch,
    portula_generators,
    portula_grant_management,
    portula_id_jag,
    portula_introspection,
    portula_jar,
    portula_jarm,
    portula_jose,
    portula_jwt_access_tokens,
    portula_jwt_bearer,
    portula_jwt_introspection,
    portula_logout,
    portula_mtls,
    portula_oauth2,
    portula_oidc,
    portula_par,
    portula_profiles,
    portula_protected_resource,
    portula_rar,
    portula_resource_indicators,
    portula_resource_server,
    portula_scopes_settings,
    portula_sessions,
    portula_storage_sql,
    portula_token_exchange,
)
SETTINGS = {
    "SECRET_KEYS": ["the first key, of enough bytes"],
    "OIDC_ISS_ENDPOINT": ISSUER,
    "STORAGE": "memory",
    "PASSWORD_HASH_PROFILE": "testing",
    "CLIENT_SECRET_HASH_PROFILE": "testing",
}
_numbers = count()


class House:
    """One provider in one app, its records in memory, or in a SQLite file in `folder`.

    With `discover` the rooms are found as in a deployment, in the weakest tier; else they are given as plugins.
    """

    def __init__(self, *plugins, folder=None, config=None, discover=False, **settings):
        self.clock, self.memory = Clock(), Memory()
        if folder is not None:
            settings["STORAGE"] = "storage_sql"
        self.app = Flask(f"house{next(_numbers)}", instance_path=folder and str(folder))
        self.app.config.update(
            {"TESTING": True, "OAUTH2_PROVIDER": {**SETTINGS, **settings}, **(config or {})}
        )
        given = [self.clock, self.memory, *(() if discover else ROOMS), *plugins]
        self.provider = Provider(self.app, plugins=given, discover=discover)
        self.app.add_url_rule("/resource", "resource", require_oauth("read")(lambda: "the resource"))
        self.host = HOST if self.provider.issuer else "http://127.0.0.1:5000"
        self.users = self.provider.hooks.ask(Plugin.portula_login).users
        self.ann = self.users.find_by_name("ann") or self.users.create("ann", PASSWORD)

    def close(self):
        for store in self.provider.stores.values():
            getattr(store, "close", bool)()

    def browser(self, cookies=None):
        return Browser(self.app, self.host, cookies)

    def door(self, kind="flask"):
        return Door(self.app if kind == "flask" else self.provider.wsgi(), self.host)

    def user(self):
        """Make a person and return the record."""
        return self.users.create(f"person{secrets.token_hex(8)}", PASSWORD)

    def client(self, *, secret=None, **fields):
        """Register a client: a confidential one for all grants unless told otherwise."""
        given = {
            "client_id": "",
            "name": "An app",
            "grant_types": ("authorization_code", "refresh_token", "client_credentials"),
            "redirect_uris": (CALLBACK,),
            **fields,
        }
        application, secret = self.provider.clients.create(Application(**given), secret=secret)
        return Party(application.client_id, secret, (*application.redirect_uris, CALLBACK)[0])

    def public_client(self, **fields):
        grants = ("authorization_code", "refresh_token")
        return self.client(**{"client_type": "public", "grant_types": grants, **fields})

    def sealed_client(self):
        """Register a client whose secret is kept encrypted, so that it could sign."""
        party = self.client()
        copied = replace(self.find(party), client_id="")
        application, secret = self.provider.clients.create(copied, hash_secret=False)
        return replace(party, client_id=application.client_id, secret=secret)

    def find(self, party):
        """Return a client's record."""
        return self.provider.storage.find(Application, client_id=party.client_id)

    def change(self, party, **fields):
        """Change a client's registration."""
        self.provider.clients.save(replace(self.find(party), **fields))

    def tokens(self, party, door=None, **parameters):
        """Run the code flow and return the token response's members."""
        code, verifier = self.browser().code(party, **parameters)
        response = (door or self.door()).redeem(party, code, verifier)
        assert response.status_code == 200, response.text
        return response.json
