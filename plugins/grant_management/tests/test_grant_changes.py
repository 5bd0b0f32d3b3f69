"""What happens to a grant meanwhile: revoked, merged twice at once, replayed, gone with its time; on each storage."""

import pytest
from security.driving import answered, error_of
from sqlalchemy.engine import Engine
from support.browser import forms_of
from support.databases import database_on
from support.managed_grants import MANAGED, Managed
from support.racing import together
from support.tenants import PASSWORD, ROOMS, Browser, Two

import portula_cleanup
from portula import Plugin
from portula.plugin import CORE_RECORDS, AccessToken, Artifact, Authorization, Grant, RefreshToken
from portula_accounts.records import USER_RECORD
from portula_cleanup.sweep import Sweep
from portula_grant_management import endpoint
from portula_storage_sql import migrate
from portula_storage_sql.engine import make_engine

SETTINGS = {**MANAGED, "SIGNING_KEYS_GENERATED": True}


class Meanwhile(Plugin):
    """Does something once, between the judgement of a token request and the moment at which it is written."""

    act = None

    def portula_record_token(self, event):
        act, self.act = self.act, None
        if act is not None:
            act()


@pytest.fixture(scope="module")
def meanwhile():
    return Meanwhile()


@pytest.fixture(
    scope="module", params=["memory", "sqlite", pytest.param("POSTGRESQL", marks=pytest.mark.service)]
)
def world(request, make_world, meanwhile, tmp_path_factory):
    if request.param == "memory":
        yield make_world(meanwhile, **SETTINGS)
        return
    if request.param == "sqlite":
        world = make_world(meanwhile, folder=tmp_path_factory.mktemp("grants"), **SETTINGS)
        yield world
        world.close()
        return
    for url in database_on("PORTULA_TEST_POSTGRESQL_URL"):
        engine: Engine = make_engine(url)
        migrate.upgrade(engine, (*CORE_RECORDS, USER_RECORD))
        engine.dispose()
        world = make_world(meanwhile, STORAGE="storage_sql", DATABASE_URL=url, **SETTINGS)
        yield world
        world.close()


@pytest.fixture
def shop(world, meanwhile):
    meanwhile.act = None
    return Managed(world)


def kept(shop, cls):
    storage = shop.world.provider.storage
    return [each for each in storage.select(cls, limit=10**5) if each.client_id == shop.party.client_id]


def live(shop):
    return [each for each in kept(shop, Authorization) if each.revoked_at is None]


def scopes(shop, grant_id):
    return {scope for each in shop.query(grant_id)["scopes"] for scope in each["scope"].split()}


# --- Ended meanwhile ---


@pytest.mark.parametrize("action", ["merge", "replace"])
def test_a_grant_that_is_ended_between_the_answer_and_the_code_stays_ended(shop, action):
    grant_id = shop.tokens(scope="read")["grant_id"]
    code = shop.code(action, grant_id, scope="write")
    assert shop.call(grant_id, "DELETE").status_code == 204
    assert error_of(shop.redeem(code)) == "invalid_grant"
    assert not shop.is_known(grant_id)
    assert [each.scope for each in kept(shop, AccessToken) if each.subject is not None] == ["read"]


@pytest.mark.parametrize("action", ["merge", "replace"])
def test_a_grant_that_is_ended_while_the_person_reads_the_page_is_told(shop, action):
    grant_id = shop.tokens(scope="read")["grant_id"]
    asked = {"grant_management_action": action, "grant_id": grant_id, "scope": "write"}
    page = shop.browser.consent_page(shop.party, **asked)
    shop.call(grant_id, "DELETE")
    answer = shop.browser.submit(page, "consent-allow")
    assert "error=invalid_grant_id" in answer.location


@pytest.mark.parametrize("action", ["merge", "replace"])
def test_a_grant_that_is_ended_in_the_moment_of_the_code_stays_ended(shop, meanwhile, action):
    grant_id = shop.tokens(scope="read")["grant_id"]
    code, token = shop.code(action, grant_id, scope="write"), shop.own_token()
    meanwhile.act = lambda: shop.call(grant_id, "DELETE", token)
    assert error_of(shop.redeem(code)) == "invalid_grant"
    assert not shop.is_known(grant_id)
    assert len([each for each in kept(shop, AccessToken) if each.subject is not None]) == 1


