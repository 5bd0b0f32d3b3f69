"""S76 with realms: two providers with one secret key, on one database, know nothing of each other."""

from dataclasses import replace

import pytest
from sqlalchemy.engine import Engine
from support.databases import database_on
from support.tenants import HOST, PASSWORD, ROOMS, Browser, Two

from portula import Plugin
from portula.errors import DuplicateRecord
from portula.plugin import (
    CORE_RECORDS,
    AccessToken,
    Application,
    Artifact,
    Authorization,
    LoginSucceeded,
    RefreshToken,
    TokenIssued,
    plan_to_add,
)
from portula_accounts.records import USER_RECORD, User
from portula_cleanup.sweep import Sweep
from portula_dcr.initial_access import InitialAccessTokens
from portula_storage_sql import migrate
from portula_storage_sql.engine import make_engine
from portula_testing import jws
from portula_testing.provider import client_for
from security.driving import CALLBACK, Party, error_of

SECRET = "a secret that a person chose, long enough"
EVERYTHING = (*ROOMS, "admin", "cleanup", "client_assertion", "dcr", "fetch", "jose", "logout", "oidc")
SETTINGS = {
    "OIDC_ENABLED": True,
    "DELIVERY_THREADS": 0,
    "DCR_ENABLED": True,
}
EACH = {name: {"REALM": name} for name in ("north", "south")}


def apart(**given):
    """Make two providers that only their realms tell apart."""
    each = {name: {**EACH[name], **given.pop(name, {})} for name in EACH}
    two = Two(rooms=EVERYTHING, same_keys=True, each=each, **SETTINGS, **given)
    two.southern = {name: two.south.users.create(name, PASSWORD) for name in ("ann", "bob")}
    return two


def migrated(url):
    """Prepare an empty database."""
    engine: Engine = make_engine(url)
    migrate.upgrade(engine, (*CORE_RECORDS, USER_RECORD))
    engine.dispose()
    return url


@pytest.fixture(
    scope="module",
    params=[
        "memory",
        "sqlite",
        pytest.param("POSTGRESQL", marks=pytest.mark.service),
        pytest.param("MARIADB", marks=pytest.mark.service),
    ],
)
def where(request, tmp_path_factory):
    """Where the two keep what they keep, as `apart` is told."""
    if request.param == "memory":
        yield {}
    elif request.param == "sqlite":
        yield {"folder": tmp_path_factory.mktemp("realms")}
    else:
        for url in database_on(f"PORTULA_TEST_{request.param}_URL"):
            yield {"url": migrated(url)}


@pytest.fixture(scope="module")
def two(where):
    made = apart(**where)
    yield made
    made.close()


@pytest.fixture(params=["north to south", "south to north"])
def pair(two, request):
    """The provider that gives, and the other."""
    return (two.north, two.south) if request.param == "north to south" else (two.south, two.north)


@pytest.fixture
def client(pair):
    """A client of the first, and one of the same name and secret of the other."""
    ours, other = pair
    party = ours.client(chosen_secret=SECRET)
    registered = ours.provider.clients.find(party.client_id)
    other.provider.clients.create(replace(registered, name="its namesake"), secret=SECRET)
    return party


def counts(tenant):
    """Return how many records of each kind a realm has."""
    storage = tenant.provider.storage
    return {record.name: len(storage.select(record.cls, limit=1000)) for record in tenant.provider.records}


def authorization(provider, subject, client_id):
    """Keep an authorization of a person for a client, as a grant does."""
    made = Authorization(
        id=f"{provider.realm}{client_id}"[:32],
        client_id=client_id,
        subject=subject,
        scope="read",
        issued_at=provider.now(),
    )
    provider.storage.apply(plan_to_add(made))
    return made.id


