"""How long codes and tokens live, by setting."""

from datetime import timedelta

import pytest

from portula import ConfigError


def test_an_access_token_lives_ten_hours_unless_told_otherwise(world):
    client = world.client()
    tokens = world.token(client, "client_credentials").json
    assert tokens["expires_in"] == 36000
    world.later(35999)
    assert world.alive(tokens)
    world.later(1)
    assert not world.alive(tokens)


def test_access_token_expire_seconds_is_told_and_kept(make):
    world = make(ACCESS_TOKEN_EXPIRE_SECONDS=600)
    tokens = world.token(world.client(), "client_credentials").json
    assert tokens["expires_in"] == 600
    world.later(599)
    assert world.alive(tokens)
    world.later(1)
    assert not world.alive(tokens)


def test_access_token_expire_seconds_may_be_a_callable_that_is_given_the_request(make):
    def seconds(request):
        return 60 if request.grant_type == "client_credentials" else 7 * len(request.scopes)

    world = make(ACCESS_TOKEN_EXPIRE_SECONDS=seconds)
    client = world.client()
    machine = world.token(client, "client_credentials").json
    person = world.tokens(client, scope="read write")
    assert (machine["expires_in"], person["expires_in"]) == (60, 14)
    world.later(14)
    assert world.alive(machine)
    assert not world.alive(person)


@pytest.mark.parametrize("seconds", [0, -1])
def test_an_access_token_that_lives_no_second_is_refused_at_start(make, seconds):
    with pytest.raises(ConfigError, match="ACCESS_TOKEN_EXPIRE_SECONDS"):
        make(ACCESS_TOKEN_EXPIRE_SECONDS=seconds)


@pytest.mark.parametrize(
    ("settings", "seconds"), [({}, 60), ({"AUTHORIZATION_CODE_EXPIRE_SECONDS": 600}, 600)]
)
def test_a_code_is_redeemed_until_its_last_second(make, refused, settings, seconds):
    world = make(**settings)
    client = world.client()
    early, late = world.code(client), world.code(client)
    world.later(seconds - 1)
    assert world.redeem(client, *early).status_code == 200
    world.later(1)
    assert refused(world.redeem(client, *late)) == "invalid_grant"


@pytest.mark.parametrize("lifetime", [1000, timedelta(seconds=1000)])
def test_refresh_token_expire_seconds_is_enforced(make, refused, lifetime):
    world = make(REFRESH_TOKEN_EXPIRE_SECONDS=lifetime, ROTATE_REFRESH_TOKEN=False)
    client = world.client()
    refresh_token = world.tokens(client)["refresh_token"]
    world.later(999)
    assert world.refresh(client, refresh_token).status_code == 200
    world.later(1)
    assert refused(world.refresh(client, refresh_token)) == "invalid_grant"


def test_rotation_gives_a_refresh_token_a_lifetime_of_its_own(make):
    world = make(REFRESH_TOKEN_EXPIRE_SECONDS=1000)
    client = world.client()
    tokens = world.tokens(client)
    for _ in range(3):
        world.later(999)
        response = world.refresh(client, tokens["refresh_token"])
        assert response.status_code == 200
        tokens = response.json


def test_without_refresh_token_expire_seconds_a_refresh_token_never_ends(world):
    client = world.client()
    refresh_token = world.tokens(client)["refresh_token"]
    world.later(100 * 365 * 24 * 3600)
    assert world.refresh(client, refresh_token).status_code == 200


@pytest.mark.parametrize("lifetime", [0, -5, timedelta(0), timedelta(seconds=-5), timedelta(milliseconds=5)])
def test_a_refresh_token_that_lives_no_second_is_refused_at_start(make, lifetime):
    with pytest.raises(ConfigError, match="REFRESH_TOKEN_EXPIRE_SECONDS"):
        make(REFRESH_TOKEN_EXPIRE_SECONDS=lifetime)
