"""How often whole requests go to the database: each statement is a round trip, where the database is a server."""

from base64 import b64encode
from urllib.parse import parse_qs, urljoin, urlsplit

import pytest
from security.driving import bearer, s256
from sqlalchemy import event
from support.browser import forms_of
from support.databases import database_on

from portula import Plugin
from portula.host.modes import storage_check_deferred
from portula_resource_server import require_oauth
from portula_storage_sql import migrate
from portula_testing.provider import CALLBACK, client_for, installed_rooms, make_provider

ISSUER = "https://id.example/o"
PASSWORD = "a long password of hers"
VERIFIER = "v" * 43


READS = {
    "client credentials": 1,  # client
    "introspection": 2,  # client that asks; token with authorization, client and person
    "introspection by another client": 2,
    "userinfo": 1,  # token with authorization, client and person
    "guarded view": 1,
    "code": 2,  # client; code with authorization and person
    "code with ID token": 2,
    "refresh": 2,  # client; refresh token with authorization and person
    "authorize": 3,  # client; session with person; consent
    "authorize with openid": 3,
    "consent page": 3,
    "consent": 4,  # as before, and the request that waited
    "revocation": 2,  # client; token with authorization
}
WRITES = {
    "client credentials": 1,  # access token
    "code": 4,  # code, authorization, access token, refresh token
    "code with ID token": 4,
    "refresh": 3,  # refresh token, former access token, access token
    "authorize": 2,  # authorization, code
    "authorize with openid": 4,  # and the session's app, which is known or new
    "consent page": 1,  # the request that waits
    "consent": 4,  # the wait, the consent, authorization, code
    "revocation": 2,  # authorization, refresh token
}


WITH_CACHE = {
    "client credentials": 0,
    "introspection": 1,  # token with authorization, client and person, and the client that asks
    "introspection by another client": 1,
    "userinfo": 1,
    "guarded view": 1,
    "code": 1,
    "code with ID token": 1,
    "refresh": 1,
    "authorize": 2,
    "authorize with openid": 2,
    "consent page": 2,
    "consent": 3,
    "revocation": 1,
}
"""Reads where the process remembers the client (CLIENT_CACHE_SECONDS)."""
COMPARED = ("client credentials", "code", "refresh", "authorize", "consent", "revocation")
"""Whose plan requires the client to be as it was read; on SQLite that is a statement of its own."""
COMPARISON = "SELECT portula_application.client_id FROM"
REQUIRED = {
    "authorize": 2,  # session, consent
    "authorize with openid": 2,
    "consent": 1,  # session
}
"""Records that a plan requires to be as they were read; on SQLite and MariaDB each is a statement of its own."""
REQUIREMENT = "SELECT portula_artifact.digest FROM"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.service)])
def engine_name(request):
    return request.param


@pytest.fixture
def database_url(engine_name, tmp_path):
    if engine_name == "sqlite":
        yield f"sqlite:///{tmp_path / 'portula.sqlite3'}"
    else:
        yield from database_on("PORTULA_TEST_POSTGRESQL_URL")


