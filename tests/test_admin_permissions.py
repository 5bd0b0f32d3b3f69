"""What an administrator may see and do is denied one by one: no page, no link, no button, no POST."""

import re
from pathlib import Path

import pytest
from support.browser import forms_of
from test_manual import run

from portula import Plugin
from portula.errors import AccessDeniedError, StorageDown
from portula.plugin import AccessToken, Application, Authorization, Plan
from portula_admin.hooks import AdminHooks
from portula_dcr.initial_access import InitialAccessTokens
from portula_testing import jws
from portula_testing.provider import make_provider

PASSWORD = "a long password of hers"
ADMIN = "/o/admin"
ROOMS = (
    *("admin", "accounts", "sessions", "consent", "oauth2", "oidc", "generators"),
    *("scopes_settings", "jose", "fetch", "dcr"),
)


class Rules(Plugin, AdminHooks):
    """Denies what is in `denied`, pairs of kind and action, and keeps what it was asked."""

    def __init__(self):
        self.denied = set()
        self.requests = []

    def portula_validate_admin_request(self, request):
        self.requests.append(request)
        if not self.denied.isdisjoint({(request.kind, request.action), (request.kind, "*")}):
            raise AccessDeniedError("Not you.")


class Site:
    """A provider with an administrator at a browser, and one record of each kind."""

    def __init__(self, *plugins):
        self.rules = Rules()
        settings = {"OIDC_ISS_ENDPOINT": "http://localhost/o", "PASSWORD_HASH_PROFILE": "testing"}
        self.provider = make_provider(*ROOMS, self.rules, *plugins, settings=settings)
        users = self.provider.hooks.ask(Plugin.portula_login).users
        with self.provider.app.app_context():
            users.create("root", PASSWORD, is_admin=True)
            self.ann = users.create("ann", PASSWORD)
            self._furnish()
        self.http = self.provider.app.test_client()
        (form,) = forms_of(self.http.get("/accounts/login/").text)
        fields = {**form.fields, "username": "root", "password": PASSWORD}
        assert self.http.post("/accounts/login/", data=fields).status_code == 302

    def _furnish(self):
        self.provider.clients.create(
            Application(client_id="tea", grant_types=("client_credentials",), name="Tea")
        )
        ask, plan, now = self.provider.hooks.ask, Plan(), self.provider.now()
        ask(Plugin.portula_consent).memory.join(self.ann.sub, Application(client_id="tea"), ["read"], plan)
        hers = {"client_id": "tea", "subject": self.ann.sub, "scope": "read", "issued_at": now}
        plan.add(Authorization(id="f1", **hers))
        plan.add(AccessToken(digest="t" * 40, authorization="f1", expires_at=now + 600, **hers))
        self.provider.storage.apply(plan)
        token = ask(Plugin.portula_jose).sign({}, typ="JWT")
        with self.provider.app.test_request_context():
            sid = ask(Plugin.portula_sessions).start(self.ann.sub, "ann", ["pwd"]).sid
        InitialAccessTokens(self.provider).create("partner", max_uses=1, expires_in=600)
        self.records = {
            "users": self.ann.sub,
            "sessions": f"{sid}:{self.ann.sub}",
            "consents": f"tea {self.ann.sub}",
            "authorizations": "f1",
            "keys": jws.taken_apart(token)[0]["kid"],
            "initial-access-tokens": "partner",
            "application": "tea",
            "access-token": "t" * 12,
        }

    def get(self, path, expected=200, **query):
        page = self.http.get(f"{ADMIN}{path}", query_string=query or None)
        assert page.status_code == expected, page.text.partition("<main")[2][:500]
        return page.text

    def path(self, kind, rest=""):
        return f"/{kind}/{rest}" if kind in ("application", "access-token") else f"/manage/{kind}/{rest}"

    def view(self, kind, expected=200):
        return self.get(self.path(kind, "view/"), expected, id=self.records[kind])

    def post(self, kind, action, fields):
        record = self.records[kind]
        picked = {f"pick-{record}": "on"} if "manage" not in self.path(kind) else {"id": record}
        data = {**picked, **fields, "action": action, "confirmed": "yes"}
        return self.http.post(f"{ADMIN}{self.path(kind, 'action/')}", data=data)

    def token_of(self, page):
        """Return the token of the form with which something is done to a record."""
        (form,) = [form for form in forms_of(page) if form.action.endswith("/action/")]
        return {"csrf_token": form.fields["csrf_token"]}