def test_a_grant_that_is_replaced_in_the_moment_it_is_ended_is_ended(shop, monkeypatch):
    grant_id = shop.tokens(scope="read")["grant_id"]
    code, token = shop.code("replace", grant_id, scope="write"), shop.own_token()
    real, tokens = endpoint.revoke_authorization, []

    def late(*given):
        if not tokens:
            tokens.append(shop.redeem(code).json)
        return real(*given)

    monkeypatch.setattr(endpoint, "revoke_authorization", late)
    assert shop.call(grant_id, "DELETE", token).status_code == 204
    assert shop.active(tokens[0]["access_token"], tokens[0]["refresh_token"]) == [False, False]
    assert live(shop) == []


def test_a_refresh_in_the_moment_a_grant_is_ended_gets_nothing(shop, meanwhile):
    tokens, token = shop.tokens(scope="read"), shop.own_token()
    meanwhile.act = lambda: shop.call(tokens["grant_id"], "DELETE", token)
    assert error_of(shop.refresh(tokens)) == "invalid_grant"
    assert live(shop) == []


def test_a_refresh_in_the_moment_a_grant_is_merged_gets_nothing_and_ends_nothing(shop, meanwhile):
    tokens = shop.tokens(scope="read")
    code, merged = shop.code("merge", tokens["grant_id"], scope="write"), []
    meanwhile.act = lambda: merged.append(shop.redeem(code).json)
    assert error_of(shop.refresh(tokens)) == "invalid_grant"
    assert shop.active(merged[0]["access_token"], merged[0]["refresh_token"]) == [True, True]
    assert shop.refresh(merged[0]).status_code == 200


def test_a_merge_in_the_moment_of_a_refresh_ends_what_that_gets(shop, meanwhile):
    tokens = shop.tokens(scope="read")
    code, refreshed = shop.code("merge", tokens["grant_id"], scope="write"), []
    meanwhile.act = lambda: refreshed.append(shop.refresh(tokens).json)
    merged = shop.redeem(code).json
    assert set(merged["scope"].split()) == {"read", "write"}
    assert shop.active(refreshed[0]["access_token"], refreshed[0]["refresh_token"]) == [False, False]
    assert len(live(shop)) == 1


def test_a_person_who_shuts_the_app_out_ends_its_grants(shop):
    first, second = shop.tokens(scope="read"), shop.tokens(scope="write")
    code = shop.code("merge", first["grant_id"], scope="share")
    page = shop.browser.get("/o/authorized_tokens/")
    (form,) = [each for each in forms_of(page.text) if each.fields.get("client_id") == shop.party.client_id]
    assert shop.browser.post(form.action, form.fields).status_code == 303
    for tokens in (first, second):
        assert error_of(shop.call(tokens["grant_id"]), 404) == "invalid_grant_id"
        assert shop.active(tokens["access_token"]) == [False]
    assert error_of(shop.redeem(code)) == "invalid_grant"


def test_a_client_that_gives_its_refresh_token_back_ends_the_grant(shop):
    tokens = shop.tokens(scope="read")
    assert shop.door.revoke(shop.party, tokens["refresh_token"]).status_code == 200
    assert not shop.is_known(tokens["grant_id"])


def test_a_code_whose_person_never_gets_their_tokens_leaves_the_grant_as_it_is(shop):
    tokens = shop.tokens(scope="read")
    code = shop.code("replace", tokens["grant_id"], scope="write")
    shop.world.clock.forward(120)
    assert error_of(shop.redeem(code)) == "invalid_grant"
    assert scopes(shop, tokens["grant_id"]) == {"read"}


# --- Used twice ---


@pytest.mark.parametrize("action", ["merge", "replace"])
def test_a_code_that_comes_again_ends_the_grant(shop, action):
    first = shop.tokens(scope="read")
    code = shop.code(action, first["grant_id"], scope="write")
    second = shop.redeem(code).json
    assert error_of(shop.redeem(code)) == "invalid_grant"
    assert shop.active(second["access_token"], second["refresh_token"]) == [False, False]
    assert error_of(shop.call(first["grant_id"]), 404) == "invalid_grant_id"
    assert live(shop) == []