class House:
    """A provider of all rooms, a person, and a client that has her tokens."""

    def __init__(self, url, **more):
        settings = {
            "DATABASE_URL": url,
            "STORAGE": "storage_sql",
            "REQUEST_APPROVAL_PROMPT": "auto",
            "OIDC_ENABLED": True,
            "OIDC_ISS_ENDPOINT": ISSUER,
            "DELIVERY_THREADS": 0,
            "CLEAR_EXPIRED_TOKENS_AFTER_WRITES": 0,  # what is done beside requests is not counted
            **more,
        }
        with storage_check_deferred():
            self.provider = make_provider(*installed_rooms(), settings=settings)
        store = self.provider.stores["storage_sql"]
        self.seen, self.sent = [], []
        self.provider.app.add_url_rule("/resource", "resource", require_oauth("read")(lambda: "the resource"))
        if store.engine.dialect.name == "sqlite":  # what is written there does not pass through SQLAlchemy
            event.listen(store.engine, "connect", lambda driver, _: driver.set_trace_callback(self._note))
        else:
            event.listen(store.engine, "before_cursor_execute", lambda *given: self._note(*given[2:4]))
        migrate.upgrade(store.engine, store.records)
        self.provider.hooks.ask(Plugin.portula_login).users.create("ann", PASSWORD)
        grants = ("authorization_code", "refresh_token", "client_credentials")
        self.client_id, self.basic = self.client(*grants, algorithm="ES256")
        self.browser = self.provider.app.test_client()
        _, self.other = self.client("client_credentials")

    def _note(self, statement, parameters=""):
        self.seen.append(" ".join(statement.split()))
        self.sent.append(f"{statement} {parameters}")

    def client(self, *grant_types, **fields):
        client, secret = client_for(self.provider, *grant_types, **fields)
        pair = b64encode(f"{client.client_id}:{secret}".encode()).decode()
        return client.client_id, {"Authorization": f"Basic {pair}"}

    def token(self, **form):
        return self.machine("post", "/o/token/", data=form, headers=self.basic).json

    def machine(self, method, path, **options):
        answer = getattr(self.provider.app.test_client(), method)(
            path, base_url="https://id.example", **options
        )
        assert answer.status_code == 200, answer.text
        return answer

    def get(self, path, **options):
        return self.browser.get(path, base_url="https://id.example", **options)

    def press(self, page, button, **typed):
        (form,) = forms_of(page.text)[:1]
        name, value = form.buttons[button]
        action = urljoin(page.request.url, form.action)
        return self.browser.post(
            action, data={**form.fields, **typed, name: value}, base_url="https://id.example"
        )

    def ask(self, scope):
        return self.get(
            "/o/authorize/",
            query_string={
                "response_type": "code",
                "client_id": self.client_id,
                "redirect_uri": CALLBACK,
                "scope": scope,
                "code_challenge": s256(VERIFIER),
                "code_challenge_method": "S256",
            },
        )

    def sign_in(self):
        assert (
            self.press(
                self.get("/accounts/login/"), "login-submit", username="ann", password=PASSWORD
            ).status_code
            == 302
        )

    def code(self, answer):
        assert answer.status_code == 302, answer.text
        (code,) = parse_qs(urlsplit(answer.location).query)["code"]
        return code

    def redeem(self, code):
        return self.token(
            grant_type="authorization_code", code=code, redirect_uri=CALLBACK, code_verifier=VERIFIER
        )


@pytest.fixture
def house(database_url):
    made = House(database_url)
    yield made
    for store in made.provider.stores.values():
        store.close()


class Requests:
    """What is counted, each with what it needs made before."""

    def __init__(self, house):
        self.house = house
        house.sign_in()
        self.page = house.ask("openid read")
        self.tokens = tokens = house.redeem(house.code(house.press(self.page, "consent-allow")))
        for client in (house.basic, house.other):  # that a secret is used is noted once a day
            house.machine("post", "/o/introspect/", data={"token": tokens["access_token"]}, headers=client)

    def of(self, name):
        """Prepare a request; return a function that sends it."""
        house = self.house
        tokens = house.redeem(house.code(house.ask("openid read")))
        by = house.other if name.endswith("another client") else house.basic
        page = house.ask("read write") if name == "consent" else None
        code = house.code(house.ask("openid read" if "openid" in name or "ID" in name else "read"))
        token = {"token": tokens["access_token"]}
        sends = {
            "client credentials": lambda: house.token(grant_type="client_credentials", scope="read"),
            "introspection": lambda: house.machine("post", "/o/introspect/", data=token, headers=by),
            "userinfo": lambda: house.machine("get", "/o/userinfo/", headers=bearer(token["token"])),
            "guarded view": lambda: house.machine("get", "/resource", headers=bearer(token["token"])),
            "code": lambda: house.redeem(code),
            "refresh": lambda: house.token(grant_type="refresh_token", refresh_token=tokens["refresh_token"]),
            "authorize": lambda: house.code(house.ask("openid read" if "openid" in name else "read")),
            "consent page": lambda: house.ask("read write"),
            "consent": lambda: house.code(house.press(page, "consent-allow")),
            "revocation": lambda: house.machine(
                "post", "/o/revoke_token/", data={"token": tokens["refresh_token"]}, headers=by
            ),
        }
        return sends[next(part for part in sorted(sends, key=len, reverse=True) if name.startswith(part))]


