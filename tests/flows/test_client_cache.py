"""Clients that a node remembers (CLIENT_CACHE_SECONDS), and that another node changes: nothing counts that is gone."""

import itertools
import secrets
from base64 import b64encode
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import pytest
from security.driving import s256
from support.databases import database_on
from support.proofs import Prover
from support.redis_servers import url_of

from portula import ConfigError, hookimpl
from portula.flow import client_cache
from portula.host.modes import storage_check_deferred
from portula.plugin import AccessToken, Authorization, Grant, RefreshToken, use_once
from portula_storage_sql import migrate
from portula_testing.provider import CALLBACK, Memory, MovableClock, TestLogin, client_for, make_provider

ISSUER = "https://id.example/o"
ROOMS = (
    "consent",
    "device",
    "dpop",
    "generators",
    "introspection",
    "jose",
    "oauth2",
    "par",
    "scopes_settings",
)
SECONDS = 10
VERIFIER = "v" * 43
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
SERVERS = ("postgresql", "mariadb", "redis")


def on(engine, *values):
    """Return the values of a case on an engine."""
    return pytest.param(engine, *values, marks=[pytest.mark.service] if engine in SERVERS else [])


ENGINES = ["memory", "sqlite", *SERVERS]


class Node:
    """One of two processes that serve one provider."""

    def __init__(self, settings, seconds, clock, *plugins, rooms=ROOMS):
        self.clock = clock
        given = {
            "OIDC_ISS_ENDPOINT": ISSUER,
            "CLIENT_CACHE_SECONDS": seconds,
            "SCOPES": {"read": "Read", "write": "Write", "introspection": "Ask"},
            "DELIVERY_THREADS": 0,
            **settings,
        }
        self.provider = make_provider(*rooms, *plugins, settings=given, clock=clock)
        self.http = self.provider.app.test_client()

    def post(self, path, client, headers=None, **form):
        return self.http.post(
            f"/o/{path}/",
            data=form,
            headers={**client.headers, **(headers or {})},
            base_url="https://id.example",
        )

    def own(self, client, **more):
        return self.post("token", client, grant_type="client_credentials", **more)

    def ask(self, client, scope="read"):
        query = {
            "response_type": "code",
            "client_id": client.id,
            "redirect_uri": CALLBACK,
            "scope": scope,
            "code_challenge": s256(VERIFIER),
            "code_challenge_method": "S256",
        }
        return self.http.get("/o/authorize/", query_string=query, base_url="https://id.example")

    def code(self, client):
        answer = self.ask(client)
        assert answer.status_code == 302, answer.text
        return parse_qs(urlsplit(answer.location).query)["code"][0]

    def redeem(self, client, code):
        return self.post(
            "token",
            client,
            grant_type="authorization_code",
            client_id=client.id,
            code=code,
            redirect_uri=CALLBACK,
            code_verifier=VERIFIER,
        )

    def change(self, client, **fields):
        """Change a client as an administrator does."""
        self.provider.clients.edit(client.id, lambda known: replace(known, **fields))


def credentials(client_id, secret):
    """Return a client's name, and how it authenticates."""
    pair = b64encode(f"{client_id}:{secret}".encode()).decode()
    headers = {"Authorization": f"Basic {pair}"} if secret else {}
    return SimpleNamespace(id=client_id, headers=headers, secret=secret)


@pytest.fixture(scope="module")
def storage_settings(tmp_path_factory):
    """A function that returns the settings of a storage on an engine; a database is made once."""
    made = {"memory": {}}
    with ExitStack() as stack:

        def settings_of(name):
            if name == "redis":
                prefix = {"REDIS_KEY_PREFIX": secrets.token_hex(6)}
                return {"STORAGE": "storage_redis", "REDIS_URL": url_of("PORTULA_TEST_REDIS_URL"), **prefix}
            if name not in made:
                url = f"sqlite:///{tmp_path_factory.mktemp('clients') / 'portula.sqlite3'}"
                if name != "sqlite":
                    url = stack.enter_context(contextmanager(database_on)(f"PORTULA_TEST_{name.upper()}_URL"))
                made[name] = {"STORAGE": "storage_sql", "DATABASE_URL": url}
            return made[name]

        yield settings_of


@pytest.fixture(params=[on(engine) for engine in ENGINES])
def make_node(request, storage_settings):
    """A function that makes a node; all of them have one storage."""
    clock, memory, settings = MovableClock(), Memory(), storage_settings(request.param)
    room = (settings["STORAGE"],) if settings else ()
    with ExitStack() as stack:

        def make(seconds=SECONDS, *plugins, **more):
            login = TestLogin()
            login.sign_in_as("1")
            given = (login, *plugins) if room else (memory, login, *plugins)
            with storage_check_deferred():
                node = Node({**settings, **more}, seconds, clock, *given, rooms=(*ROOMS, *room))
            for store in node.provider.stores.values():
                stack.callback(getattr(store, "close", lambda: None))
                if "DATABASE_URL" in settings and migrate.pending(store.engine, store.records):
                    migrate.upgrade(store.engine, store.records)
            return node

        yield make


