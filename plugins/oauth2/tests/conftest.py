"""A provider of this room, a person who is signed in, and clients that ask over HTTP."""

import base64
import hashlib
import secrets
from dataclasses import dataclass, replace
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from support.browser import forms_of

import portula_consent
import portula_generators
import portula_oauth2
import portula_scopes_settings
from portula import Provider, hookimpl
from portula.plugin import Application, AuthenticatedUser, Login, User
from portula_testing.memory import MemoryStore

ISSUER = "https://id.example/o"
CALLBACK = "https://client.example/cb"
ROOMS = (portula_oauth2, portula_generators, portula_scopes_settings, portula_consent)


class Host(Login):
    """The host's side: a clock that is moved by hand, a store, one person, and a list of what was heard."""

    def __init__(self):
        self.time = 1_700_000_000
        self.here = True
        self.heard = []
        self.stores = []

    @hookimpl
    def portula_clock(self, provider):
        return lambda: self.time

    @hookimpl
    def portula_stores(self, provider):
        def make(records):
            self.stores.append(MemoryStore(records))
            return self.stores[-1]

        return {"memory": make}

    @hookimpl
    def portula_login(self, provider):
        return self

    @hookimpl
    def portula_token_issued(self, event):
        self.heard.append(event)

    @hookimpl
    def portula_token_refused(self, event):
        self.heard.append(event)

    @hookimpl
    def portula_token_revoked(self, event):
        self.heard.append(event)

    @hookimpl
    def portula_consent_given(self, event):
        self.heard.append(event)

    def current(self):
        return AuthenticatedUser("1", "ann", self.time) if self.here else None

    def login_url(self, next_url, client=None):
        return f"/login?next={next_url}"

    def sign_out(self):
        self.here = False

    def find(self, subject):
        return User(subject, "ann")

    def authenticate(self, username, password, client_address):
        return User("1", "ann") if (username, password) == ("ann", "her password") else None


@dataclass(frozen=True)
class Party:
    """A client with what it knows about itself."""

    client_id: str
    secret: str | None = None

    @property
    def headers(self):
        if self.secret is None:
            return {}
        pair = f"{self.client_id}:{self.secret}".encode()
        return {"Authorization": "Basic " + base64.b64encode(pair).decode()}

    @property
    def body(self):
        return {} if self.secret else {"client_id": self.client_id}


def pkce():
    """Return a code_verifier and its S256 code_challenge."""
    verifier = secrets.token_urlsafe(48)
    digest = hashlib.sha256(verifier.encode()).digest()
    return verifier, base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def sent(response):
    """Return the parameters in the query of a redirect."""
    assert response.status_code == 302, response.text
    parts = urlsplit(response.location)
    query = parts.query or parts.fragment
    return {name: values[0] for name, values in parse_qs(query, keep_blank_values=True).items()}


