"""A provider at which clients register themselves, asked through either door."""

import json
from urllib.parse import urlsplit

import pytest
from werkzeug.test import Client

from portula.testing.provider import CALLBACK, MovableClock, Recorder, make_provider
from portula_dcr.initial_access import InitialAccessTokens

ROOMS = ("scopes_settings", "generators", "oauth2", "consent", "introspection", "dcr")
ISSUER = "https://id.example/o"
SETTINGS = {"OIDC_ISS_ENDPOINT": ISSUER, "DCR_ENABLED": True, "DCR_REGISTRATION_MODE": "open"}


def bearer(token):
    return {} if token is None else {"Authorization": f"Bearer {token}"}


class World:
    """A provider, and who asks it."""

    def __init__(self, *plugins, kind="flask", **settings):
        self.clock, self.heard = MovableClock(1_700_000_000), Recorder()
        given = {**SETTINGS, **settings}
        self.provider = make_provider(
            *ROOMS, self.clock, self.heard, *plugins, settings=given, discover=False
        )
        self.http = Client(self.provider.wsgi() if kind == "wsgi" else self.provider.app)

    def open(self, method, path="/o/register/", document=None, token=None, **keywords):
        """Send a request with a JSON document."""
        keywords.setdefault("headers", bearer(token))
        address = keywords.pop("address", "203.0.113.7")
        if document is not None:
            keywords.update(data=json.dumps(document), content_type="application/json")
        return self.http.open(
            path,
            method=method,
            base_url="https://id.example",
            environ_overrides={"REMOTE_ADDR": address},
            **keywords,
        )

    def register(self, token=None, address="203.0.113.7", **members):
        """Ask for a client with these members."""
        given = {"redirect_uris": [CALLBACK], **members}
        document = {name: value for name, value in given.items() if value is not ...}
        return self.open("POST", document=document, token=token, address=address)

    def registered(self, **members):
        """Register a client and return what it is told."""
        answer = self.register(**members)
        assert answer.status_code == 201, answer.text
        return answer.json

    def configure(self, method, client, document=None, token=None):
        """Ask the client configuration endpoint."""
        uri = urlsplit(client["registration_client_uri"])
        known = client["registration_access_token"] if token is None else token
        return self.open(method, f"{uri.path}?{uri.query}", document, known)

    def update(self, client, **members):
        """Replace a client's metadata with these members."""
        return self.configure("PUT", client, {"client_id": client["client_id"], **members})

    def find(self, client):
        """Return the record of a client."""
        from portula.records import Application

        return self.provider.storage.find(Application, client_id=client["client_id"])

    def initial_token(self, name="ci", max_uses=1, expires_in=600):
        return InitialAccessTokens(self.provider).create(name, max_uses=max_uses, expires_in=expires_in)


@pytest.fixture(params=["flask", "wsgi"])
def kind(request):
    """Both ways to a machine endpoint."""
    return request.param


@pytest.fixture
def make():
    """Return the function that makes a world."""
    return World


@pytest.fixture
def world(kind):
    """A provider at which everybody may register."""
    return World(kind=kind)