@pytest.fixture
def nodes(make_node):
    """The node that remembers clients, and another."""
    return make_node(), make_node(0)


@pytest.fixture
def party(nodes):
    """A client that the first node remembers, with a code and with tokens."""
    return known_at(*nodes)


def known_at(first, other, **fields):
    grants = ("authorization_code", "refresh_token", DEVICE)
    grants = grants if fields.get("public") else (*grants, "client_credentials")
    made, secret = client_for(other.provider, *grants, skip_authorization=True, **fields)
    client = credentials(made.client_id, secret)
    client.code = first.code(client)
    client.used_code = first.code(client)
    client.used = first.redeem(client, client.used_code).json
    return client


def records_of(node):
    """Return the records that requests of clients add or change."""
    kinds = (Authorization, Grant, AccessToken, RefreshToken)
    return [sorted(map(repr, node.provider.storage.select(kind, limit=500))) for kind in kinds]


REQUESTS = {
    "client credentials": lambda node, client: node.own(client),
    "code": lambda node, client: node.redeem(client, client.code),
    "refresh": lambda node, client: node.post(
        "token", client, grant_type="refresh_token", refresh_token=client.used["refresh_token"]
    ),
    "introspection": lambda node, client: node.post("introspect", client, token=client.used["access_token"]),
    "introspection of nothing": lambda node, client: node.post("introspect", client, token="nothing"),
    "revocation": lambda node, client: node.post("revoke_token", client, token=client.used["refresh_token"]),
    "used code": lambda node, client: node.redeem(client, client.used_code),
    "revocation of nothing": lambda node, client: node.post("revoke_token", client, token="nothing"),
    "device code": lambda node, client: node.post("device_authorization", client, client_id=client.id),
    "pushed request": lambda node, client: node.post(
        "par",
        client,
        client_id=client.id,
        response_type="code",
        redirect_uri=CALLBACK,
        code_challenge=s256(VERIFIER),
        code_challenge_method="S256",
    ),
}
TELLING = ("client credentials", "code", "revocation of nothing")
"""One that adds, one that uses up too, and one that writes nothing: how these compare a client differs by engine."""


def remove(node, client):
    node.provider.clients.remove(client.id)


def replace_by_another(node, client):
    """Let another client have the name, at the same moment."""
    known = node.provider.clients.find(client.id)
    node.provider.clients.remove(client.id)
    node.provider.clients.create(replace(known, secret_hashes=()))


ENDS = {
    "disabled": lambda node, client: node.change(client, disabled=True),
    "removed": remove,
    "made anew": replace_by_another,
    "another secret": lambda node, client: node.provider.clients.add_secret(client.id, end_others=True),
}
CHANGES = {
    "renamed": {"name": "Another name"},
    "fewer scopes": {"scope": "read introspection"},
    "disabled for a while": {"disabled": True},
}


def crossed(happenings):
    """Return each request with each happening in memory, and telling ones with the first on every engine."""
    first = next(iter(happenings))
    return [
        on(engine, name, happens)
        for engine in ENGINES
        for name in (REQUESTS if engine == "memory" else TELLING)
        for happens in happenings
        if engine == "memory" or happens == first
    ]


@pytest.mark.parametrize(("make_node", "name", "end"), crossed(ENDS), indirect=["make_node"])
def test_a_client_that_another_node_ended_gets_nothing(nodes, party, name, end):
    first, other = nodes
    ENDS[end](other, party)
    before = records_of(other)
    answer = REQUESTS[name](first, party)
    assert (answer.status_code, answer.json["error"]) == (401, "invalid_client")
    assert records_of(other) == before


@pytest.mark.parametrize("end", ["disabled", "removed"])
@pytest.mark.parametrize("scope", ["read", "nonsense"])
def test_nor_does_its_person_get_a_code(nodes, party, end, scope):
    first, other = nodes
    ENDS[end](other, party)
    before = records_of(other)
    assert first.ask(party, scope).status_code == 400
    assert records_of(other) == before


@pytest.mark.parametrize(("make_node", "name", "change"), crossed(CHANGES), indirect=["make_node"])
def test_who_was_changed_and_may_go_on_is_answered_at_once(nodes, party, name, change):
    first, other = nodes
    before = first.provider.client_cache.find(party.id)
    other.change(party, **CHANGES[change])
    if change == "disabled for a while":
        assert first.own(party).status_code == 401
        other.change(party, disabled=False)
    answer = REQUESTS[name](first, party)
    if name == "used code":
        assert (answer.status_code, answer.json["error"]) == (400, "invalid_grant")
        token = party.used["access_token"]
        assert other.post("introspect", party, token=token).json == {"active": False}
    else:
        assert answer.status_code in (200, 201), answer.text
    assert before != other.provider.clients.find(party.id)