class World:
    """One provider in one app."""

    def __init__(self, *plugins, rooms=ROOMS, stand_alone=False, **settings):
        self.host = Host()
        self.app = Flask("oauth2")
        given = {"OIDC_ISS_ENDPOINT": ISSUER, "CLIENT_SECRET_HASH_PROFILE": "testing", **settings}
        self.app.config.update(TESTING=True, SECRET_KEY="0123456789abcdef", OAUTH2_PROVIDER=given)
        given = [*rooms, self.host, *plugins]
        self.provider = Provider(self.app, plugins=given, discover=False, stand_alone=stand_alone)
        self.http = self.app.test_client()
        self.base = "https://id.example" if self.provider.issuer else "http://127.0.0.1"

    @property
    def store(self):
        return self.host.stores[-1]

    def later(self, seconds):
        self.host.time += seconds

    # --- Clients ---

    def client(self, *, secret=None, **fields):
        """Register a confidential client for the grants of this room."""
        given = {
            "grant_types": ("authorization_code", "refresh_token", "client_credentials"),
            "redirect_uris": (CALLBACK,),
            **fields,
        }
        application, secret = self.provider.clients.create(Application(client_id="", **given), secret=secret)
        return Party(application.client_id, secret)

    def public(self, **fields):
        grants = ("authorization_code", "refresh_token")
        return self.client(**{"client_type": "public", "grant_types": grants, **fields})

    def change(self, party, **fields):
        known = self.provider.storage.find(Application, client_id=party.client_id)
        self.provider.clients.save(replace(known, **fields))

    # --- The authorization endpoint ---

    def asked(self, party, **parameters):
        """Return the parameters of an authorization request; those that are None are left out."""
        given = {
            "response_type": "code",
            "client_id": party.client_id,
            "redirect_uri": CALLBACK,
            "scope": "read",
            "state": "the state",
            **parameters,
        }
        return {name: value for name, value in given.items() if value is not None}

    def ask(self, party, **parameters):
        """Send an authorization request, with a challenge unless it says otherwise."""
        parameters = {"code_challenge": pkce()[1], "code_challenge_method": "S256", **parameters}
        return self.get("/o/authorize/", query_string=self.asked(party, **parameters))

    def answer(self, page, button="consent-allow"):
        """Press a button of the consent page."""
        form = forms_of(page.text)[0]
        name, value = form.buttons[button]
        return self.post(form.action, {**form.fields, **({name: value} if name else {})})

    def authorize(self, party, button="consent-allow", **parameters):
        """Go the whole way and return the response that leads back to the client."""
        response = self.ask(party, **parameters)
        return self.answer(response, button) if response.status_code == 200 else response

    def code(self, party, **parameters):
        """Return a fresh code and its verifier."""
        verifier, challenge = pkce()
        response = self.authorize(party, **{"code_challenge": challenge, **parameters})
        return sent(response)["code"], verifier

    # --- The machine endpoints ---

    def get(self, path, **keywords):
        return self.http.get(path, base_url=self.base, **keywords)

    def post(self, path, data=None, headers=None, **keywords):
        return self.http.post(path, data=data, headers=headers, base_url=self.base, **keywords)

    def token(self, party, grant_type, headers=None, **parameters):
        body = {"grant_type": grant_type, **party.body, **parameters}
        given = {name: value for name, value in body.items() if value is not None}
        return self.post("/o/token/", given, party.headers if headers is None else headers)

    def redeem(self, party, code, verifier, **parameters):
        asked = {"code": code, "code_verifier": verifier, "redirect_uri": CALLBACK, **parameters}
        return self.token(party, "authorization_code", **asked)

    def refresh(self, party, refresh_token, **parameters):
        return self.token(party, "refresh_token", refresh_token=refresh_token, **parameters)

    def tokens(self, party, **parameters):
        """Run the code flow and return the members of the token response."""
        response = self.redeem(party, *self.code(party, **parameters))
        assert response.status_code == 200, response.text
        return response.json

    def alive(self, tokens):
        """Say whether an access token is honoured by this provider."""
        return self.provider.validator.find_live_access_token(tokens["access_token"]) is not None


@pytest.fixture(scope="session")
def make():
    """Return the function that makes a world with settings and plugins of its own."""
    return World


@pytest.fixture
def world():
    return World()


@pytest.fixture(scope="session", name="sent")
def sent_fixture():
    """Return the function that reads the query of a redirect to the client."""
    return sent


@pytest.fixture(scope="session", name="pkce")
def pkce_fixture():
    """Return the function that makes a code_verifier and its challenge."""
    return pkce


@pytest.fixture(scope="session")
def refused():
    """Return the function that checks an error of a machine endpoint and returns its code."""

    def error_of(response, status=400):
        assert response.status_code == status, response.text
        assert response.mimetype == "application/json"
        assert response.headers["Cache-Control"] == "no-store"
        assert ("WWW-Authenticate" in response.headers) == (status == 401)
        return response.json["error"]

    return error_of
