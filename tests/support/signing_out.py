"""A provider from which people sign out, its apps, and their browsers."""

import hashlib
import json
import threading
from base64 import urlsafe_b64decode, urlsafe_b64encode

from click.testing import CliRunner
from flask import request

import portula_generators
import portula_logout
import portula_scopes_settings
import portula_sessions
from portula import Plugin, hookimpl
from portula.errors import FetchFailed, JoseError, UntrustedToken
from portula.plugin import (
    Application,
    Artifact,
    AuthenticatedUser,
    AuthorizationGranted,
    FetchResponse,
    Jwt,
    Login,
    Plan,
    User,
)
from portula.plugin import (
    Fetcher as BaseFetcher,
)
from portula.plugin import Jose as BaseJose
from portula_testing.provider import Memory, MovableClock, Recorder, make_provider
from portula_testing.writing import change_in, remove_from
from support.browser import forms_of
from support.fitting import stubbed

NOW = 1_700_000_000
ISSUER = "https://id.example/o"
HOME = "https://id.example"
BYE = "https://tea.example/bye"
TEA = "https://tea.example/out"
SHOP = "https://shop.example/out"
ON = {"OIDC_RP_INITIATED_LOGOUT_ENABLED": True}


class Jose(stubbed(BaseJose)):
    """Tokens that are signed by the name of a key. Two keys are published, one of them signs no more."""

    configured = True
    refuses = ""
    """A client for whom nothing is signed."""

    def __init__(self):
        self.signed = []

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
        return Jwt(header, claims)

    def verify_own(self, token, *, typ, client=None):
        read = self.read(token)
        signed, _, signature = token.rpartition(".")
        own = ["current", "inactive", *([client.client_id] if client else [])]
        if signature not in [_signature(signed, key) for key in own] or read.header["typ"] not in typ:
            raise UntrustedToken("not ours")
        return read

    def sign(self, claims, *, typ, algorithm="RS256", client=None):
        if client and client.client_id == self.refuses:
            raise JoseError("its secret cannot be read")
        self.signed.append((algorithm, typ))
        return self.make(claims, typ)


class Fetcher(BaseFetcher):
    """Servers of apps: they take what is posted, unless `answers` has a status, an error or a function for one."""

    def __init__(self):
        self.posts, self.headers = [], []
        self.answers = {}
        self.arrived = threading.Condition()

    @hookimpl
    def portula_fetcher(self, provider):
        return self

    def post(self, url, body, *, headers=None, max_bytes=65536):
        answer = self.answers.get(url, 200)
        if callable(answer):
            answer = answer()
        with self.arrived:
            self.posts.append((url, body if isinstance(body, bytes) else dict(body)))
            self.headers.append(dict(headers or {}))
            self.arrived.notify_all()
        if answer is None:
            raise FetchFailed("it could not be reached")
        if answer >= 300:
            raise FetchFailed(f"it answered {answer}", answer)
        return FetchResponse(answer, "", b"")

    def get(self, url, *, accept, max_bytes=65536):
        raise FetchFailed("nothing is asked")

    def wait_for(self, count):
        """Wait until so many posts arrived; return them."""
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.posts) >= count, timeout=20)
            return list(self.posts)


def _signature(signed, key):
    return hashlib.sha256(f"{key} {signed}".encode()).hexdigest() if key else ""


class SessionLogin(Login):
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
        session = self.provider.hooks.ask(Plugin.portula_sessions).current()
        if session is None:
            return None
        return AuthenticatedUser(
            session.subject,
            session.username,
            session.auth_time,
            sid=session.sid,
            authentication=session.authentication,
        )

    def sign_out(self):
        self.provider.hooks.ask(Plugin.portula_sessions).end()

    def sign_out_with(self, storage, plan):
        return self.provider.hooks.ask(Plugin.portula_sessions).end(plan)

    def login_url(self, next_url, client=None):
        return "/login"

    def find(self, subject):
        return User(subject, subject.title())

    def authenticate(self, username, password, client_address):
        return None


