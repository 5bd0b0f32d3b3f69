"""examples/own_models: one Alembic environment, a table of the shop's own for clients, and whole flows on it."""

import base64
import hashlib
import json
import os
import subprocess
import sys
import uuid
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from sqlalchemy import inspect, text
from support.browser import Browser

from portula_storage_sql.engine import make_engine, parse_url

CALLBACK = "http://127.0.0.1:8765/callback"
PASSWORD = "correct horse battery staple"
VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()

pytestmark = pytest.mark.thorough


class Shop:
    """The example on one database, driven by the commands of its README."""

    def __init__(self, example, url):
        self.example = example
        self.url = url.render_as_string(hide_password=False)
        self.settings = {"FLASK_SQLALCHEMY_DATABASE_URI": self.url}

    def run(self, *command, code=0, typed=None):
        done = subprocess.run(
            [sys.executable, "-m", *command],
            cwd=self.example.folder,
            env=self.example.environment(**self.settings),
            capture_output=True,
            check=False,
            input=typed,
            text=True,
            timeout=120,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    def flask(self, *command, **how):
        return self.run("flask", "--app", "app", *command, **how)

    def tables(self):
        engine = make_engine(self.url)
        try:
            with engine.connect() as connection:
                return set(inspect(connection).get_table_names())
        finally:
            engine.dispose()

    def new_client(self, *arguments):
        printed = dict(line.split() for line in self.flask("new-client", *arguments).splitlines())
        return printed["client_id"], printed["client_secret"]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.service)])
def shop(request, example, tmp_path):
    if request.param == "sqlite":
        yield Shop(example("own_models"), parse_url(f"sqlite:///{tmp_path / 'shop.sqlite3'}"))
        return
    address = os.environ.get("PORTULA_TEST_POSTGRESQL_URL")
    if address is None:
        pytest.fail("PORTULA_TEST_POSTGRESQL_URL is not set: start the services first")
    server, name = make_engine(address), f"portula_test_{uuid.uuid4().hex[:12]}"
    with server.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield Shop(example("own_models"), parse_url(address).set(database=name))
    with server.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    server.dispose()


def test_the_migrations_of_the_shop_run_up_and_down_beside_those_of_portula(shop):
    shop.run("alembic", "upgrade", "head")
    assert shop.tables() == {"alembic_version", "tenant", "client"}
    shop.flask("portula", "db", "upgrade")
    assert {"portula_grant", "portula_access_token", "portula_artifact"} <= shop.tables()
    assert "portula_application" not in shop.tables()
    status = json.loads(shop.flask("portula", "db", "status", "--json"))
    assert (status["models"], status["pending"], status["lacking"]) == ({"application": "client"}, [], [])
    assert "No new upgrade operations" in shop.run("alembic", "check")
    shop.run("alembic", "downgrade", "base")
    assert {"tenant", "client"}.isdisjoint(shop.tables())
    assert "portula_grant" in shop.tables()
    assert "table client: run your own migrations" in shop.flask("portula", "db", "status", code=1)
    assert "storage_sql.models" in shop.flask("portula", "check", code=1)
    shop.run("alembic", "upgrade", "head")
    shop.flask("portula", "db", "status")


@pytest.mark.parametrize("shop", ["sqlite"], indirect=True)
def test_whole_flows_run_on_the_table_of_the_shop(shop):
    shop.run("alembic", "upgrade", "head")
    shop.flask("portula", "db", "upgrade")
    client, house = shop.new_client("tea"), shop.new_client("us", "--plan", "house")
    shop.flask("portula", "createuser", "ada", "--password-stdin", typed=PASSWORD)
    with shop.example.running(**shop.settings) as url:
        machine = httpx.post(f"{url}/o/token/", auth=client, data={"grant_type": "client_credentials"})
        assert machine.status_code == 200, machine.text

        assert "allow" in authorized(url, client).text
        answer = parse_qs(urlsplit(authorized(url, house).headers["location"]).query)
        form = {
            "grant_type": "authorization_code",
            "code": answer["code"][0],
            "redirect_uri": CALLBACK,
            "code_verifier": VERIFIER,
        }
        assert httpx.post(f"{url}/o/token/", auth=client, data=form).json()["error"] == "invalid_grant"
        answer = parse_qs(urlsplit(authorized(url, house).headers["location"]).query)
        issued = httpx.post(f"{url}/o/token/", auth=house, data={**form, "code": answer["code"][0]})
        assert issued.status_code == 200, issued.text

        shop.flask("set-plan", client[0], "overdue")
        refused = httpx.post(f"{url}/o/token/", auth=client, data={"grant_type": "client_credentials"})
        assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")


def authorized(url, client):
    """Ask for a code as ada; return the consent page, or the redirect to the client."""
    parameters = {
        "response_type": "code",
        "client_id": client[0],
        "redirect_uri": CALLBACK,
        "scope": "read",
        "state": "s",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    with Browser(url) as browser:
        browser.get(f"/o/authorize/?{httpx.QueryParams(parameters)}")
        return browser.sign_in("ada", PASSWORD)
