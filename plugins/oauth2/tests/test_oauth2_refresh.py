"""Refreshing: rotation, grace, when a refresh token is given at all, and narrowing of scopes (RFC 6749 §6)."""

import secrets

import pytest


def test_a_refresh_gives_new_tokens_and_ends_the_access_token_before(world, refused):
    client = world.client()
    first = world.tokens(client)
    response = world.refresh(client, first["refresh_token"])
    second = response.json
    assert response.status_code == 200
    assert second["refresh_token"] != first["refresh_token"]
    assert second["access_token"] != first["access_token"]
    assert (world.alive(first), world.alive(second)) == (False, True)
    assert refused(world.refresh(client, first["refresh_token"])) == "invalid_grant"


def test_without_rotation_the_refresh_token_stays_and_the_access_token_is_replaced(make):
    world = make(ROTATE_REFRESH_TOKEN=False)
    client = world.client()
    first = world.tokens(client)
    second, third = (world.refresh(client, first["refresh_token"]).json for _ in range(2))
    assert second["refresh_token"] == third["refresh_token"] == first["refresh_token"]
    assert [world.alive(tokens) for tokens in (first, second, third)] == [False, False, True]


def test_a_public_client_rotates_whatever_is_configured(make):
    world = make(ROTATE_REFRESH_TOKEN=False)
    client = world.public()
    first = world.tokens(client)
    second = world.refresh(client, first["refresh_token"]).json
    assert second["refresh_token"] != first["refresh_token"]
    assert world.refresh(client, first["refresh_token"]).status_code == 400


def own_value(_request):
    return secrets.token_urlsafe(32)


@pytest.mark.parametrize(
    "settings", [{}, {"REFRESH_TOKEN_GENERATOR": own_value}], ids=["ours", "own generator"]
)
def test_within_grace_a_superseded_refresh_token_gets_the_same_answer_again(make, settings):
    world = make(REFRESH_TOKEN_GRACE_PERIOD_SECONDS=120, **settings)
    client = world.client()
    first = world.tokens(client)
    second = world.refresh(client, first["refresh_token"]).json
    world.later(119)
    third = world.refresh(client, first["refresh_token"]).json
    assert third == {**second, "expires_in": second["expires_in"] - 119}
    assert world.alive(second)
    assert world.refresh(client, third["refresh_token"]).status_code == 200


@pytest.mark.parametrize(("grace", "seconds"), [(120, 120), (0, 0)])
def test_after_grace_a_superseded_refresh_token_ends_all(make, refused, grace, seconds):
    world = make(REFRESH_TOKEN_GRACE_PERIOD_SECONDS=grace)
    client = world.client()
    first = world.tokens(client)
    second = world.refresh(client, first["refresh_token"]).json
    world.later(seconds)
    assert refused(world.refresh(client, first["refresh_token"])) == "invalid_grant"
    assert not world.alive(second)
    assert refused(world.refresh(client, second["refresh_token"])) == "invalid_grant"


def test_grace_ends_when_the_successor_is_used(make, refused):
    world = make(REFRESH_TOKEN_GRACE_PERIOD_SECONDS=120)
    client = world.client()
    first = world.tokens(client)
    second = world.refresh(client, first["refresh_token"]).json
    world.refresh(client, second["refresh_token"])
    assert refused(world.refresh(client, first["refresh_token"])) == "invalid_grant"


def test_grace_is_not_for_revoked_refresh_tokens(make, refused):
    world = make(REFRESH_TOKEN_GRACE_PERIOD_SECONDS=120)
    client = world.client()
    first = world.tokens(client)
    second = world.refresh(client, first["refresh_token"]).json
    world.post("/o/revoke_token/", {"token": second["refresh_token"]}, client.headers)
    assert refused(world.refresh(client, first["refresh_token"])) == "invalid_grant"


def test_a_refresh_token_comes_with_the_code_grant_and_not_with_client_credentials(world):
    client = world.client()
    assert "refresh_token" in world.tokens(client)
    assert "refresh_token" not in world.token(client, "client_credentials").json


def test_a_refresh_token_may_depend_on_offline_access(make):
    world = make(REFRESH_TOKEN_REQUIRES_OFFLINE_ACCESS=True)
    client = world.client()
    assert "refresh_token" not in world.tokens(client, scope="read")
    tokens = world.tokens(client, scope="read offline_access")
    narrowed = world.refresh(client, tokens["refresh_token"], scope="read").json
    assert narrowed["scope"] == "read"
    assert narrowed["refresh_token"] != tokens["refresh_token"]


def test_a_refresh_may_narrow_and_later_ask_for_all_again(world):
    client = world.client()
    tokens = world.tokens(client, scope="read write")
    narrowed = world.refresh(client, tokens["refresh_token"], scope="write").json
    assert narrowed["scope"] == "write"
    live = world.provider.validator.find_live_access_token(narrowed["access_token"])
    assert live.token.scope == "write"
    whole = world.refresh(client, narrowed["refresh_token"]).json
    assert whole["scope"] == "read write"


@pytest.mark.parametrize("scope", ["read write", "unheard-of"])
def test_a_refresh_never_widens(world, refused, scope):
    client = world.client()
    tokens = world.tokens(client, scope="read")
    assert refused(world.refresh(client, tokens["refresh_token"], scope=scope)) == "invalid_scope"
    assert world.refresh(client, tokens["refresh_token"]).status_code == 200


def test_a_refresh_token_is_revoked_with_its_family_and_an_access_token_alone(world):
    client = world.client()
    tokens = world.tokens(client)
    assert (
        world.post("/o/revoke_token/", {"token": tokens["access_token"]}, client.headers).status_code == 200
    )
    assert not world.alive(tokens)
    tokens = world.refresh(client, tokens["refresh_token"]).json
    assert world.alive(tokens)
    answer = world.post("/o/revoke_token/", {"token": tokens["refresh_token"]}, client.headers)
    assert (answer.status_code, answer.data) == (200, b"")
    assert not world.alive(tokens)
    assert world.refresh(client, tokens["refresh_token"]).status_code == 400


def test_a_token_that_is_unknown_is_revoked_without_complaint(world):
    client = world.client()
    answer = world.post("/o/revoke_token/", {"token": "unheard-of", "token_type_hint": "tea"}, client.headers)
    assert (answer.status_code, answer.data) == (200, b"")
    assert world.host.heard == []


@pytest.mark.parametrize("hint", ["access_token", "refresh_token", "tea"])
def test_a_wrong_hint_does_not_hinder_revocation(world, hint):
    client = world.client()
    for name in ("access_token", "refresh_token"):
        tokens = world.tokens(client)
        form = {"token": tokens[name], "token_type_hint": hint}
        assert world.post("/o/revoke_token/", form, client.headers).status_code == 200
        assert not world.alive(tokens)


def test_revocation_without_a_token_or_a_client_is_refused(world, refused):
    client = world.client()
    assert refused(world.post("/o/revoke_token/", {}, client.headers)) == "invalid_request"
    assert refused(world.post("/o/revoke_token/", {"token": "x"}), 401) == "invalid_client"