class House:
    """A provider with the room in it, two apps, and browsers."""

    def __init__(self, *plugins, memory=None, furnished=None, **settings):
        self.clock, self.heard, self.jose, self.fetcher = MovableClock(NOW), Recorder(), Jose(), Fetcher()
        self.known_as = None
        settings = {"OIDC_ISS_ENDPOINT": ISSUER, **ON, "DELIVERY_THREADS": 0, **settings}
        rooms = [portula_generators, portula_sessions, portula_scopes_settings, portula_logout]
        own = [SessionLogin(), self.heard, self.jose, self.fetcher, memory or Memory()]
        self.provider = make_provider(*rooms, *own, *plugins, settings=settings, clock=self.clock)
        self.app, self.storage = self.provider.app, self.provider.storage
        if memory is None if furnished is None else furnished:
            self.client("tea", post_logout_redirect_uris=(BYE, "https://tea.example/bye?shop=1"))
        self.app.add_url_rule("/in/<subject>", "in", self._sign_in)
        self.app.add_url_rule("/use/<client_id>", "use", self._use)
        self.app.add_url_rule("/who", "who", self._who)
        self.work = lambda: "nothing to do"
        self.app.add_url_rule("/work", "work", self._work)

    def client(self, client_id, **fields):
        given = {
            "client_id": client_id,
            "name": client_id.title(),
            "client_type": "public",
            "redirect_uris": (f"https://{client_id}.example/cb",),
            **fields,
        }
        return self.provider.clients.create(Application(**given))[0]

    def change(self, client_id, **values):
        change_in(self.storage, Application, {"client_id": client_id}, **values)

    def remove(self, client_id):
        remove_from(self.storage, Application, client_id=client_id)

    def artifacts(self, *kinds):
        return [kept for kept in self.storage.select(Artifact) if kept.kind in kinds]

    def _sign_in(self, subject):
        return self.provider.hooks.ask(Plugin.portula_sessions).start(subject, subject.title(), ["pwd"]).sid

    def _use(self, client_id):
        """Sign in to an app, as the authorization endpoint does."""
        session, scopes = (
            self.provider.hooks.ask(Plugin.portula_sessions).current(),
            (request.args.get("scope", "openid"),),
        )
        event = AuthorizationGranted(
            provider=self.provider,
            client_id=client_id,
            subject=session.subject,
            sid=session.sid,
            scopes=scopes,
            known_as=self.known_as or session.subject,
            at=self.provider.now(),
        )
        plan = Plan()
        plan.extend(self.provider.hooks.record(Plugin.portula_record_authorization, event))
        self.storage.apply(plan)
        return "granted"

    def _work(self):
        """Do what a test gave."""
        return self.work()

    def _who(self):
        session = self.provider.hooks.ask(Plugin.portula_sessions).current()
        return session.subject if session else "nobody"

    def browser(self, subject=None, *apps):
        """Return a browser; of somebody who is signed in here and to apps."""
        browser = Browser(self.app)
        if subject:
            browser.sid = browser.get(f"/in/{subject}").text
        for app in apps:
            browser.get(f"/use/{app}")
        return browser

    def hint(self, sid=None, key="current", typ="JWT", **claims):
        about = {"iss": ISSUER, "sub": "ada", "aud": "tea", "iat": NOW, "exp": NOW + 600}
        session = {} if sid is None else {"sid": self.sid_of(sid, claims.get("azp") or claims.get("aud"))}
        return self.jose.make({**about, **session, **claims}, typ, key)

    def sid_of(self, sid, client_id):
        """Return the identifier by which an app knows a session; without a name, the app `tea`."""
        return self.provider.validator.sid_for(sid, client_id if isinstance(client_id, str) else "tea")


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


def with_servers(house):
    """Let two apps have servers that want to hear, and a third none."""
    house.client("teapot", metadata={"backchannel_logout_uri": TEA})
    house.client("shop", metadata={"backchannel_logout_uri": SHOP})
    house.client("quiet")
    return house


def deliver(house, *arguments):
    """Run the command; return what it prints."""
    (group,) = [
        command
        for command in house.provider.hooks.collect(Plugin.portula_commands)
        if command.name == "logout"
    ]
    with house.app.app_context():
        result = CliRunner().invoke(group, ["deliver", "--json", *arguments], catch_exceptions=False)
    return json.loads(result.output)


def sign_out(browser):
    browser.press(browser.ask())


def heard(house):
    return sorted(url for url, _ in house.fetcher.posts)
