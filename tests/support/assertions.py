"""A provider whose clients authenticate by signed assertions, asked by both doors."""

import itertools

from flask import Flask
from werkzeug.test import Client

from portula.plugin import Application, Artifact
from portula_testing.provider import client_for, make_provider

ISSUER = "https://id.example/o"
TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
BASE = ("consent", "generators", "introspection", "oauth2", "scopes_settings")
ROOMS = ("client_assertion", "jose")

_numbers = itertools.count()


class World:
    """A provider, its doors, and what clients send."""

    def __init__(self, clock, *rooms, folder=None, **settings):
        self.clock = clock
        given, app = {"OIDC_ISS_ENDPOINT": ISSUER, **settings}, None
        if folder is not None:  # for the SQLite file that several of these share
            given["STORAGE"], rooms = "storage_sql", (*(rooms or ROOMS), "storage_sql")
            app = Flask("assertions", instance_path=str(folder))
        self.provider = make_provider(*BASE, *(rooms or ROOMS), settings=given, app=app, clock=clock)
        self.doors = {
            "flask": Client(self.provider.app),
            "wsgi": Client(self.provider.wsgi()),
        }

    def client(self, key=None, **fields):
        """Register a client that signs with a key, and return its identifier."""
        given = {"token_endpoint_auth_method": "private_key_jwt"} if key else {}
        metadata = {**({"jwks": key.jwks} if key else {}), **fields.pop("metadata", {})}
        return client_for(self.provider, "client_credentials", metadata=metadata, **{**given, **fields})[
            0
        ].client_id

    def sealed_client(self, **fields):
        """Register a client whose secret can be read, and return its identifier and the secret."""
        given = {
            "grant_types": ("client_credentials",),
            "token_endpoint_auth_method": "client_secret_jwt",
            **fields,
        }
        client, secret = self.provider.clients.create(Application(client_id="", **given), hash_secret=False)
        return client.client_id, secret

    def claims(self, client_id, **changes):
        """Return the claims of a good assertion; None takes one out."""
        now = int(self.clock())
        given = {
            "iss": client_id,
            "sub": client_id,
            "aud": ISSUER,
            "jti": f"jti {next(_numbers)}",
            "iat": now,
            "exp": now + 60,
            **changes,
        }
        return {name: value for name, value in given.items() if value is not None}

    def post(self, path, form, door="flask", headers=None):
        given = {name: value for name, value in form.items() if value is not None}
        return self.doors[door].post(path, data=given, headers=headers, base_url="https://id.example")

    def token(self, assertion, door="flask", **form):
        given = {
            "grant_type": "client_credentials",
            "client_assertion_type": TYPE,
            "client_assertion": assertion,
        }
        return self.post("/o/token/", {**given, **form}, door)

    def close(self):
        """Close the stores that hold connections."""
        for store in self.provider.stores.values():
            getattr(store, "close", bool)()

    def record(self, client_id):
        return self.provider.storage.find(Application, client_id=client_id)

    def remembered(self):
        """Return how many assertions are remembered."""
        return sum(artifact.kind == "client_assertion" for artifact in self.provider.storage.select(Artifact))

    def purge(self):
        self.provider.storage.purge(Artifact, now=self.provider.now(), limit=100)


def refused(response, error="invalid_client"):
    """See that an answer is a refusal, as RFC 6749 §5.2 and RFC 7523 §3.2 say."""
    assert response.status_code == (401 if error == "invalid_client" else 400), response.text
    assert response.json["error"] == error
    assert response.headers["Cache-Control"] == "no-store"
