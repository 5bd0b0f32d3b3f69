"""What an introspection response says, and to whom (RFC 7662)."""

import pytest

from portula import ConfigError, hookimpl
from portula.plugin import AccessToken, Application, Authorization, RefreshToken, User, revoke_authorization
from portula_testing.writing import change_in, remove_from

INACTIVE = b'{"active":false}'


def test_an_access_token_of_a_person_is_told_with_its_facts(world):
    issued = world.tokens(grant_type="password", scope="read")
    answer = world.ask(issued["access_token"])
    assert answer.status_code == 200
    assert answer.json == {
        "active": True,
        "scope": "read",
        "client_id": "app",
        "username": "ann",
        "token_type": "Bearer",
        "exp": world.host.time + issued["expires_in"],
        "iat": world.host.time,
        "sub": "1",
        "iss": "http://localhost/o",
    }


def test_an_access_token_of_a_client_has_no_person(world):
    told = world.ask(world.tokens()["access_token"]).json
    assert told["active"] is True
    assert "sub" not in told
    assert "username" not in told


def test_a_refresh_token_is_told_as_one(world):
    issued = world.tokens(grant_type="password", scope="read write")
    assert world.ask(issued["refresh_token"], caller="app").json == {
        "active": True,
        "scope": "read write",
        "client_id": "app",
        "username": "ann",
        "iat": world.host.time,
        "sub": "1",
        "iss": "http://localhost/o",
        "token_use": "refresh_token",
    }


@pytest.mark.parametrize("hint", ["access_token", "refresh_token", "something_else"])
@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
def test_a_wrong_hint_hides_nothing(world, kind, hint):
    issued = world.tokens(grant_type="password")
    assert world.ask(issued[kind], caller="app", token_type_hint=hint).json["active"] is True


def test_the_answer_is_never_cached(world):
    headers = world.ask(world.tokens()["access_token"]).headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["Pragma"] == "no-cache"
    assert headers["Content-Type"] == "application/json"


def test_a_plugin_adds_members_and_overwrites_none(make):
    class Tenant:
        @hookimpl
        def portula_introspection_response(self, answer):
            return {"tenant": answer.token.client_id, "active": False, "scope": "everything"}

    world = make(Tenant())
    told = world.ask(world.tokens(scope="read")["access_token"]).json
    assert (told["tenant"], told["active"], told["scope"]) == ("app", True, "read")


def test_every_reason_for_inactive_gives_the_same_bytes(make):
    world = make(INTROSPECTION_SAME_CLIENT_ONLY=True)
    foreign = world.ask(world.tokens()["access_token"])
    unknown = world.ask("nothing")
    mine = world.tokens("api")["access_token"]
    world.host.time += 36000
    expired = world.ask(mine)
    assert foreign.data == unknown.data == expired.data == INACTIVE
    assert list(foreign.headers) == list(unknown.headers) == list(expired.headers)


@pytest.mark.parametrize(
    ("kind", "name", "change"),
    [
        (AccessToken, "access_token", {"revoked_at": 1}),
        (AccessToken, "access_token", {"expires_at": 1}),
        (RefreshToken, "refresh_token", {"expires_at": 1}),
    ],
)
def test_revoked_and_expired_tokens_are_inactive(world, kind, name, change):
    token = world.tokens(grant_type="password")[name]
    world.change(kind, token, **change)
    assert world.ask(token).data == INACTIVE


@pytest.mark.parametrize("name", ["access_token", "refresh_token"])
def test_tokens_of_a_revoked_authorization_are_inactive(world, name):
    token = world.tokens(grant_type="password")[name]
    (authorization,) = world.provider.storage.select(Authorization)
    revoke_authorization(world.provider, authorization.id)
    assert world.ask(token, caller="app").data == INACTIVE


def test_a_used_refresh_token_is_inactive(world):
    token = world.tokens(grant_type="password")["refresh_token"]
    world.tokens(grant_type="refresh_token", refresh_token=token)
    assert world.ask(token, caller="app").data == INACTIVE


@pytest.mark.parametrize("name", ["access_token", "refresh_token"])
def test_disabling_the_person_is_seen_at_once(world, name):
    token = world.tokens(grant_type="password")[name]
    world.host.people["1"] = User("1", "ann", active=False)
    assert world.ask(token, caller="app").data == INACTIVE
    world.host.people["1"] = User("1", "ann")
    assert world.ask(token, caller="app").json["active"] is True


def test_disabling_the_client_is_seen_at_once(world):
    token = world.tokens(grant_type="password")["access_token"]
    assert world.ask(token).json["active"] is True
    change_in(world.provider.storage, Application, {"client_id": "app"}, disabled=True)
    assert world.ask(token).data == INACTIVE
    remove_from(world.provider.storage, Application, client_id="app")
    assert world.ask(token).data == INACTIVE


def test_every_alteration_of_a_token_fails(world):
    token = world.tokens()["access_token"]
    altered = [token[:-1], token[1:], token + "a", token.swapcase(), token[:5], f"{token}=", "é" + token]
    altered += [
        token[:place] + chr(ord(token[place]) ^ 1) + token[place + 1 :] for place in range(len(token))
    ]
    assert {world.ask(wrong).data for wrong in altered} == {INACTIVE}


@pytest.mark.parametrize("same_client_only", [False, True])
def test_a_token_with_an_audience_is_shown_to_it_alone(make, same_client_only):
    world = make(INTROSPECTION_SAME_CLIENT_ONLY=same_client_only)
    token = world.tokens()["access_token"]
    world.change(AccessToken, token, audience=("api",))
    assert world.ask(token, "api").json["aud"] == ["api"]
    assert world.ask(token, "app").data == INACTIVE


def test_a_client_may_be_the_audience_by_further_names(make):
    class Names:
        @hookimpl
        def portula_audiences(self, provider):
            return {"api": ["https://api.example/", "urn:api"]}

    world = make(Names())
    for name, caller, active in (("urn:api", "api", True), ("urn:api", "app", False), ("api", "api", True)):
        token = world.tokens()["access_token"]
        world.change(AccessToken, token, audience=(name,))
        assert world.ask(token, caller).json["active"] is active


def test_two_plugins_that_name_one_client_stop_the_start(make):
    def naming(name):
        contribute = hookimpl(lambda self, provider: {"api": [name]})
        return type(name.title(), (), {"portula_audiences": contribute})()

    with pytest.raises(ConfigError, match="portula_audiences: 'api' comes from"):
        make(naming("one"), naming("two"))


def test_an_audience_is_compared_whole(world):
    token = world.tokens()["access_token"]
    world.change(AccessToken, token, audience=("api-and-more",))
    assert world.ask(token, "api").data == INACTIVE


def test_with_same_client_only_a_client_sees_its_own_tokens(make):
    world = make(INTROSPECTION_SAME_CLIENT_ONLY=True)
    token = world.tokens()["access_token"]
    assert world.ask(token, "app").json["active"] is True
    assert world.ask(token, "api").data == INACTIVE


def test_metadata_names_the_endpoint_and_leaves_out_none(world):
    document = world.http.get("/o/.well-known/oauth-authorization-server").json
    assert document["introspection_endpoint"] == "http://localhost/o/introspect/"
    methods = document["introspection_endpoint_auth_methods_supported"]
    assert set(methods) == {"client_secret_basic", "client_secret_post"}
    assert "introspection" in document["scopes_supported"]