def test_a_client_of_the_other_is_unknown(two, pair):
    ours, other = pair
    party = ours.client(chosen_secret=SECRET)
    assert ours.post("token/", party, grant_type="client_credentials").status_code == 200
    assert error_of(other.post("token/", party, grant_type="client_credentials"), 401) == "invalid_client"
    assert other.provider.clients.find(party.client_id) is None
    assert other.provider.clients.find_all([party.client_id]) == {}
    browser = Browser(two)
    browser.sign_in(other)
    page = browser.ask(other, party)
    assert (page.status_code, page.location) == (400, None)


def test_one_client_id_is_two_clients(pair):
    ours, other = pair
    secrets = {}
    for tenant in pair:
        name = f"app-of-{ours.name}"
        application = Application(client_id=name, name=tenant.name, grant_types=("client_credentials",))
        _, secrets[tenant.name] = tenant.provider.clients.create(application)
        with pytest.raises(DuplicateRecord):
            tenant.provider.clients.create(application)
    for tenant in pair:
        for name, secret in secrets.items():
            answer = tenant.post(
                "token/", Party(f"app-of-{ours.name}", secret), grant_type="client_credentials"
            )
            assert answer.status_code == (200 if name == tenant.name else 401)
    provider = ours.provider
    versions = [tenant.provider.clients.find(f"app-of-{ours.name}").version for tenant in pair]
    provider.clients.edit(f"app-of-{ours.name}", lambda found: replace(found, name="another", disabled=True))
    found = [tenant.provider.clients.find(f"app-of-{ours.name}") for tenant in pair]
    assert [(one.name, one.disabled, one.version, one.realm) for one in found] == [
        ("another", True, versions[0] + 1, ours.name),
        (other.name, False, versions[1], other.name),
    ]


def test_a_code(two, pair, client):
    ours, other = pair
    code, verifier = Browser(two).code(ours, client)
    assert error_of(other.redeem(client, code, verifier)) == "invalid_grant"
    assert ours.redeem(client, code, verifier).status_code == 200


def test_tokens(pair, client):
    ours, other = pair
    tokens = ours.tokens(client, scope="openid read")
    for token in (tokens["access_token"], tokens["refresh_token"]):
        assert not other.is_active(client, token)
        assert other.post("revoke_token/", client, token=token).status_code == 200
        assert ours.is_active(client, token)
    assert other.resource(tokens["access_token"]).status_code == 401
    assert other.open("userinfo/", token=tokens["access_token"]).status_code == 401
    assert ours.resource(tokens["access_token"]).status_code == 200
    assert error_of(other.refresh(client, tokens["refresh_token"])) == "invalid_grant"
    renewed = ours.refresh(client, tokens["refresh_token"])
    assert renewed.status_code == 200
    assert ours.post("revoke_token/", client, token=renewed.json["refresh_token"]).status_code == 200
    assert not ours.is_active(client, renewed.json["access_token"])


def test_a_session_cookie(two, pair):
    ours, other = pair
    browser = Browser(two)
    browser.sign_in(ours)
    for cookie in ("session", "browser"):
        browser.plant(f"{other.name}_{cookie}", browser.cookie(f"{ours.name}_{cookie}"))
    assert browser.is_signed_in(ours)
    assert not browser.is_signed_in(other)


def test_a_consent(two, pair, client):
    ours, other = pair
    browser = Browser(two)
    browser.code(ours, client)
    browser.sign_in(other)
    assert "ask" in browser.ask(other, client, approval_prompt="auto").text
    subject = ours.users.find_by_name("ann").sub
    memories = [tenant.provider.hooks.ask(Plugin.portula_consent).memory for tenant in pair]
    assert [memory.scopes(subject, client.client_id) for memory in memories] == [{"read"}, frozenset()]
    assert client.client_id not in browser.get(f"/{other.name}/authorized_tokens/").text


def test_taking_access_back_ends_nothing_in_the_other(pair, client):
    """Not even where one person has one name in both, as under a login of a deployment's own."""
    ids = [authorization(tenant.provider, "somebody", client.client_id) for tenant in pair]
    ours, other = (tenant.provider for tenant in pair)
    ours.hooks.ask(Plugin.portula_consent).memory.withdraw("somebody", client.client_id)
    assert ours.storage.find(Authorization, id=ids[0]).revoked_at is not None
    assert other.storage.find(Authorization, id=ids[1]).revoked_at is None
    assert ours.storage.find(Authorization, id=ids[1]) is None
    found = {found.id for found in other.storage.select(Authorization, subject="somebody")}
    assert (ids[0] in found, ids[1] in found) == (False, True)


