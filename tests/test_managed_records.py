"""The admin's pages of users, sessions, consents, authorizations, keys and initial access tokens."""

import re
from typing import ClassVar
from urllib.parse import parse_qs, urlsplit

import pytest
from support.browser import forms_of

from portula import Plugin
from portula.plugin import AdminRecords, Application, Authorization, Plan
from portula_dcr.initial_access import InitialAccessTokens
from portula_testing import jws
from portula_testing.provider import make_provider

PASSWORD = "a long password of hers"
MANAGE = "/o/admin/manage"
ROOMS = (
    *("admin", "accounts", "sessions", "consent", "oauth2", "oidc", "generators"),
    *("scopes_settings", "jose", "fetch", "dcr"),
)


class Site:
    """A provider with an administrator at a browser, and Ann."""

    def __init__(self, *plugins):
        settings = {
            "OIDC_ISS_ENDPOINT": "http://localhost/o",
            "PASSWORD_HASH_PROFILE": "testing",
        }
        self.provider = make_provider(*ROOMS, *plugins, settings=settings)
        self.app = self.provider.app
        self.users = self.provider.hooks.ask(Plugin.portula_login).users
        with self.app.app_context():
            self.users.create("root", PASSWORD, is_admin=True)
            self.ann = self.users.create("ann", PASSWORD, email="ann@example.com")
        self.http = self.app.test_client()

    def sign_in(self, client, username, password=PASSWORD):
        (form,) = forms_of(client.get("/accounts/login/").text)
        return client.post(
            "/accounts/login/", data={**form.fields, "username": username, "password": password}
        )

    def get(self, path, expected=200, **query):
        page = self.http.get(f"{MANAGE}{path}", query_string=query or None)
        assert page.status_code == expected, page.text[:500]
        return page

    def act(self, slug, identifier, action):
        """Do something to a record as somebody who confirms would; return the page behind it."""
        page = self.get(f"/{slug}/view/", id=identifier)
        form = next(form for form in forms_of(page.text) if form.action.endswith("/action/"))
        asked = self.http.post(form.action, data={**form.fields, "action": action})
        assert asked.status_code == 200
        (form,) = forms_of(asked.text)
        answer = self.http.post(form.action, data={**form.fields, "action": action})
        return self.follow(answer)

    def follow(self, answer):
        return self.http.get(answer.headers["Location"]) if answer.status_code == 303 else answer

    def save(self, slug, identifier=None, **fields):
        query = {"id": identifier} if identifier else None
        path = f"{MANAGE}/{slug}/edit/"
        page = self.http.get(path, query_string=query)
        (form,) = forms_of(page.text)
        token = {"csrf_token": form.fields["csrf_token"]}
        return self.follow(self.http.post(path, query_string=query, data={**token, **fields}))

    def find(self):
        return self.users.find(self.ann.sub)


@pytest.fixture
def site():
    made = Site()
    made.sign_in(made.http, "root")
    return made


@pytest.fixture
def connected(site):
    """Ann is signed in elsewhere, and has connected an app."""
    plan = Plan()
    consent = site.provider.hooks.ask(Plugin.portula_consent)
    consent.memory.join(site.ann.sub, Application(client_id="tea"), ["openid"], plan)
    plan.add(Authorization(id="f1", client_id="tea", subject=site.ann.sub, scope="openid", issued_at=1))
    site.provider.storage.apply(plan)
    site.hers = site.app.test_client()
    site.sign_in(site.hers, "ann")
    return site


def secret_of(page):
    return re.search(r'id="secret">([^<]+)<', page.text)[1]


@pytest.mark.parametrize("who", ["ann", None])
@pytest.mark.parametrize("path", ["/users/", "/users/view/?id=x", "/users/edit/", "/keys/"])
def test_nobody_but_administrators_enters(site, who, path):
    client = site.app.test_client()
    if who:
        site.sign_in(client, who)
    assert client.get(f"{MANAGE}{path}").status_code == (403 if who else 303)


