"""A provider from which people sign out, its apps, and their browsers."""

import hashlib
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode

import portula_generators
import portula_logout
import portula_scopes_settings
import portula_sessions
from portula import hookimpl
from portula.errors import UntrustedToken
from portula.records import Application
from portula.slots import Authenticated, Token, User
from portula.testing.provider import Memory, MovableClock, Recorder, make_provider
from support.browser import forms_of

NOW = 1_700_000_000
ISSUER = "https://id.example/o"
HOME = "https://id.example"
BYE = "https://tea.example/bye"
ON = {"OIDC_RP_INITIATED_LOGOUT_ENABLED": True}


class Jose:
    """Tokens that are signed by the name of a key. Two keys are published, one of them signs no more."""

    configured = True

    @hookimpl
    def portula_jose(self, provider):
        return self

    def make(self, claims, typ="JWT", key="current"):
        parts = [json.dumps(part).encode() for part in ({"alg": "RS256", "typ": typ}, claims)]
        signed = ".".join(urlsafe_b64encode(part).decode() for part in parts)
        return f"{signed}.{_signature(signed, key)}"

    def read(self, token):
        try:
            header, claims = (json.loads(urlsafe_b64decode(part)) for part in token.split(".")[:2])
        except ValueError:
            raise UntrustedToken("no token") from None
        return Token(header, claims)

    def verify_own(self, token, *, typ, client=None):
        read = self.read(token)
        signed, _, signature = token.rpartition(".")
        own = ["current", "inactive", *([client.client_id] if client else [])]
        if signature not in [_signature(signed, key) for key in own] or read.header["typ"] not in typ:
            raise UntrustedToken("not ours")
        return read

    def sign(self, claims, *, typ, algorithm="RS256", client=None):
        return self.make(claims, typ)


def _signature(signed, key):
    return hashlib.sha256(f"{key} {signed}".encode()).hexdigest() if key else ""


class SessionLogin:
    """A login on the sessions of the provider."""

    def __init__(self):
        self.people = {}

    @hookimpl
    def portula_login(self, provider):
        self.provider = provider
        return self

    @hookimpl
    def portula_scopes(self, provider):
        return {"openid": "Know who you are"}

    def current(self):
        session = self.provider.hooks.sessions.current()
        if session is None:
            return None
        return Authenticated(
            session.subject,
            session.username,
            session.auth_time,
            sid=session.sid,
            authentication=session.authentication,
        )

    def sign_out(self):
        self.provider.hooks.sessions.end()

    def login_url(self, next_url, client=None):
        return "/login"

    def find(self, subject):
        return User(subject, subject.title())

    def authenticate(self, username, password, client_address):
        return None


class House:
    """A provider with the room in it, two apps, and browsers."""

    def __init__(self, *plugins, **settings):
        self.clock, self.heard, self.jose = MovableClock(NOW), Recorder(), Jose()
        settings = {"OIDC_ISS_ENDPOINT": ISSUER, **ON, **settings}
        rooms = [portula_generators, portula_sessions, portula_scopes_settings, portula_logout]
        own = [SessionLogin(), self.heard, self.jose, Memory()]
        self.provider = make_provider(*rooms, *own, *plugins, settings=settings, clock=self.clock)
        self.app, self.storage = self.provider.app, self.provider.storage
        self.tea = self.client("tea", post_logout_redirect_uris=(BYE, "https://tea.example/bye?shop=1"))
        self.app.add_url_rule("/in/<subject>", "in", self._sign_in)
        self.app.add_url_rule("/who", "who", self._who)

    def client(self, client_id, **fields):
        given = {
            "client_id": client_id,
            "name": client_id.title(),
            "client_type": "public",
            "redirect_uris": (f"https://{client_id}.example/cb",),
            **fields,
        }
        return self.provider.clients.create(Application(**given))[0]

    def _sign_in(self, subject):
        return self.provider.hooks.sessions.start(subject, subject.title(), ["pwd"]).sid

    def _who(self):
        session = self.provider.hooks.sessions.current()
        return session.subject if session else "nobody"

    def browser(self, subject=None):
        browser = Browser(self.app)
        if subject:
            browser.sid = browser.get(f"/in/{subject}").text
        return browser

    def hint(self, sid=None, key="current", typ="JWT", **claims):
        about = {"iss": ISSUER, "sub": "ada", "aud": "tea", "iat": NOW, "exp": NOW + 600}
        session = {} if sid is None else {"sid": sid}
        return self.jose.make({**about, **session, **claims}, typ, key)


class Browser:
    """Fills in forms as they come."""

    def __init__(self, app):
        self.client = app.test_client()
        self.sid = None

    def get(self, path, **kwargs):
        return self.client.get(path, base_url=HOME, **kwargs)

    def post(self, path, data, **kwargs):
        return self.client.post(path, base_url=HOME, data=data, **kwargs)

    def ask(self, **query):
        """Come from an app."""
        return self.get("/o/logout/", query_string=query)

    def press(self, page, button="logout-confirm", **changes):
        """Press a button of a page's form."""
        (form,) = forms_of(page.text)
        name, value = form.buttons[button]
        path = page.request.full_path if page.request.query_string else page.request.path
        return self.post(path, {**form.fields, name: value, **changes})

    @property
    def who(self):
        return self.get("/who").text
