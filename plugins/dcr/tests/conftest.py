"""A provider at which clients register themselves, asked through either door."""

import json
from urllib.parse import urlsplit

import pytest
from werkzeug.test import Client

from portula import hookimpl
from portula.plugin import Application, ClientAuthMethod, ClientMember
from portula_dcr.initial_access import InitialAccessTokens
from portula_testing.provider import CALLBACK, Memory, MovableClock, Recorder, make_provider

ROOMS = ("scopes_settings", "generators", "oauth2", "consent", "introspection", "dcr")
ISSUER = "https://id.example/o"
SETTINGS = {"OIDC_ISS_ENDPOINT": ISSUER, "DCR_ENABLED": True, "DCR_REGISTRATION_MODE": "open"}


def bearer(token):
    return {} if token is None else {"Authorization": f"Bearer {token}"}


class ByKeys:
    """A room with client authentication by keys, and a member about algorithms."""

    @hookimpl
    def portula_client_auth_methods(self, provider):
        return [
            ClientAuthMethod(name, lambda _: False, lambda _: None)
            for name in ("client_secret_jwt", "private_key_jwt")
        ]

    @hookimpl
    def portula_client_metadata(self, provider):
        return [
            ClientMember("id_token_signed_response_alg", field="algorithm"),
            ClientMember("token_endpoint_auth_signing_alg"),
        ]


class World:
    """A provider, and who asks it."""

    def __init__(self, *plugins, kind="flask", **settings):
        self.clock, self.heard = MovableClock(1_700_000_000), Recorder()
        given = {name: value for name, value in {**SETTINGS, **settings}.items() if value is not ...}
        if "STORAGE" not in given and not any(isinstance(plugin, Memory) for plugin in plugins):
            plugins = (*plugins, Memory())
        self.memory = next((plugin for plugin in plugins if isinstance(plugin, Memory)), None)
        self.provider = make_provider(*ROOMS, self.clock, self.heard, *plugins, settings=given)
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
        return self.provider.storage.find(Application, client_id=client["client_id"])

    def clients(self):
        """Return the records of all clients."""
        return self.provider.storage.select(Application)

    @staticmethod
    def error_of(answer, status=400):
        """Return the error of a refusal, which is JSON and never cached (RFC 7591 §3.2.2)."""
        assert answer.status_code == status, answer.text
        assert answer.mimetype == "application/json"
        assert answer.headers["Cache-Control"] == "no-store"
        return answer.json["error"]

    def initial_token(self, name="ci", max_uses=1, expires_in=600):
        return InitialAccessTokens(self.provider).create(name, max_uses=max_uses, expires_in=expires_in)


@pytest.fixture(params=["flask", pytest.param("wsgi", marks=pytest.mark.thorough)])
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


@pytest.fixture
def by_keys():
    """A room with client authentication by keys."""
    return ByKeys()
