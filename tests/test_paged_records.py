"""Sessions, connected apps, authorizations and tokens of one client are listed a page at a time, whoever keeps them."""

import json
import re

import pytest
from flask import Flask
from support.browser import forms_of

from portula import Plugin
from portula.cli.main import flask_group
from portula.plugin import AccessToken, Application, Authorization, Plan
from portula_testing.provider import MovableClock, make_provider

PASSWORD = "a long password of hers"
ROOMS = (
    "admin",
    "accounts",
    "sessions",
    "consent",
    "oauth2",
    "generators",
    "scopes_settings",
    "introspection",
)
NUMBER = 57
"""Of each kind; two full pages of the admin and a part of a third."""


class House:
    """A provider whose Ann has many of everything, and a client with many tokens."""

    def __init__(self, folder=None):
        app = Flask("house", instance_path=None if folder is None else str(folder))
        app.config["TESTING"] = True
        settings = {"OIDC_ISS_ENDPOINT": "http://localhost/o", "PASSWORD_HASH_PROFILE": "testing"}
        self.clock = MovableClock(1_700_000_000)
        stored = [] if folder is None else ["storage_sql"]
        if stored:
            settings["STORAGE"] = "storage_sql"
        self.provider = make_provider(*ROOMS, *stored, app=app, settings=settings, clock=self.clock)
        app.cli.add_command(flask_group, "portula")
        self.app, self.storage = app, self.provider.storage
        users = self.provider.hooks.ask(Plugin.portula_login).users
        with app.app_context():
            self.root = users.create("root", PASSWORD, is_admin=True)
            self.ann = users.create("ann", PASSWORD)
            self._fill()
        self.http = app.test_client()
        (form,) = forms_of(self.http.get("/accounts/login/").text)
        fields = {**form.fields, "username": "root", "password": PASSWORD}
        assert self.http.post("/accounts/login/", data=fields).status_code == 302

    def _fill(self):
        _, self.secret = self.provider.clients.create(
            Application(client_id="tea", grant_types=("client_credentials",), scope="introspection read")
        )
        sessions = self.provider.hooks.ask(Plugin.portula_sessions)
        consent = self.provider.hooks.ask(Plugin.portula_consent)
        self.sids = []
        for number in range(NUMBER):
            self.clock.advance(number % 2)  # some begin within one second
            with self.app.test_request_context():
                self.sids.append(sessions.start(self.ann.sub, "ann", ["pwd"]).sid)
            plan, now = Plan(), self.provider.now()
            consent.memory.join(self.ann.sub, Application(client_id=f"app{number}"), ["read"], plan)
            given = {"client_id": "tea", "scope": "read", "issued_at": now}
            hers = {**given, "subject": self.ann.sub}
            plan.add(Authorization(id=f"{number:032}", **hers))
            own = number % 3 == 0
            plan.add(
                AccessToken(
                    digest=f"-{number:011}{'x' * 20}",  # an ID may begin with a hyphen
                    expires_at=now + 3600,
                    authorization=None if own else f"{number:032}",
                    **(given if own else hers),
                )
            )
            self.storage.apply(plan)

    def run(self, *words):
        done = self.app.test_cli_runner().invoke(args=["portula", *words])
        assert done.exit_code == 0, done.output
        return done

    def pages(self, *words, key, limit="20"):
        """Return what `key` says of each row of each page of a command's list."""
        pages, after = [], []
        while True:
            rows = json.loads(self.run(*words, "--limit", limit, *after, "--json").stdout)
            if not rows:
                return pages
            pages.append([row[key] for row in rows])
            after = ["--after", pages[-1][-1]]

    def post(self, path, **form):
        return self.app.test_client().post(
            path, data={"client_id": "tea", "client_secret": self.secret, **form}
        )


@pytest.fixture(scope="module", params=["memory", pytest.param("sqlite", marks=pytest.mark.thorough)])
def house(request, tmp_path_factory):
    made = House(tmp_path_factory.mktemp("house") if request.param == "sqlite" else None)
    yield made
    for store in made.provider.stores.values():
        getattr(store, "close", bool)()


KINDS = {
    "sessions": (("sessions", "list", "ann"), "sid"),
    "consents": (("consents", "list", "ann"), "client_id"),
    "authorizations": (("tokens", "list", "--user", "ann"), "id"),
    "tokens": (("clients", "tokens", "tea"), "id"),
}


def expected(house, kind):
    return {
        "sessions": set(house.sids),
        "consents": {f"app{number}" for number in range(NUMBER)},
        "authorizations": {f"{number:032}" for number in range(NUMBER)},
        "tokens": {f"-{number:011}" for number in range(NUMBER)},
    }[kind]