def test_a_new_secret_counts_at_once_and_the_old_one_no_more(nodes, party):
    first, other = nodes
    _, secret = other.provider.clients.add_secret(party.id, end_others=True)
    assert first.own(credentials(party.id, secret)).status_code == 200
    assert first.own(party).status_code == 401
    assert first.own(credentials(party.id, secret)).status_code == 200


def test_what_is_issued_is_of_the_client_as_it_is_stored(nodes, party):
    first, other = nodes
    assert first.own(party).json["scope"] == "read write introspection"
    other.change(party, scope="read")
    assert first.own(party).json["scope"] == "read"
    other.change(party, redirect_uris=("https://client.example/other",))
    assert first.ask(party).status_code == 400


def test_a_change_at_this_node_is_known_at_once(nodes, party):
    first, _ = nodes
    first.change(party, redirect_uris=("https://client.example/other",))
    assert first.ask(party).status_code == 400
    first.change(party, redirect_uris=(CALLBACK,), name="Another name")
    assert first.ask(party).status_code == 302


def test_what_is_refused_is_refused_to_the_client_as_it_is_stored(nodes, party):
    first, other = nodes
    other.change(party, grant_types=("client_credentials",))
    assert first.redeem(party, party.code).json["error"] == "unauthorized_client"
    other.change(party, grant_types=("authorization_code",))
    assert first.redeem(party, party.code).status_code == 200
    assert first.ask(party).status_code == 302
    other.change(party, scope="write")
    assert "error=invalid_scope" in first.ask(party).location
    other.change(party, scope="read")
    assert "code=" in first.ask(party).location


def test_a_page_is_as_old_as_the_setting_says_at_most(nodes, party):
    first, other = nodes
    other.change(party, skip_authorization=False, name="The first name")
    assert "The first name" in first.ask(party).text
    other.change(party, name="The second name")
    assert "The first name" in first.ask(party).text
    first.clock.advance(SECONDS)
    assert "The second name" in first.ask(party).text


def test_what_is_used_up_twice_by_one_request_is_refused(nodes):
    provider = nodes[0].provider
    uses = provider.client_cache.answer(
        lambda: [use_once(provider, "kind", "name", until=provider.now() + 60) for _ in range(2)]
    )
    assert uses == [True, False]


def test_a_clock_that_goes_back_makes_nobody_remembered_for_longer(nodes, party):
    first, other = nodes
    other.change(party, redirect_uris=("https://client.example/other",))
    first.clock.time -= 3600
    assert first.ask(party).status_code == 400


def test_public_clients_too(nodes):
    first, other = nodes
    party = known_at(first, other, public=True)
    before = records_of(other)
    other.change(party, disabled=True)
    assert first.redeem(party, party.code).status_code == 401
    assert records_of(other) == before
    other.change(party, disabled=False)
    assert first.redeem(party, party.code).status_code == 200


def test_a_proof_serves_both_attempts_at_an_answer_and_no_other_request(nodes, party):
    first, other = nodes
    prover = Prover(first.clock)
    other.change(party, name="Another name")
    proof = prover.proof()
    answer = first.own(party, headers=proof)
    assert (answer.status_code, answer.json["token_type"]) == (200, "DPoP")
    assert first.own(party, headers=proof).json["error"] == "invalid_dpop_proof"


def test_a_client_that_changes_all_the_time_is_served(make_node):
    class Restless:
        """Changes the client whenever a token is about to be issued."""

        @hookimpl
        def portula_validate_token_request(self, exchange):
            other.change(party, name=f"{next(count)}")

    count = itertools.count()
    first, other = make_node(SECONDS, Restless()), make_node(0)
    made, secret = client_for(other.provider, "client_credentials")
    party = credentials(made.client_id, secret)
    assert [first.own(party).status_code for _ in range(5)] == [200] * 5
    assert 5 < next(count) <= 10


def test_no_more_clients_are_remembered_than_there_is_room_for(nodes, monkeypatch):
    monkeypatch.setattr(client_cache, "MOST", 3)
    first, other = nodes
    made = [client_for(other.provider, "client_credentials") for _ in range(8)]
    for client, secret in (*made, *made):
        party = credentials(client.client_id, secret)
        assert first.own(party).status_code == 200
        assert len(first.provider.client_cache._known) <= 3


@pytest.mark.parametrize("seconds", [-1, 301, "ten"])
def test_a_time_that_cannot_be_is_refused(seconds):
    with pytest.raises(ConfigError, match="CLIENT_CACHE_SECONDS"):
        make_provider(*ROOMS, settings={"CLIENT_CACHE_SECONDS": seconds})