@pytest.fixture(scope="module")
def shared():
    return Site()


@pytest.fixture
def site(shared):
    """A site to which nothing happens in the end."""
    yield shared
    shared.rules.denied = set()


ACTIONS = {
    ("users", "link"): "link",
    ("users", "disable"): "disable",
    ("users", "remove"): "remove",
    ("sessions", "end"): "end",
    ("consents", "remove"): "remove",
    ("authorizations", "revoke"): "revoke",
    ("keys", "rotate"): "rotate",
    ("initial-access-tokens", "end"): "end",
    ("application", "change"): "disable_selected",
    ("access-token", "revoke"): "revoke_selected",
}
"""What may be denied, and the button of it."""
KINDS = sorted({kind for kind, _ in ACTIONS})
OF_PERSON = ("sessions", "consents", "authorizations")


def state(site):
    """Return all that the actions could change."""
    storage, ask = site.provider.storage, site.provider.hooks.ask
    denied, site.rules.denied = site.rules.denied, set()
    keys = site.get("/manage/keys/")
    site.rules.denied = denied
    return (
        ask(Plugin.portula_login).users.find(site.ann.sub),
        [seen.session.sid for seen in ask(Plugin.portula_sessions).live_sessions(site.ann.sub)],
        ask(Plugin.portula_consent).memory.all(site.ann.sub),
        storage.find(Authorization, id="f1"),
        keys.partition("<table")[2],
        InitialAccessTokens(site.provider).all(),
        storage.find(Application, client_id="tea"),
        storage.find(AccessToken, digest="t" * 40),
    )


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_denied_by_default(site, kind):
    page = site.view(kind)
    for of, button in [(of, button) for (of, _), button in ACTIONS.items() if of == kind]:
        assert f'name="action" value="{button}"' in page
        site.view(of)


@pytest.mark.parametrize(("denied", "button"), ACTIONS.items(), ids=str)
def test_an_action_that_is_denied_has_no_button_and_does_nothing(denied, button):
    site, kind = Site(), denied[0]
    token = site.token_of(site.view(kind))
    site.rules.denied = {denied}
    page = site.view(kind)
    assert f'name="action" value="{button}"' not in page
    others = {other for (of, other), each in ACTIONS.items() if of == kind and each != button}
    assert all(f'name="action" value="{ACTIONS[kind, other]}"' in page for other in others)
    before = state(site)
    answer = site.post(kind, button, token)
    assert answer.status_code == 403
    assert "You may not do this" in answer.text
    assert state(site) == before
    site.rules.denied = set()
    assert site.post(kind, button, token).status_code in (200, 303)
    assert state(site) != before or button == "link"


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_that_is_denied_has_no_page_no_link_and_no_action(site, kind):
    token = site.token_of(site.view(kind))
    site.rules.denied = {(kind, "view")}
    site.view(kind, 403)
    of_whom = {"subject": site.ann.sub} if kind in OF_PERSON else {}
    site.get(site.path(kind), 403, **of_whom)
    site.get(site.path(kind, "view/"), 403, id="nobody has this")  # nor is said what there is not
    pages = [site.get("/"), *(site.view(other) for other in KINDS if other != kind)]
    for page in pages:
        assert f'"{ADMIN}{site.path(kind)}' not in page
    before = state(site)
    for of, button in [(of, button) for (of, _), button in ACTIONS.items() if of == kind]:
        assert site.post(of, button, token).status_code == 403
    assert state(site) == before


