"""How long codes and tokens live, by setting."""

from datetime import timedelta

import pytest

from portula import ConfigError
from portula.plugin import Application, RefreshToken


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


def swept(world):
    """Purge what expired, as `portula cleartokens` does."""
    return world.store.purge(RefreshToken, now=world.host.time, limit=1000)


def test_a_superseded_refresh_token_is_known_for_as_long_as_its_family_lives(make, refused):
    world = make(REFRESH_TOKEN_EXPIRE_SECONDS=1000)
    client = world.client()
    stolen = world.tokens(client)["refresh_token"]
    newest = world.refresh(client, stolen).json
    for _ in range(30):  # the thief goes on refreshing, long after the first token has expired
        world.later(900)
        newest = world.refresh(client, newest["refresh_token"]).json
        swept(world)
    assert refused(world.refresh(client, stolen)) == "invalid_grant"
    assert not world.alive(newest)
    assert refused(world.refresh(client, newest["refresh_token"])) == "invalid_grant"


def test_a_family_that_is_not_used_any_more_is_purged_whole(make):
    world = make(REFRESH_TOKEN_EXPIRE_SECONDS=1000)
    client = world.client()
    newest = world.tokens(client)["refresh_token"]
    for _ in range(5):
        newest = world.refresh(client, newest).json["refresh_token"]
    assert swept(world) == 0
    world.later(3001)
    assert swept(world) == 6


@pytest.mark.parametrize("first", [None, 1000])
def test_a_lifetime_that_is_set_or_lifted_later_holds_for_the_superseded_too(make, first):
    told = [first]
    world = make(REFRESH_TOKEN_EXPIRE_SECONDS=lambda _request: told[0])
    client = world.client()
    newest = world.tokens(client)["refresh_token"]
    for told[0] in (first, first, 500, 500):
        newest = world.refresh(client, newest).json["refresh_token"]
    world.later(5000)
    assert swept(world) == 5
    newest = world.tokens(client)["refresh_token"]
    for told[0] in (500, None, None):
        newest = world.refresh(client, newest).json["refresh_token"]
    world.later(5000)
    assert swept(world) == 0


def test_grace_gives_two_successors_and_neither_lives_longer_for_it(make, refused):
    world = make(REFRESH_TOKEN_EXPIRE_SECONDS=1000, REFRESH_TOKEN_GRACE_PERIOD_SECONDS=120)
    client = world.client()
    first = world.tokens(client)["refresh_token"]
    second = world.refresh(client, first).json["refresh_token"]
    world.later(100)
    third = world.refresh(client, first).json["refresh_token"]
    world.later(901)
    assert refused(world.refresh(client, second)) == "invalid_grant"
    assert world.refresh(client, third).status_code == 200


def test_a_revoked_refresh_token_never_expiring_is_purged(world):
    client = world.client()
    newest = world.tokens(client)["refresh_token"]
    newest = world.refresh(client, newest).json["refresh_token"]
    world.post("/o/revoke_token/", {"token": newest}, client.headers)
    world.later(1)
    assert swept(world) == 2


def test_moving_superseded_tokens_on_never_undoes_a_revocation_and_never_refuses_a_refresh(
    make, monkeypatch, caplog
):
    world = make(REFRESH_TOKEN_EXPIRE_SECONDS=1000)
    client = world.client()
    newest = world.refresh(client, world.tokens(client)["refresh_token"]).json["refresh_token"]
    change = world.store.change
    heard = []

    def break_down(cls, where, /, **values):
        if cls is RefreshToken and set(values) == {"expires_at"} and "revoked_at" in where:
            heard.append(where)
            raise OSError("the database went away")
        return change(cls, where, **values)

    monkeypatch.setattr(world.store, "change", break_down)
    for _ in range(3):
        world.later(900)
        answer = world.refresh(client, newest)
        assert answer.status_code == 200
        newest = answer.json["refresh_token"]
    assert heard
    assert {where["revoked_at"] for where in heard} == {None}
    assert "are kept for less long" in caplog.text
