"""Who enters, and from where."""

import re
from types import SimpleNamespace

import pytest

from portula import Plugin, hookimpl
from portula.plugin import User

PAGES = [
    "/",
    "/application/",
    "/application/add/",
    "/application/view/?id=app",
    "/application/edit/?id=app",
    "/access-token/",
    "/access-token/view/?id=token-------",
    "/refresh-token/",
    "/grant/",
    "/system/",
]
POSTS = [
    "/application/add/",
    "/application/edit/?id=app",
    "/application/secret/?id=app",
    "/application/action/",
    "/access-token/action/",
]
each_page = pytest.mark.parametrize("path", PAGES)
each_post = pytest.mark.parametrize("path", POSTS)


@pytest.fixture
def peopled(admin):
    admin.client()
    admin.access("token")
    return admin


@each_page
def test_nobody_is_sent_to_sign_in_and_comes_back(peopled, path):
    peopled.login.sign_out()
    answer = peopled.get(path, 303)
    assert answer.location.startswith("/login?next=%2Fo%2Fadmin")
    assert answer.headers["Cache-Control"] == "no-store"


@each_post
def test_nobody_s_form_is_not_read(peopled, path):
    peopled.login.sign_out()
    answer = peopled.post(path, {"name": "x"})
    assert answer.location == "/login?next=%2Fo%2Fadmin%2F"


@each_page
def test_who_is_no_administrator_is_refused(peopled, path):
    peopled.login.sign_in_as("bob")
    page = peopled.get(path, 403)
    assert "Bob" in page.text
    assert "An app" not in page.text


@each_post
def test_a_form_of_who_is_no_administrator_is_refused(peopled, path):
    peopled.login.sign_in_as("bob")
    peopled.post(path, {"name": "x"}, 403)
    assert peopled.found() == peopled.storage.find(type(peopled.found()), client_id="app")


@each_page
def test_an_administrator_enters_and_no_page_is_kept(peopled, path):
    page = peopled.get(path)
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["X-Frame-Options"] == "DENY"
    assert "script-src" not in page.headers["Content-Security-Policy"]
    assert "<script" not in page.text


@each_post
@pytest.mark.parametrize("token", [None, "", "x" * 43])
def test_a_form_without_its_token_does_nothing(peopled, path, token):
    before = peopled.found(), list(peopled.heard.events)
    fields = {"name": "New", "action": "disable_selected", "pick-app": "on", "confirmed": "yes"}
    if "access" in path:
        fields.update({"action": "revoke_selected", "pick-token-------": "on"})
    peopled.post(path, {**fields, **({} if token is None else {"csrf_token": token})}, 400)
    assert (peopled.found(), list(peopled.heard.events)) == before


def test_a_token_of_another_session_or_another_form_does_nothing(peopled):
    token = peopled.token_field("/application/edit/?id=app")
    peopled.post("/application/action/", {**token, "action": "disable_selected", "pick-app": "on"}, 400)
    peopled.login.sign_in_as(User("eve", "Eve", is_admin=True))
    peopled.post("/application/edit/?id=app", {**token, "name": "New"}, 400)
    assert peopled.found().name == "An app"


def test_a_disabled_administrator_does_not_enter(peopled):
    peopled.login.users["ada"] = User("ada", "Ada", active=True, is_admin=True)
    peopled.get("/")
    peopled.login.users["ada"] = User("ada", "Ada", active=False, is_admin=True)
    peopled.get("/", 303)


class Door:
    """Answers the slot with a callable."""

    def __init__(self, enters):
        self.enters = enters

    @hookimpl
    def portula_admin_access(self, provider):
        return self.enters


def test_a_plugin_decides_instead(make):
    admin = make(Door(lambda person: person.subject == "bob"))
    admin.get("/", 403)
    admin.login.sign_in_as("bob")
    admin.get("/")


def _broken(person):
    raise RuntimeError("out of order")


@pytest.mark.parametrize("enters", [lambda person: "yes", lambda person: None])
def test_only_a_clear_yes_lets_in(make, enters):
    make(Door(enters)).get("/", 403)


def test_a_rule_that_fails_lets_nobody_in(make):
    admin = make(Door(_broken))
    admin.provider.app.config["PROPAGATE_EXCEPTIONS"] = False
    assert "The fault is on our side" in admin.get("/", 500).text


def test_where_nobody_can_sign_in_nobody_enters(admin, monkeypatch):
    known = admin.provider.hooks.ruling
    monkeypatch.setattr(
        admin.provider.hooks,
        "ruling",
        lambda slot: (
            SimpleNamespace(answer=None, winner=None) if slot is Plugin.portula_login else known(slot)
        ),
    )
    assert "Nobody can sign in" in admin.get("/", 403).text


def test_the_pages_stand_where_admin_path_says(make):
    admin = make(ADMIN_PATH="/behind/the/desk")
    assert admin.http.get("/o/behind/the/desk/").status_code == 200
    assert admin.http.get("/o/admin/").status_code == 404


def test_what_is_not_there_is_not_found(peopled):
    for path in ("/nothing/", "/application/view/?id=no", "/grant/view/?id=no", "/application/edit/?id=no"):
        peopled.get(path, 404)


def test_the_navigation_says_where_one_is(peopled):
    page = peopled.get("/access-token/view/?id=token-------")
    assert re.findall(r'aria-current="page">([^<]+)<', page.text)[0] == "Access tokens"