def test_people_are_of_one_realm(two, pair, client):
    ours, other = pair
    name = f"person-{ours.name}-{client.client_id[:8]}"
    people = [tenant.users.create(name, PASSWORD) for tenant in pair]
    assert people[0].sub != people[1].sub
    assert [tenant.users.find_by_name(name).sub for tenant in pair] == [person.sub for person in people]
    assert other.users.find(people[0].sub) is None
    tokens = [tenant.tokens(client, name)["access_token"] for tenant in pair]
    with two.app.test_request_context(base_url=HOST):
        ours.users.disable(ours.users.find_by_name(name))
        other.users.disable(people[0])  # who is nobody there
    assert ours.resource(tokens[0]).status_code == 401
    assert other.resource(tokens[1]).status_code == 200
    only = ours.users.create(f"only-{name}", PASSWORD)
    assert other.users.find_by_name(only.username) is None


def test_registrations_and_initial_access_tokens(two, pair):
    ours, other = pair
    tokens = [InitialAccessTokens(tenant.provider) for tenant in pair]
    value = tokens[0].create(f"for {ours.name}", max_uses=5, expires_in=None)
    assert tokens[1].find(value) is None
    assert f"for {ours.name}" not in [token.name for token in tokens[1].all()]
    wish = {"redirect_uris": [CALLBACK]}
    assert other.open("register/", "POST", value, json=wish).status_code == 401
    made = ours.open("register/", "POST", value, json=wish).json
    path, own = f"register/?client_id={made['client_id']}", made["registration_access_token"]
    assert [tenant.open(path, "GET", own).status_code for tenant in pair] == [200, 401]
    assert other.open(path, "DELETE", own).status_code == 401
    assert ours.open(path, "DELETE", own).status_code == 204


def test_signing_keys(pair, client):
    ours, _ = pair
    token = ours.tokens(client, scope="openid")["id_token"]
    kids = [{key["kid"] for key in tenant.open(".well-known/jwks.json").json["keys"]} for tenant in pair]
    assert kids[0].isdisjoint(kids[1])
    assert jws.taken_apart(token)[0]["kid"] in kids[0]


def test_an_assertion_is_used_once_in_each(two, pair):
    ours, other = pair
    key, client_id = jws.TokenKey("ES256"), f"signs-{ours.name}"
    for tenant in pair:
        client_for(
            tenant.provider,
            "client_credentials",
            client_id=client_id,
            token_endpoint_auth_method="private_key_jwt",
            metadata={"jwks": key.jwks},
        )
    now, answers = int(two.clock()), []
    claims = {"iss": client_id, "sub": client_id, "jti": "one", "iat": now, "exp": now + 60}
    for tenant in (ours, ours, other, other):
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": key.sign({**claims, "aud": tenant.provider.issuer}),
        }
        answers.append(tenant.open("token/", "POST", data=form).status_code)
    assert answers == [200, 401, 200, 401]


def test_one_browser_signs_out_of_one(two, pair):
    ours, other = pair
    browser = Browser(two)
    browser.sign_in(ours)
    browser.sign_in(other)
    with two.app.app_context():
        ended = ours.provider.hooks.ask(Plugin.portula_sessions).end_all(ours.users.find_by_name("ann").sub)
    assert ended >= 1
    assert not browser.is_signed_in(ours)
    assert browser.is_signed_in(other)


def test_cleaning_up_deletes_nothing_of_the_other(two, pair, client):
    ours, other = pair
    for tenant in pair:
        tenant.tokens(client)
    two.clock.advance(100 * 24 * 3600)
    before = counts(other)
    assert sum(batch.deleted for batch in Sweep(ours.provider).run()) > 0
    assert counts(other) == before
    looked = [sum(batch.deleted for batch in Sweep(tenant.provider).look()) for tenant in pair]
    assert looked[0] == 0
    assert looked[1] > 0


