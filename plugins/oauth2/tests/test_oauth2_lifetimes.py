"""How long codes and tokens live, by setting."""

import secrets
from datetime import timedelta

import pytest

from portula import ConfigError
from portula.plugin import Application, Authorization, RefreshToken, SupersededRefreshToken


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


# --- Callables ---


@pytest.mark.parametrize("lifetime", [timedelta(minutes=10), lambda _request: timedelta(minutes=10)])
def test_access_token_expire_seconds_may_be_a_timedelta(make, lifetime):
    world = make(ACCESS_TOKEN_EXPIRE_SECONDS=lifetime)
    assert world.token(world.client(), "client_credentials").json["expires_in"] == 600


def test_authorization_code_expire_seconds_may_be_a_callable_that_is_given_the_request(make, refused):
    world = make(AUTHORIZATION_CODE_EXPIRE_SECONDS=lambda request: 10 * len(request.scopes))
    client = world.client()
    short, long = world.code(client, scope="read"), world.code(client, scope="read write")
    world.later(10)
    assert refused(world.redeem(client, *short)) == "invalid_grant"
    assert world.redeem(client, *long).status_code == 200


@pytest.mark.parametrize("form", [int, lambda seconds: timedelta(seconds=seconds)])
def test_refresh_token_expire_seconds_may_be_a_callable_that_is_given_the_request(make, refused, form):
    def lifetime(request):
        return None if request.client.client_id == trusted.client_id else form(100)

    world = make(REFRESH_TOKEN_EXPIRE_SECONDS=lifetime)
    trusted, other = world.client(), world.client()
    forever, short = (world.tokens(client)["refresh_token"] for client in (trusted, other))
    world.later(100)
    assert world.refresh(trusted, forever).status_code == 200
    assert refused(world.refresh(other, short)) == "invalid_grant"


def test_refresh_token_grace_period_seconds_may_be_a_callable_that_is_given_the_request(make, refused):
    world = make(REFRESH_TOKEN_GRACE_PERIOD_SECONDS=lambda request: 60 * (request.client == mobile))
    mobile = None
    phone, server = world.client(), world.client()
    mobile = world.provider.storage.find(Application, client_id=phone.client_id)
    first, other = world.tokens(phone)["refresh_token"], world.tokens(server)["refresh_token"]
    assert [world.refresh(phone, first).status_code for _ in range(2)] == [200, 200]
    assert world.refresh(server, other).status_code == 200
    assert refused(world.refresh(server, other)) == "invalid_grant"


def test_rotate_refresh_token_may_be_a_callable_that_is_given_the_request(make):
    world = make(ROTATE_REFRESH_TOKEN=lambda request: "write" in request.scopes)
    client = world.client()
    for scope, rotates in (("read", False), ("read write", True)):
        first = world.tokens(client, scope=scope)["refresh_token"]
        assert (world.refresh(client, first).json["refresh_token"] != first) is rotates


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("ACCESS_TOKEN_EXPIRE_SECONDS", 0),
        ("ACCESS_TOKEN_EXPIRE_SECONDS", "soon"),
        ("REFRESH_TOKEN_EXPIRE_SECONDS", -1),
        ("ACCESS_TOKEN_EXPIRE_SECONDS", ZeroDivisionError),
    ],
)
def test_a_callable_that_answers_what_no_setting_may_be_refuses_the_request(make, refused, name, bad):
    def answer(_request):
        if isinstance(bad, type):
            raise bad
        return bad

    world = make(PKCE_REQUIRED=False, **{name: answer})
    client = world.client()
    assert refused(world.redeem(client, *world.code(client)), 500) == "server_error"


@pytest.mark.parametrize(
    "extra", [{"token_expires_in": 0}, {"token_expires_in": -5}, {"token_expires_in": "an hour"}]
)
def test_an_extra_lifetime_of_nothing_is_refused_at_start(make, extra):
    with pytest.raises(ConfigError, match=r"EXTRA_SERVER_KWARGS.*token_expires_in"):
        make(EXTRA_SERVER_KWARGS=extra)