@pytest.mark.parametrize(
    ("kind", "action", "path"),
    [
        ("users", "add", "/manage/users/edit/"),
        ("users", "change", "/manage/users/edit/?id={users}"),
        ("initial-access-tokens", "add", "/manage/initial-access-tokens/edit/"),
        ("application", "add", "/application/add/"),
        ("application", "change", "/application/edit/?id=tea"),
        ("application", "change", "/application/secret/?id=tea"),
    ],
)
def test_a_form_that_is_denied_is_not_offered_not_shown_and_not_saved(site, kind, action, path):
    path = path.format_map(site.records)
    site.rules.denied = {(kind, action)}
    page = site.view(kind) if action == "change" else site.get(site.path(kind))
    assert f'href="{ADMIN}{path}"' not in page
    assert "secret/" not in page
    if "secret" not in path:
        site.get(path, 403)
    before = state(site)
    fields = {"username": "new", "name": "new", "uses": "1", "days": "1", "claims": "{}"}
    assert site.http.post(f"{ADMIN}{path}", data=fields).status_code == 403
    assert state(site) == before


def test_the_page_about_the_provider_is_denied_too(site):
    assert f'href="{ADMIN}/system/"' in site.get("/")
    site.rules.denied = {("system", "view")}
    site.get("/system/", 403)
    assert f"{ADMIN}/system/" not in site.get("/")


def test_the_manual_names_every_kind(site):
    text = (Path(__file__).parents[1] / "docs" / "rooms" / "admin.md").read_text()
    table = text.partition("| kind | what may be denied |")[2].partition("\n\n")[0]
    named = set(re.findall("`([a-z-]+)`", " ".join(row.split("|")[1] for row in table.splitlines()[2:])))
    links = re.findall(rf'class="door" href="{ADMIN}/(?:manage/)?([a-z-]+)/"', site.get("/"))
    assert named == {*links, *OF_PERSON}


def test_who_enters_is_asked_before_and_a_rule_lets_nobody_in(site):
    site.rules.denied = {("nothing", "at all")}
    assert site.provider.app.test_client().get(f"{ADMIN}/manage/users/").status_code == 303


def test_a_rule_is_told_who_asks_for_what(site):
    site.rules.requests.clear()
    site.view("users")
    asked = {(request.kind, request.action) for request in site.rules.requests if request.record is not None}
    assert asked == {("users", each) for each in ("view", "change", "link", "disable", "remove")}
    assert {request.person.username for request in site.rules.requests} == {"root"}
    (record,) = [each.record for each in site.rules.requests if each.record and each.action == "link"]
    assert record["sub"] == site.ann.sub
    assert not re.search("password|hash", " ".join(record))


def test_the_support_of_the_manual_makes_no_link_for_an_administrator():
    """Who sets the password of one signs in as that one, whatever they may not do themselves."""
    site = Site(run("docs/rooms/admin.md", "Support")())
    users = site.provider.hooks.ask(Plugin.portula_login).users
    token = site.token_of(site.view("users"))
    assert "set-password" in site.post("users", "link", token).text
    users.promote(site.ann)
    page = site.view("users")
    assert "set a password" not in page
    assert not [form for form in forms_of(page) if form.action.endswith("/action/")]
    answer = site.post("users", "link", token)
    assert answer.status_code == 403
    assert "set-password" not in answer.text


class Fails(Plugin, AdminHooks):
    """A rule that breaks, or allows everything."""

    def __init__(self, error=None):
        self.error = error

    def portula_validate_admin_request(self, request):
        if self.error is not None and request.kind == "users":
            raise self.error


def test_denial_wins_over_a_rule_that_allows():
    site = Site(Fails())
    site.rules.denied = {("users", "*")}
    site.view("users", 403)


def test_a_rule_that_fails_denies():
    site = Site(Fails(RuntimeError("out of order")))
    site.view("users", 403)
    site.view("keys")


def test_a_rule_whose_storage_is_down_is_no_denial():
    site = Site(Fails(StorageDown("It is down")))
    assert "Not available just now" in site.view("users", 503)