def test_the_code_of_the_grant_that_comes_again_after_a_merge_ends_nothing_of_that(shop):
    code = shop.code(scope="read")
    first = shop.redeem(code).json
    second = shop.tokens("merge", first["grant_id"], scope="write")
    assert error_of(shop.redeem(code)) == "invalid_grant"
    assert shop.active(second["access_token"]) == [True]


def test_a_code_redeemed_twice_at_one_moment_merges_once(shop):
    grant_id = shop.tokens(scope="read")["grant_id"]
    code = shop.code("merge", grant_id, scope="write")
    answers = together([lambda: shop.redeem(code)] * 6)
    assert sorted(answer.json.get("error", "") for answer in answers) == ["", *["invalid_grant"] * 5]
    assert len(live(shop)) <= 1


# --- Two at once ---


def test_two_that_are_merged_one_after_the_other_are_both_in_it(shop):
    grant_id = shop.tokens(scope="read")["grant_id"]
    codes = [shop.code("merge", grant_id, scope=scope) for scope in ("write", "share")]
    for code in codes:
        assert shop.redeem(code).status_code == 200
    assert scopes(shop, grant_id) == {"read", "write", "share"}
    assert len(live(shop)) == 1


def test_of_two_that_are_merged_in_one_moment_one_comes_again_and_both_are_in_it(shop, meanwhile):
    grant_id = shop.tokens(scope="read")["grant_id"]
    write, share = (shop.code("merge", grant_id, scope=scope) for scope in ("write", "share"))
    inner = []
    meanwhile.act = lambda: inner.append(shop.redeem(share))
    refused = shop.redeem(write)
    assert error_of(refused, 503) == "temporarily_unavailable"
    assert refused.headers["Retry-After"] == "1"
    assert inner[0].status_code == 200
    assert scopes(shop, grant_id) == {"read", "share"}
    again = shop.redeem(write)
    assert again.status_code == 200
    assert set(again.json["scope"].split()) == scopes(shop, grant_id) == {"read", "write", "share"}
    assert len(live(shop)) == 1


def test_many_that_are_merged_in_one_moment_lose_nothing(shop):
    grant_id = shop.tokens(scope="read")["grant_id"]
    codes = [shop.code("merge", grant_id, scope=scope) for scope in ("write", "share", "read write")]
    answers = together([lambda code=code: shop.redeem(code) for code in codes])
    assert {answer.status_code for answer in answers} <= {200, 503}
    assert any(answer.status_code == 200 for answer in answers)
    for code, answer in zip(codes, answers, strict=True):
        if answer.status_code == 503:
            assert shop.redeem(code).status_code == 200
    assert scopes(shop, grant_id) == {"read", "write", "share"}
    assert len(live(shop)) == 1


@pytest.mark.parametrize("reader", ["query", "revoke", "authorize", "redeem"])
def test_a_grant_that_is_merged_between_two_reads_of_it_is_not_taken_for_ended(shop, monkeypatch, reader):
    storage, grant_id = shop.world.provider.storage, shop.tokens(scope="read")["grant_id"]
    inner, outer = (shop.code("merge", grant_id, scope=scope) for scope in ("write", "share"))
    token, real, waiting = shop.own_token(), storage.find, [inner]

    def find(cls, /, **keys):
        found = real(cls, **keys)
        if waiting and cls is Artifact and getattr(found, "kind", "") == "grant":
            assert shop.redeem(waiting.pop()).status_code == 200
        return found

    asked = {"grant_management_action": "merge", "grant_id": grant_id, "scope": "share"}
    does = {
        "query": lambda: shop.call(grant_id, token=token),
        "revoke": lambda: shop.call(grant_id, "DELETE", token),
        "authorize": lambda: shop.browser.consent_page(shop.party, **asked),
        "redeem": lambda: shop.redeem(outer),
    }
    monkeypatch.setattr(storage, "find", find)
    answer = does[reader]()
    assert not waiting
    assert answer.status_code == (204 if reader == "revoke" else 200)


# --- With time ---


def test_a_grant_without_refresh_tokens_ends_with_its_last_access_token(make_world):
    world = make_world(
        **SETTINGS, REFRESH_TOKEN_REQUIRES_OFFLINE_ACCESS=True, ACCESS_TOKEN_EXPIRE_SECONDS=600
    )
    shop = Managed(world)
    first = shop.tokens(scope="read")
    assert "refresh_token" not in first
    world.clock.forward(500)
    shop.tokens("merge", first["grant_id"], scope="write")
    world.clock.forward(500)
    assert scopes(shop, first["grant_id"]) == {"read", "write"}
    world.clock.forward(1000)
    assert error_of(shop.call(first["grant_id"]), 404) == "invalid_grant_id"


