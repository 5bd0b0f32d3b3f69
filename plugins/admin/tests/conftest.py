from html.parser import HTMLParser
from types import SimpleNamespace

import pytest

from portula.plugin import AccessToken, Application, Authorization, Grant, RefreshToken, User
from portula_testing.provider import MovableClock, Recorder, TestLogin, make_provider
from portula_testing.writing import add_to

ROOMS = ("admin", "consent", "oauth2", "generators", "scopes_settings")
NOW = 1_700_000_000


class Forms(HTMLParser):
    """What each form of a page sends as it stands."""

    def __init__(self):
        super().__init__()
        self.forms = []
        self._area = self._select = None

    def handle_starttag(self, tag, attrs):
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append({})
        if not self.forms:
            return
        fields = self.forms[-1]
        if tag == "input" and given.get("name"):
            boxed = given.get("type") in ("checkbox", "radio")
            if not boxed or "checked" in given:
                fields[given["name"]] = given.get("value", "on" if boxed else "")
        elif tag == "textarea":
            self._area = given["name"]
            fields[self._area] = ""
        elif tag == "select":
            self._select = given["name"]
            fields[self._select] = ""
        elif tag == "option" and "selected" in given:
            fields[self._select] = given["value"]

    def handle_data(self, data):
        if self._area:
            self.forms[-1][self._area] += data

    def handle_endtag(self, tag):
        if tag == "textarea":
            self.forms[-1][self._area] = self.forms[-1][self._area].strip("\r\n")
            self._area = None


def forms_of(page):
    parser = Forms()
    parser.feed(page.text)
    return parser.forms


class Admin:
    """A provider with the admin, somebody signed in, and a browser."""

    def __init__(self, *plugins, signed_in=True, **settings):
        self.clock, self.heard = MovableClock(NOW), Recorder()
        self.login = TestLogin(User("ada", "Ada", is_admin=True), User("bob", "Bob"))
        self.provider = make_provider(
            *ROOMS, self.login, self.heard, *plugins, settings=settings, clock=self.clock
        )
        self.storage = self.provider.storage
        self.http = self.provider.app.test_client()
        if signed_in:
            self.login.sign_in_as("ada")

    forms = staticmethod(forms_of)

    def get(self, path, expected=200, /, **query):
        answer = self.http.get(f"/o/admin{path}", query_string=query or None)
        assert answer.status_code == expected
        return answer

    def post(self, path, data, expected=303, /):
        answer = self.http.post(f"/o/admin{path}", data=data)
        assert answer.status_code == expected, answer.text.partition("<main")[2][:900]
        return answer

    def token_field(self, path, form=-1):
        """Return the CSRF field of one of a page's forms."""
        return {"csrf_token": forms_of(self.get(path))[form]["csrf_token"]}

    def act(self, slug, name, *identifiers):
        """Do something to records as somebody who confirms would; return the page that says so."""
        picked = {f"pick-{identifier}": "on" for identifier in identifiers}
        asked = self.post(
            f"/{slug}/action/", {**self.token_field(f"/{slug}/"), **picked, "action": name}, 200
        )
        (form,) = forms_of(asked)
        done = self.post(f"/{slug}/action/", {**form, "action": name})
        return self.http.get(done.location)

    def client(self, client_id="app", **fields):
        given = {
            "name": "An app",
            "grant_types": ("authorization_code",),
            "redirect_uris": ("https://client.example/cb",),
        }
        made, secret = self.provider.clients.create(Application(client_id=client_id, **{**given, **fields}))
        self.heard.events.clear()
        return SimpleNamespace(record=made, id=made.client_id, secret=secret)

    def found(self, client_id="app"):
        return self.storage.find(Application, client_id=client_id)

    def access(self, name, **fields):
        """Keep an access token; its ID is its name, filled up."""
        given = {
            "client_id": "app",
            "scope": "read",
            "issued_at": NOW,
            "expires_at": NOW + 60,
            "authorization": fields.get("authorization", name),
            "subject": "bob",
        }
        self._authorize(given["authorization"])
        return self._keep(AccessToken, name, given, fields)

    def refresh(self, name, **fields):
        given = {"client_id": "app", "scope": "read", "issued_at": NOW, "subject": "bob"}
        under = fields.setdefault("authorization", digest_of(name))
        self._authorize(under, revoked_at=fields.pop("revoked_at", None))
        self._keep(RefreshToken, name, given, fields)
        return under[:12]

    def grant(self, name, **fields):
        given = {"client_id": "app", "scope": "read", "issued_at": NOW, "expires_at": NOW + 60}
        given = {**given, "authorization": fields.get("authorization", name), "subject": "bob"}
        self._authorize(given["authorization"])
        return self._keep(Grant, name, given, fields)

    def _authorize(self, name, **values):
        """Keep the authorization that a record is of, once."""
        if self.storage.find(Authorization, id=name) is None:
            given = {"client_id": "app", "subject": "bob", "scope": "read", "issued_at": NOW, **values}
            add_to(self.storage, Authorization(id=name, **given))

    def _keep(self, cls, name, given, fields):
        record = cls(digest=digest_of(name), **{**given, **fields})
        add_to(self.storage, record)
        return id_of(name)


def id_of(name):
    return name.ljust(12, "-")[:12]


def digest_of(name):
    return id_of(name) + "DIGEST" + "x" * 25


@pytest.fixture
def admin():
    return Admin()


@pytest.fixture
def make():
    return Admin