def test_users_are_listed_found_and_shown(site):
    page = site.get("/users/")
    assert "ann@example.com" in page.text
    found = site.get("/users/", 303, q="ANN")
    assert parse_qs(urlsplit(found.headers["Location"]).query) == {"id": [site.ann.sub]}
    assert "There is no user" in site.get("/users/", q="nobody").text
    shown = site.get("/users/view/", id=site.ann.sub)
    assert "ann@example.com" in shown.text
    assert site.ann.password_hash not in shown.text


def test_a_long_list_has_pages(site):
    with site.app.app_context():
        for number in range(30):
            site.users.create(f"user{number:02}", PASSWORD)
    first = site.get("/users/")
    assert ("user22" in first.text, "user23" in first.text) == (True, False)
    (after,) = re.findall(r'after=([0-9a-f]{32})" rel="next"', first.text)
    assert "user23" in site.get("/users/", after=after).text


def test_a_user_is_disabled_and_enabled(connected):
    assert "ann was disabled" in connected.act("users", connected.ann.sub, "disable").text
    assert connected.find().disabled
    assert connected.hers.get("/accounts/").status_code == 302
    assert connected.provider.storage.find(Authorization, id="f1").revoked_at is not None
    assert "ann was enabled" in connected.act("users", connected.ann.sub, "enable").text
    assert not connected.find().disabled


def test_a_user_is_removed(site):
    assert "ann was removed" in site.act("users", site.ann.sub, "remove").text
    assert site.find() is None
    assert site.get("/users/view/", 404, id=site.ann.sub)


def test_nothing_happens_before_it_was_confirmed(site):
    page = site.get("/users/view/", id=site.ann.sub)
    form = next(form for form in forms_of(page.text) if form.action.endswith("/action/"))
    assert site.http.post(form.action, data={**form.fields, "action": "remove"}).status_code == 200
    assert site.find() is not None
    forged = {**form.fields, "csrf_token": "x", "action": "remove", "confirmed": "yes"}
    assert site.http.post(form.action, data=forged).status_code == 400
    assert site.find() is not None
    assert site.http.post(form.action, data={**form.fields, "action": "promote"}).status_code == 404


def test_a_link_is_shown_once_and_sets_a_password(site):
    link = secret_of(site.act("users", site.ann.sub, "link"))
    browser = site.app.test_client()
    (form,) = forms_of(browser.get(link.removeprefix("http://localhost")).text)
    new = {"new": "a wholly new phrase", "again": "a wholly new phrase"}
    assert browser.post("/accounts/set-password/", data={**form.fields, **new}).status_code == 200
    assert site.sign_in(site.app.test_client(), "ann", "a wholly new phrase").status_code == 302


def test_a_form_that_was_opened_before_brings_nothing_back(site):
    """Who was an administrator when it was opened, and is none any more, does not become one by another's change."""
    site.users.update(site.find(), is_admin=True)
    path = f"{MANAGE}/users/edit/?id={site.ann.sub}"
    (opened,) = forms_of(site.http.get(path).text)
    site.users.update(site.find(), is_admin=False)
    page = site.http.post(path, data={**opened.fields, "is_admin": "y", "email": "new@example.com"})
    assert page.status_code == 400
    assert "Somebody else changed this" in page.text
    assert (site.find().is_admin, site.find().email) == (False, "ann@example.com")
    (again,) = forms_of(page.text)
    assert again.fields["email"] == "new@example.com"
    site.users.disable(site.find())  # the form says nothing of that
    site.http.post(path, data={name: value for name, value in again.fields.items() if name != "is_admin"})
    assert (site.find().is_admin, site.find().email) == (False, "new@example.com")


def test_a_user_is_made_with_a_link_and_edited(site):
    page = site.save("users", username="Bob", email="bob@example.com", claims='{"locale": "de"}')
    assert secret_of(page).startswith("http://localhost/accounts/set-password/?token=")
    bob = site.users.find_by_name("bob")
    assert (bob.email, bob.is_admin, bob.claims) == ("bob@example.com", False, {"locale": "de"})
    fields = {"username": "Bobby", "email": "", "is_admin": "y", "claims": '{"zoneinfo": "UTC"}'}
    assert "changes were saved" in site.save("users", bob.sub, **fields).text
    bob = site.users.find(bob.sub)
    assert (bob.display_username, bob.email, bob.is_admin) == ("Bobby", None, True)
    assert bob.claims == {"zoneinfo": "UTC"}


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"username": ""}, "required"),
        ({"username": "root"}, "already"),
        ({"email": "nobody"}, "no e-mail address"),
        ({"claims": "[1]"}, "no JSON object"),
        ({"claims": '{"sub": "1"}'}, "&#39;sub&#39;"),
    ],
)
def test_what_cannot_be_saved_is_said(site, fields, told):
    page = site.save("users", site.ann.sub, **{"username": "ann", "claims": "{}", **fields})
    assert (page.status_code, told in page.text) == (400, True), page.text
    assert site.find() == site.ann