def test_lists_show_one_realm(two, pair, client):
    ours, other = pair
    here = ours.client(chosen_secret=SECRET)
    there = other.client(chosen_secret=SECRET)
    ours.tokens(here)
    other.tokens(there)
    for cls, by in (
        (Application, "created_at"),
        (Authorization, "issued_at"),
        (AccessToken, "issued_at"),
        (RefreshToken, "issued_at"),
    ):
        found = ours.provider.storage.walk(cls, by, descending=True, limit=1000)
        assert found
        assert {record.realm for record in found} == {ours.name}
        assert there.client_id not in {record.client_id for record in found}
    for cls in (Artifact, User):
        assert {record.realm for record in ours.provider.storage.select(cls, limit=1000)} == {ours.name}
    name = f"admin-{client.client_id[:10]}"
    ours.users.promote(ours.users.create(name, PASSWORD))
    browser = Browser(two)
    browser.sign_in(ours, name)
    listed = browser.get(f"/{ours.name}/admin/application/").text
    assert here.client_id in listed
    assert there.client_id not in listed
    view = f"/{ours.name}/admin/application/view/"
    assert browser.get(view, query_string={"id": here.client_id}).status_code == 200
    assert browser.get(view, query_string={"id": there.client_id}).status_code == 404
    assert browser.get(f"/{other.name}/admin/application/").status_code != 200


def test_events_and_records_say_their_realm(two, pair):
    ours, _ = pair
    party = ours.client(chosen_secret=SECRET)
    ours.recorder.events.clear()
    ours.tokens(party)
    assert {LoginSucceeded, TokenIssued} <= {type(event) for event in ours.recorder.events}
    assert {event.realm for event in ours.recorder.events} == {ours.name}
    issued = ours.recorder.of(TokenIssued)[-1]
    assert issued.as_json()["realm"] == ours.name
    granted = ours.provider.storage.find(Authorization, id=issued.authorization)
    assert granted.realm == ours.name
    assert ours.provider.clients.find(party.client_id).realm == ours.name


# --- CLIENTS_SHARED ---


@pytest.fixture(scope="module")
def sharing(where):
    """Two realms, east and west; the clients of the west are those of the east."""
    made = apart(**where, north={"REALM": "east"}, south={"REALM": "west", "CLIENTS_SHARED": "east"})
    yield made
    made.close()


def test_a_shared_client_is_one_of_both(sharing):
    north, south = sharing.north, sharing.south
    for maker, other in ((north, south), (south, north)):
        party = maker.client(chosen_secret=SECRET)
        for tenant in (maker, other):
            assert tenant.post("token/", party, grant_type="client_credentials").status_code == 200
            assert tenant.provider.clients.find(party.client_id).realm == "east"
        assert other.provider.storage.select(Application, client_id=party.client_id) != []
    other.provider.clients.edit(party.client_id, lambda found: replace(found, disabled=True))
    assert error_of(maker.post("token/", party, grant_type="client_credentials"), 401) == "invalid_client"


def test_all_else_of_a_shared_client_stays_in_its_realm(sharing):
    north, south = sharing.north, sharing.south
    party = north.client()
    ours, theirs = north.tokens(party), south.tokens(party, "bob")
    for tokens, tenant, other in ((ours, north, south), (theirs, south, north)):
        for token in (tokens["access_token"], tokens["refresh_token"]):
            assert tenant.is_active(party, token)
            assert not other.is_active(party, token)
        assert tenant.resource(tokens["access_token"]).status_code == 200
        assert other.resource(tokens["access_token"]).status_code == 401
        assert error_of(other.refresh(party, tokens["refresh_token"])) == "invalid_grant"
    assert north.refresh(party, ours["refresh_token"]).status_code == 200
    assert {event.realm for event in south.recorder.of(TokenIssued)} == {"west"}