@pytest.mark.parametrize("kind", KINDS)
def test_the_pages_of_a_command_hold_everything_once_the_newest_first(house, kind):
    words, key = KINDS[kind]
    pages = house.pages(*words, key=key)
    assert [len(page) for page in pages] == [20, 20, 17]
    everything = [each for page in pages for each in page]
    assert set(everything) == expected(house, kind)
    assert len(everything) == NUMBER
    whole = json.loads(house.run(*words, "--limit", "1000", "--json").stdout)
    assert [row[key] for row in whole] == everything
    times = [row.get("started_at") or row.get("given_at") or row["issued_at"] for row in whole]
    assert times == sorted(times, reverse=True)
    assert f"--after {everything[19]}" in house.run(*words, "--limit", "20").stderr


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_not_there_has_nothing_behind_it(house, kind):
    done = house.app.test_cli_runner().invoke(args=["portula", *KINDS[kind][0], "--after", "nosuch"])
    assert done.exit_code == 1
    assert "'nosuch'" in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("sessions", "show", "ann", "-x"),
        ("sessions", "end", "ann", "-x", "--yes"),
        ("tokens", "show", "-x"),
        ("tokens", "revoke", "--yes", "-x"),
    ],
)
def test_an_identifier_may_begin_with_a_hyphen(house, words):
    done = house.app.test_cli_runner().invoke(args=["portula", *words])
    assert done.exit_code == 1
    assert "'-x'" in done.stderr


@pytest.mark.parametrize("kind", ["sessions", "consents", "authorizations"])
def test_the_pages_of_the_admin_hold_everything_once(house, kind):
    page = house.http.get("/o/admin/manage/users/view/", query_string={"id": house.ann.sub})
    (url,) = [each for each in hrefs(page, 'rel="next"') if f"/{kind}/" in each]
    seen = [each for each in rows(page) if f"/{kind}/" in each]
    assert len(seen) == 10
    while url:
        page = house.http.get(url)
        assert page.status_code == 200
        assert ">ann<" in page.text.partition("<main")[2]
        seen += rows(page)
        (url,) = hrefs(page, 'rel="next"') or [None]
    assert len(seen) == len(set(seen)) == NUMBER
    (first,) = [each for each in hrefs(page, ">From the beginning") if "after" not in each]
    assert len(rows(house.http.get(first))) == 25


def hrefs(page, mark):
    found = re.findall(r'<a [^>]*href="([^"]+)"([^>]*>[^<]*)', page.text)
    return [url.replace("&amp;", "&") for url, rest in found if mark in rest]


def rows(page):
    return [url.replace("&amp;", "&") for url in re.findall(r'class="row-link" href="([^"]+)"', page.text)]


@pytest.mark.parametrize("kind", ["sessions", "consents", "authorizations"])
def test_a_list_of_what_belongs_to_people_is_of_one(house, kind):
    path = f"/o/admin/manage/{kind}/"
    assert house.http.get(path).status_code == 404
    page = house.http.get(path, query_string={"subject": "nobody"})
    assert (page.status_code, "There are none." in page.text) == (200, True)


def test_the_last_record_of_a_long_list_is_shown_and_ended(house):
    storage = house.storage
    house.run("sessions", "show", "ann", house.sids[0])
    house.run("consents", "show", "ann", "app0")
    token = f"-{0:011}"
    assert "live" in house.run("tokens", "show", token).stdout
    assert json.loads(house.run("tokens", "revoke", token, "--yes", "--json").stdout) == {"revoked": 1}
    assert json.loads(house.run("tokens", "revoke", token, "--yes", "--json").stdout) == {"revoked": 0}
    (kept,) = storage.walk(AccessToken, "digest", prefix=token)
    assert kept.revoked_at is not None
    assert "revoked" in house.run("tokens", "show", token).stdout
    assert storage.find(Authorization, id=f"{0:032}").revoked_at is None


def test_a_token_of_a_clients_own_is_listed_and_ends_alone(house):
    house.clock.advance(10)
    issued = [house.post("/o/token/", grant_type="client_credentials", scope="read").json for _ in range(2)]
    newest = json.loads(house.run("clients", "tokens", "tea", "--limit", "2", "--json").stdout)
    assert [(row["subject"], row["authorization"], row["state"]) for row in newest] == [
        (None, None, "live")
    ] * 2
    assert not any(token["access_token"][:12] in json.dumps(newest) for token in issued)
    house.run("tokens", "revoke", newest[0]["id"], "--yes")
    active = [house.post("/o/introspect/", token=token["access_token"]).json["active"] for token in issued]
    assert sorted(active) == [False, True]
    page = house.http.get("/o/admin/application/view/", query_string={"id": "tea"})
    (way,) = hrefs(page, ">Access tokens<") or hrefs(page, ">Access tokens")[-1:]
    assert newest[0]["id"] in house.http.get(way).text
    for row in newest:
        house.run("tokens", "revoke", row["id"], "--yes")
    for token in newest:  # the other tests count
        (kept,) = house.storage.walk(AccessToken, "digest", prefix=token["id"])
        plan = Plan()
        plan.remove(AccessToken, digest=kept.digest)
        house.storage.apply(plan)


def test_a_page_of_tokens_reads_one_page(house, monkeypatch):
    read, walk = [], house.storage.walk

    def count(*given, **named):
        read.append(len(found := walk(*given, **named)))
        return found

    monkeypatch.setattr(house.storage, "walk", count)
    house.run("clients", "tokens", "tea", "--limit", "10", "--after", f"-{40:011}")
    assert sum(read) == 11