def counts_of(house):
    """Return how many statements each request sends: those that read, compare, require and write."""
    requests, counts = Requests(house), {}
    for name in READS:
        send = requests.of(name)
        house.seen.clear()
        send()
        selects = [statement for statement in house.seen if statement.startswith("SELECT")]
        compared = sum(statement.startswith(COMPARISON) for statement in selects)
        required = sum(statement.startswith(REQUIREMENT) for statement in selects)
        reads = len(selects) - compared - required
        counts[name] = (reads, compared, required, len(house.seen) - len(selects))
    return counts


def expected_counts(engine_name, reads):
    """Return what they are to be: a plan is one statement on PostgreSQL, and within BEGIN and COMMIT on SQLite."""
    counts = {}
    for name in READS:
        writes = WRITES.get(name, 0)
        if engine_name == "postgresql":
            counts[name] = (reads[name], 0, 0, min(writes, 1))
        else:
            compared = int(reads is WITH_CACHE and name.startswith(COMPARED) and name != "consent page")
            required = REQUIRED.get(name, 0)
            alone = writes + compared + required < 2
            counts[name] = (reads[name], compared, required, writes if alone else writes + 2)
    return counts


def test_a_request_goes_to_the_database_as_often_as_it_has_to(house, engine_name):
    assert counts_of(house) == expected_counts(engine_name, READS)


def test_a_client_that_is_remembered_is_not_read(database_url, engine_name):
    house = House(database_url, CLIENT_CACHE_SECONDS=60)
    assert counts_of(house) == expected_counts(engine_name, WITH_CACHE)
    for store in house.provider.stores.values():
        store.close()


def test_no_record_is_read_twice(house):
    requests = Requests(house)
    for name in READS:
        send = requests.of(name)
        house.sent.clear()
        send()
        assert len(house.sent) == len(set(house.sent)), name


@pytest.mark.parametrize(
    "engine_name", ["sqlite"]
)  # which says how it goes about a statement however few rows there are
def test_no_statement_reads_more_the_more_there_is(house):
    requests, statements = Requests(house), set()
    for name in READS:
        send = requests.of(name)
        house.seen.clear()
        send()
        statements |= {
            one for one in house.seen if one.split()[0] in ("SELECT", "INSERT", "UPDATE", "DELETE")
        }
    assert len(statements) > len(READS)
    with house.provider.stores["storage_sql"].engine.connect() as connection:
        for statement in statements:
            steps = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}").all()
            assert not [step[3] for step in steps if "SCAN" in step[3] or "B-TREE" in step[3]], statement


@pytest.mark.parametrize("engine_name", [pytest.param("postgresql", marks=pytest.mark.service)])
def test_a_record_is_found_by_its_key_before_there_are_statistics(house):
    requests, seen = Requests(house), []
    engine = house.provider.stores["storage_sql"].engine
    event.listen(engine, "before_cursor_execute", lambda *given: seen.append(given[2:4]))
    for name in READS:
        send = requests.of(name)
        seen.clear()
        send()
        steps = explained(engine, list(seen))
        used = [
            step.partition("using ")[2].split()[0] for step in steps if "Index" in step and "using" in step
        ]
        assert not [step for step in steps if "Seq Scan" in step], name
        assert not [
            index for index in used if not index.startswith(("pk_portula_", "ix_portula_application_"))
        ], name
        assert used, name


def explained(engine, statements):
    """Return the lines in which PostgreSQL says how it goes about statements of which it does not see the values."""
    lines = []
    with engine.connect() as connection:
        driver = connection.connection.driver_connection
        driver.prepare_threshold = 1
        driver.execute("SET plan_cache_mode = force_generic_plan")
        for statement, parameters in statements:
            lines += [
                row[0] for row in driver.execute(f"EXPLAIN {statement}", parameters, prepare=True).fetchall()
            ]
        driver.execute("RESET plan_cache_mode")
    return lines


def test_a_refresh_after_many_is_as_the_first(house, engine_name):
    requests = Requests(house)
    token, counts, rows = requests.tokens["refresh_token"], [], []
    with house.provider.stores["storage_sql"].engine.connect() as connection:
        for _ in range(30):
            house.seen.clear()
            token = house.token(grant_type="refresh_token", refresh_token=token)["refresh_token"]
            counts.append(len(house.seen))
            tables = ("authorization", "refresh_token", "superseded_refresh_token", "artifact")
            rows.append(
                [
                    connection.exec_driver_sql(f"SELECT count(*) FROM portula_{name}").scalar()
                    for name in tables
                ]
            )
    assert set(counts) == {counts[0]}
    assert rows == [rows[0]] * 30