def test_the_page_of_a_person_lists_what_is_theirs(connected):
    page = connected.get("/users/view/", id=connected.ann.sub)
    for heading in ("Sessions", "Connected apps", "Authorizations"):
        assert f"<h2>{heading}</h2>" in page.text
    assert "f1" in page.text
    assert connected.get("/sessions/", 404)


def test_what_is_a_persons_ends_there(connected):
    storage, subject = connected.provider.storage, connected.ann.sub
    sessions = connected.provider.hooks.ask(Plugin.portula_sessions)
    sid = sessions.live_sessions(subject)[0].session.sid
    page = connected.act("sessions", f"{sid}:{subject}", "end")
    assert "was ended" in page.text
    assert "<h2>Sessions</h2>" in page.text
    assert sessions.live_sessions(subject) == []
    assert "was revoked" in connected.act("authorizations", "f1", "revoke").text
    assert storage.find(Authorization, id="f1").revoked_at is not None
    assert "was disconnected" in connected.act("consents", f"tea {subject}", "remove").text
    consent = connected.provider.hooks.ask(Plugin.portula_consent)
    assert consent.memory.all(subject) == []
    for slug, identifier in (("sessions", f"{sid}:{subject}"), ("consents", f"tea {subject}")):
        assert connected.get(f"/{slug}/view/", 404, id=identifier)


def test_keys_are_listed_and_followed_by_others(site):
    token = site.provider.hooks.ask(Plugin.portula_jose).sign({}, typ="JWT")
    kid = jws.taken_apart(token)[0]["kid"]
    assert kid in site.get("/keys/").text
    page = site.act("keys", kid, "rotate")
    assert "next key was made" in page.text
    assert "next" in site.get("/keys/").text
    assert "New signing key" not in page.text


def test_initial_access_tokens_are_made_and_ended(site):
    page = site.save("initial-access-tokens", name="partner", uses="2", days="")
    value = secret_of(page)
    shown = site.get("/initial-access-tokens/view/", id="partner")
    (token,) = InitialAccessTokens(site.provider).all()
    assert (token.max_uses, token.expires_at) == (2, None)
    assert value not in shown.text
    assert "already" in site.save("initial-access-tokens", name="partner", uses="1", days="1").text
    assert site.save("initial-access-tokens", name="x", uses="0", days="1").status_code == 400
    assert "was ended" in site.act("initial-access-tokens", "partner", "end").text
    assert (
        "partner" not in site.get("/initial-access-tokens/").text.partition("<main")[2].partition("<table")[2]
    )


class TeaRecords(AdminRecords):
    """Records of a plugin, which can be looked at only."""

    slug, title, title_plural = "tea", "Tea", "Teas"
    columns: ClassVar = {"name": "Name"}

    def page(self, *, limit, after=None, subject=None):
        return [self.find("oolong")]

    def find(self, identifier):
        return {"id": "oolong", "name": "<Oolong>", "leaves": 3} if identifier == "oolong" else None


class Teahouse(Plugin):
    def portula_admin_records(self, provider):
        return [TeaRecords()]


def test_a_plugin_contributes_a_kind_of_its_own():
    site = Site(Teahouse())
    site.sign_in(site.http, "root")
    assert 'href="/o/admin/manage/tea/"' in site.http.get("/o/admin/").text
    assert "&lt;Oolong&gt;" in site.get("/tea/").text
    page = site.get("/tea/view/", id="oolong")
    assert "Leaves" in page.text
    assert "/action/" not in page.text
    assert site.get("/tea/edit/", 404)
    assert site.get("/tea/edit/", 404, id="oolong")