def test_nothing_of_a_grant_is_left_when_its_time_is_over(make_world):
    ends = {"REFRESH_TOKEN_EXPIRE_SECONDS": 3600, "ACCESS_TOKEN_EXPIRE_SECONDS": 600}
    world = make_world(portula_cleanup, **SETTINGS, **ends)
    shop = Managed(world)
    tokens = shop.tokens(scope="read")
    for _ in range(3):
        world.clock.forward(3000)
        tokens = shop.refresh(tokens).json
        assert shop.is_known(tokens["grant_id"])
    merged = shop.tokens("merge", tokens["grant_id"], scope="write")
    world.clock.forward(3000)
    assert shop.refresh(merged).status_code == 200
    assert shop.is_known(tokens["grant_id"])
    world.clock.forward(20000)
    assert error_of(shop.call(tokens["grant_id"]), 404) == "invalid_grant_id"
    world.clock.forward(100000)
    list(Sweep(world.provider).run())
    for cls in (Authorization, RefreshToken, Grant):
        assert kept(shop, cls) == []
    assert [each for each in kept(shop, Artifact) if each.kind == "grant"] == []


def test_a_grant_whose_tokens_have_no_end_is_known_as_long_as_it_is_used(make_world):
    world = make_world(portula_cleanup, **SETTINGS, GRANT_MANAGEMENT_IDLE_SECONDS=86400)
    shop = Managed(world)
    tokens = shop.tokens(scope="read")
    for _ in range(3):
        world.clock.forward(80000)
        tokens = shop.refresh(tokens).json
    assert shop.is_known(tokens["grant_id"])
    world.clock.forward(86401)
    assert not shop.is_known(tokens["grant_id"])
    list(Sweep(world.provider).run())
    assert [each for each in kept(shop, Artifact) if each.kind == "grant"] == []
    assert shop.refresh(tokens).status_code == 200


# --- Keys and realms ---


def test_a_grant_outlives_the_secret_keys(make_world, tmp_path):
    keys = ["the first key, of enough bytes", "another key, of enough bytes"]
    world = make_world(folder=tmp_path, SECRET_KEYS=keys[:1], **SETTINGS)
    shop = Managed(world)
    tokens = shop.tokens(scope="read")
    world.close()
    shop.world = make_world(folder=tmp_path, SECRET_KEYS=keys[::-1], **SETTINGS)
    shop.world.clock.time = world.clock.time
    shop.browser = shop.world.browser()
    assert scopes(shop, tokens["grant_id"]) == {"read"}
    shop.tokens("merge", tokens["grant_id"], scope="write")
    assert scopes(shop, tokens["grant_id"]) == {"read", "write"}
    assert shop.call(tokens["grant_id"], "DELETE").status_code == 204
    shop.world.close()


def test_another_realm_knows_nothing_of_a_grant():
    rooms = (*ROOMS, "grant_management")
    each = {"north": {"REALM": "north"}, "south": {"REALM": "south", "CLIENTS_SHARED": "north"}}
    two = Two(rooms=rooms, same_keys=True, each=each, GRANT_MANAGEMENT_ENABLED=True)
    two.south.users.create("ann", PASSWORD)
    party = two.north.client()
    scope = "grant_management_query grant_management_revoke"
    grant_id = two.north.tokens(party, grant_management_action="create")["grant_id"]
    own = {
        tenant.name: tenant.post("token/", party, grant_type="client_credentials", scope=scope).json[
            "access_token"
        ]
        for tenant in (two.north, two.south)
    }
    for method in ("GET", "DELETE"):
        assert error_of(two.south.open(f"grants/{grant_id}", method, own["south"]), 404) == "invalid_grant_id"
    assert two.north.open(f"grants/{grant_id}", token=own["south"]).status_code == 401
    browser = Browser(two)
    browser.sign_in(two.south)
    asked = browser.ask(two.south, party, grant_management_action="merge", grant_id=grant_id)
    assert answered(asked)["error"] == "invalid_grant_id"
    assert two.north.open(f"grants/{grant_id}", token=own["north"]).status_code == 200
