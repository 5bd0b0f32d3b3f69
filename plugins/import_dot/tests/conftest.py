"""A provider that takes a dump over, and what the apps and people of the dump do then.

`dump.json` was written by `manage.py dumpdata oauth2_provider auth.user` of django-oauth-toolkit 3.4 and Django 5.2,
with few iterations of each hash.
"""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from support.browser import forms_of

import portula_accounts
from portula import Plugin
from portula.plugin import Application, Authorization, RefreshToken
from portula_testing.provider import MovableClock, make_provider

DUMP = Path(__file__).parent / "dump.json"
WRITTEN_AT = 1796027420
ROOMS = (
    "import_dot",
    "oauth2",
    "generators",
    "scopes_settings",
    "consent",
    "resource_server",
    "sessions",
    "jose",
    "oidc",
    "device",
)
SECRETS = {
    name: f"the old secret of application {number}, long enough"
    for name, number in {"web": 1, "plain": 2, "hs": 3, "machine": 4, "hyb": 7}.items()
}
TOKENS = {
    "web": "eYFNTRwlWk7QDwnJ0lpmth5XjB8lpG",
    "plain": "9u5MMEKaYK9AB93V2FGd9Vcw6Gk3ua",
    "spa": "zycuUvlhG5yknRASovh5sM6ZVtFN4V",
    "hs": "2Lw3XaqAlVZCJRsdXAyzb9zcN8w7m2",
}
SETTINGS = {
    "OIDC_ENABLED": True,
    "OIDC_ISS_ENDPOINT": "https://id.example/o",
    "SCOPES": {name: name for name in ("openid", "read", "write")},
}


class House:
    """A provider, and what somebody at its console and the apps do."""

    rooms, dump, secrets, tokens = ROOMS, DUMP, SECRETS, TOKENS

    def __init__(self, *plugins, rooms=(*ROOMS, portula_accounts), **settings):
        self.clock = MovableClock(WRITTEN_AT + 60)
        self.provider = make_provider(*rooms, *plugins, settings={**SETTINGS, **settings}, clock=self.clock)
        self.storage = self.provider.storage

    def run(self, *options, path=DUMP):
        commands = {each.name: each for each in self.provider.hooks.collect(Plugin.portula_commands)}
        with self.provider.app.app_context():
            return CliRunner().invoke(commands["import-dot-data"], [str(path), *options])

    def told(self, *options, path=DUMP):
        done = self.run("--json", *options, path=path)
        assert not done.exception or isinstance(done.exception, SystemExit), done.exception
        return json.loads(done.stdout)

    def count(self):
        return {
            cls.__name__: len(self.storage.select(cls))
            for cls in (Application, Authorization, RefreshToken, portula_accounts.records.User)
        }

    def token(self, client_id, secret=None, **form):
        given = {"auth": (client_id, secret)} if secret else {}
        form = form if secret else {**form, "client_id": client_id}
        return self.provider.app.test_client().post(
            "/o/token/", data=form, base_url="https://id.example", **given
        )

    def refresh(self, client_id, value):
        secret = SECRETS.get(client_id)
        return self.token(client_id, secret, grant_type="refresh_token", refresh_token=value)

    def sign_in(self, name, password):
        browser = self.provider.app.test_client()
        (form, *_) = forms_of(browser.get("/accounts/login/", base_url="https://id.example").text)
        fields = {**form.fields, "username": name, "password": password}
        headers = {"Origin": "https://id.example"}
        answer = browser.post("/accounts/login/", data=fields, base_url="https://id.example", headers=headers)
        return answer.status_code


@pytest.fixture
def make_house():
    return House


@pytest.fixture
def house():
    return House()


@pytest.fixture
def moved(house):
    house.told()
    return house


@pytest.fixture
def write(tmp_path):
    """Return a function that writes rows into a file, those of the dump unless it is told others."""

    def write_rows(*rows, change=None):
        rows = list(rows) or json.loads(DUMP.read_text())
        for row in rows:
            if change:
                change(row)
        path = tmp_path / "rows.json"
        path.write_text(json.dumps(rows))
        return path

    return write_rows