# --- How long a superseded refresh token is remembered ---

OWN_VALUES = {"REFRESH_TOKEN_GENERATOR": lambda _request: secrets.token_urlsafe(32)}
KEPT = (Authorization, RefreshToken, SupersededRefreshToken)


def swept(world):
    """Purge what expired, as `portula cleartokens` does; return how many of each."""
    return [world.store.purge(cls, now=world.host.time, limit=1000) for cls in KEPT]


@pytest.mark.parametrize("settings", [{}, OWN_VALUES], ids=["ours", "own generator"])
def test_a_superseded_refresh_token_ends_its_authorization_however_often_it_was_rotated(
    make, refused, settings
):
    world = make(REFRESH_TOKEN_EXPIRE_SECONDS=1000, **settings)
    client = world.client()
    stolen = world.tokens(client)["refresh_token"]
    newest = world.refresh(client, stolen).json
    for _ in range(3):  # the thief goes on refreshing
        world.later(300)
        newest = world.refresh(client, newest["refresh_token"]).json
        swept(world)
    assert refused(world.refresh(client, stolen)) == "invalid_grant"
    assert not world.alive(newest)
    assert refused(world.refresh(client, newest["refresh_token"])) == "invalid_grant"


def test_a_superseded_value_of_ours_is_known_for_as_long_as_its_authorization_lives(make, refused):
    world = make(REFRESH_TOKEN_EXPIRE_SECONDS=1000)
    client = world.client()
    stolen = world.tokens(client)["refresh_token"]
    newest = world.refresh(client, stolen).json
    for _ in range(30):
        world.later(900)
        newest = world.refresh(client, newest["refresh_token"]).json
        swept(world)
    assert refused(world.refresh(client, stolen)) == "invalid_grant"
    assert not world.alive(newest)


def test_rotation_leaves_no_history(make):
    world = make()
    client = world.client()
    newest = world.tokens(client)["refresh_token"]
    for _ in range(5):
        newest = world.refresh(client, newest).json["refresh_token"]
    assert [len(world.store.select(cls)) for cls in KEPT] == [1, 1, 0]


def test_with_a_generator_of_its_own_a_deployment_keeps_a_digest_a_rotation(make):
    world = make(**OWN_VALUES)
    client = world.client()
    newest = world.tokens(client)["refresh_token"]
    for _ in range(5):
        newest = world.refresh(client, newest).json["refresh_token"]
    assert [len(world.store.select(cls)) for cls in KEPT] == [1, 1, 5]


@pytest.mark.parametrize("settings", [{}, OWN_VALUES], ids=["ours", "own generator"])
def test_what_is_not_used_any_more_is_purged_whole(make, settings):
    world = make(REFRESH_TOKEN_EXPIRE_SECONDS=1000, ACCESS_TOKEN_EXPIRE_SECONDS=60, **settings)
    client = world.client()
    newest = world.tokens(client)["refresh_token"]
    for _ in range(5):
        newest = world.refresh(client, newest).json["refresh_token"]
    assert swept(world) == [0, 0, 0]
    world.later(3001)
    swept(world)
    assert [len(world.store.select(cls)) for cls in KEPT] == [0, 0, 0]


def test_a_lifetime_that_is_lifted_later_keeps_the_authorization(make):
    told = [500]
    world = make(REFRESH_TOKEN_EXPIRE_SECONDS=lambda _request: told[0])
    client = world.client()
    newest = world.tokens(client)["refresh_token"]
    for told[0] in (500, None, None):
        newest = world.refresh(client, newest).json["refresh_token"]
    world.later(50_000)
    assert swept(world) == [0, 0, 0]
    assert world.refresh(client, newest).status_code == 200


def test_a_revoked_refresh_token_never_expiring_is_purged(world):
    client = world.client()
    newest = world.tokens(client)["refresh_token"]
    newest = world.refresh(client, newest).json["refresh_token"]
    world.post("/o/revoke_token/", {"token": newest}, client.headers)
    world.later(1)
    assert swept(world) == [1, 1, 0]
