"""Drives a provider as browsers and client programs do: over HTTP, forms filled in by what stands on the page."""

import base64
import hashlib
import secrets
from dataclasses import dataclass
from urllib.parse import parse_qs, quote_plus, urljoin, urlsplit

from support.browser import forms_of
from werkzeug.test import Client
from werkzeug.urls import iri_to_uri

from portula import hookimpl
from portula_testing.memory import MemoryStore

ISSUER = "https://id.example/o"
HOST = "https://id.example"
CALLBACK = "https://client.example/cb"
PASSWORD = "a long password of hers"


class Clock:
    """The clock slot, for tests that cannot wait."""

    def __init__(self):
        self.time = 1_700_000_000

    def forward(self, seconds):
        self.time += seconds

    @hookimpl
    def portula_clock(self, provider):
        return lambda: self.time


class StrictStore(MemoryStore):
    """A store in memory that refuses in conditions what no SQL server takes as text."""

    def _check_known(self, cls, names):
        super()._check_known(cls, names)
        for condition in names.values():
            for text in condition if isinstance(condition, tuple) else (condition,):
                if isinstance(text, str):
                    assert "\0" not in text
                    text.encode()


class Memory:
    """The store that a house keeps its records in."""

    def __init__(self):
        self.stores = []

    def make(self, records):
        self.stores.append(StrictStore(records))
        return self.stores[-1]

    @hookimpl
    def portula_stores(self, provider):
        return {"memory": self.make}


def basic(client_id, secret):
    """Return the headers of client_secret_basic (RFC 6749 §2.3.1)."""
    pair = f"{quote_plus(client_id)}:{quote_plus(secret)}".encode()
    return {"Authorization": "Basic " + base64.b64encode(pair).decode()}


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def s256(verifier):
    """Return the code_challenge of a code_verifier (RFC 7636 §4.2)."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def pkce():
    """Return a code_verifier and its code_challenge."""
    verifier = secrets.token_urlsafe(48)
    return verifier, s256(verifier)


@dataclass(frozen=True)
class Party:
    """A registered client with what it knows about itself."""

    client_id: str
    secret: str | None = None
    redirect_uri: str = CALLBACK

    @property
    def auth(self):
        return basic(self.client_id, self.secret) if self.secret else {}

    @property
    def body(self):
        return {} if self.secret else {"client_id": self.client_id}


class Browser:
    """A browser of somebody: cookies, pages, forms. One that is given cookies sends these and keeps no others."""

    def __init__(self, app, host=HOST, cookies=None):
        self.http = app.test_client(use_cookies=cookies is None)
        self.host = host
        self.headers = {} if cookies is None else {"Cookie": cookies}
        self.seen = []

    @property
    def cookies(self):
        """All that was set, as a header sends it back."""
        given = [cookie for page in self.seen for cookie in page.headers.getlist("Set-Cookie")]
        return "; ".join(cookie.partition(";")[0] for cookie in given)

    def get(self, path, **keywords):
        return self._kept(self.http.get(path, base_url=self.host, headers=self.headers, **keywords))

    def post(self, path, data=None, **keywords):
        given = {"base_url": self.host, "headers": self.headers, **keywords}
        return self._kept(self.http.post(path, data=data, **given))

    def _kept(self, response):
        self.seen.append(response)
        return response

    def submit(self, response, button, **typed):
        """Press a button of the first form on a page."""
        form = forms_of(response.text)[0]
        name, value = form.buttons[button]
        pressed = {name: value} if name else {}
        action = urljoin(iri_to_uri(response.request.url), form.action).removeprefix(self.host)
        return self.post(action, {**form.fields, **typed, **pressed})

    def sign_in(self, username="ann", password=PASSWORD):
        """Sign in at the login page and return what came of it."""
        return self.submit(self.get("/accounts/login/"), "login-submit", username=username, password=password)

    def ask(self, party, **parameters):
        """Send an authorization request; a parameter that is None is left out."""
        asked = {
            "response_type": "code",
            "client_id": party.client_id,
            "redirect_uri": party.redirect_uri,
            "scope": "read",
            "state": "the state",
            **parameters,
        }
        given = {name: value for name, value in asked.items() if value is not None}
        return self.get("/o/authorize/", query_string=given)

    def consent_page(self, party, username="ann", **parameters):
        """Go as far as the consent page, signing in on the way where that is asked."""
        parameters.setdefault("code_challenge", pkce()[1])
        parameters.setdefault("code_challenge_method", "S256")
        response = self.ask(party, **parameters)
        if response.status_code == 302 and response.location.startswith("/accounts/login/"):
            page = self.get(response.location)
            response = self.submit(page, "login-submit", username=username, password=PASSWORD)
            response = self.get(response.location)
        return response

    def authorize(self, party, answer="consent-allow", **parameters):
        """Go the whole way and return the response that leads back to the client."""
        response = self.consent_page(party, **parameters)
        return self.submit(response, answer) if response.status_code == 200 else response

    def code(self, party, **parameters):
        """Return a fresh code and the verifier that goes with it."""
        verifier, challenge = pkce()
        parameters = {"code_challenge": challenge, "code_challenge_method": "S256", **parameters}
        response = self.authorize(party, **parameters)
        return answered(response)["code"], verifier


def answered(response):
    """Return the parameters of an authorization response in the query or the fragment of its Location."""
    assert response.status_code == 302, response.text
    parts = urlsplit(response.location)
    query = parts.query or parts.fragment
    return {name: values[0] for name, values in parse_qs(query, keep_blank_values=True).items()}


class Door:
    """The machine endpoints, behind Flask or ahead of it."""

    def __init__(self, application, host=HOST):
        self.http = Client(application)
        self.host = host

    def open(self, path, **keywords):
        return self.http.open(path, **{"base_url": self.host, **keywords})

    def post(self, path, data=None, headers=None, **keywords):
        return self.open(path, method="POST", data=data, headers=headers, **keywords)

    def token(self, party=None, headers=None, **parameters):
        if party is not None:
            parameters = {**party.body, **parameters}
            headers = party.auth if headers is None else headers
        given = {name: value for name, value in parameters.items() if value is not None}
        return self.post("/o/token/", given, headers)

    def redeem(self, party, code, verifier, **parameters):
        """Redeem a code."""
        asked = {"redirect_uri": party.redirect_uri, "code_verifier": verifier, **parameters}
        return self.token(party, grant_type="authorization_code", code=code, **asked)

    def refresh(self, party, refresh_token, **parameters):
        return self.token(party, grant_type="refresh_token", refresh_token=refresh_token, **parameters)

    def revoke(self, party, token, **parameters):
        return self.post("/o/revoke_token/", {**party.body, "token": token, **parameters}, party.auth)

    def introspect(self, party, token):
        return self.post("/o/introspect/", {"token": token}, party.auth)

    def is_active(self, party, token):
        """Say whether a token is active, by introspection."""
        response = self.introspect(party, token)
        assert response.status_code == 200, response.text
        return response.json["active"]

    def resource(self, token):
        """Visit a view that needs the scope `read`."""
        return self.open("/resource", headers=bearer(token))


def error_of(response, status=400):
    """Return the error of a machine endpoint, whose status must be the one given."""
    assert response.status_code == status, response.text
    assert response.mimetype == "application/json"
    assert response.headers["Cache-Control"] == "no-store"
    return response.json["error"]
