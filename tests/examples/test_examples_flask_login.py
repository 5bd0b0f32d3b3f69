"""examples/flask_login: the app's own users sign in, allow, and are forgotten when they go."""

import html
import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from portula import Plugin
from portula.plugin import Application

REDIRECT_URI = "http://127.0.0.1:8765/callback"
PASSWORD = "correct horse battery staple"


@pytest.fixture
def module(load):
    """The example, with the client that its README makes."""
    module = load("flask_login")
    client = Application(
        client_id="tea",
        client_type="public",
        grant_types=("authorization_code",),
        redirect_uris=(REDIRECT_URI,),
    )
    module.app.extensions["portula"]["portula"].clients.create(client)
    return module


@pytest.fixture
def readme(module):
    return Path(module.__file__).with_name("README.md").read_text(encoding="utf-8")


@pytest.fixture
def address(readme):
    """The address that the README tells to open, without its host."""
    return re.search(r"<http://127\.0\.0\.1:5000(/o/authorize/[^>]*)>", readme)[1]


def hidden_fields(page):
    """Return the hidden fields of a page's first form."""
    form = re.search(r"<form.*?</form>", page, re.DOTALL)[0]
    tags = [tag for tag in re.findall(r"<input[^>]*>", form) if 'type="hidden"' in tag]
    value = re.compile(r'name="([^"]*)".*?value="([^"]*)"')
    return {name: html.unescape(text) for tag in tags for name, text in [value.search(tag).groups()]}


def sign_in(http, location, password=PASSWORD):
    page = http.get(location)
    assert page.status_code == 200
    form = {**hidden_fields(page.text), "username": "ann", "password": password}
    return http.post(location, data=form)


def test_a_person_signs_in_with_the_app_s_own_page_and_a_code_becomes_tokens(module, address, readme):
    http = module.app.test_client()
    sent_away = http.get(address)
    assert sent_away.location.startswith("/login?next=")
    back = sign_in(http, sent_away.location)
    assert (back.status_code, urlsplit(back.location).path) == (302, "/o/authorize/")
    page = http.get(back.location)
    form = {**hidden_fields(page.text), "allow": "yes"}
    answer = http.post("/o/authorize/", data=form)
    assert answer.location.startswith(f"{REDIRECT_URI}?")
    code = parse_qs(urlsplit(answer.location).query)["code"][0]
    form = dict(re.findall(r"--data (\w+)=(\S+)", readme))
    issued = http.post("/o/token/", data={**form, "code": code})
    assert issued.status_code == 200, issued.text
    assert issued.json["scope"] == "read"
    refresh = {
        "grant_type": "refresh_token",
        "client_id": "tea",
        "refresh_token": issued.json["refresh_token"],
    }
    module.PEOPLE.clear()
    assert http.post("/o/token/", data=refresh).json["error"] == "invalid_grant"


def test_a_wrong_password_and_a_foreign_target_go_nowhere(module, address):
    http = module.app.test_client()
    assert "Sign in" in sign_in(http, http.get(address).location, "wrong").text
    assert http.get(address).location.startswith("/login")
    for target in ("https://evil.example/", "//evil.example/", "/\\evil.example/"):
        assert http.get("/login", query_string={"next": target}).status_code == 400


def test_the_pages_of_portula_s_own_accounts_stay_away(module):
    assert module.app.test_client().get("/accounts/login/").status_code == 404


def test_the_password_grant_asks_the_app_s_own_users(module):
    login = module.app.extensions["portula"]["portula"].hooks.ask(Plugin.portula_login)
    assert login.authenticate("ann", PASSWORD, "").subject == "7"
    assert login.authenticate("ann", "wrong", "") is None
