"""Initial access tokens: how they are made, listed, revoked, and used up (RFC 7591 §1.2, §3)."""

import json

import pytest

from portula.cli.main import flask_group
from portula.plugin import Artifact

CLOSED = "initial_access_token"


@pytest.fixture
def world(make, kind):
    return make(kind=kind, DCR_REGISTRATION_MODE=CLOSED)


@pytest.fixture
def run(world):
    """Return the function that runs `portula registration token`."""
    runner = world.provider.app.test_cli_runner()
    return lambda *words: runner.invoke(flask_group, ["registration", "token", *words])


def printed(result):
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def refused(answer):
    return answer.status_code == 401 and answer.json["error"] == "invalid_token"


# --- At the endpoint ---


def test_without_a_token_nobody_registers(world):
    answer = world.register()
    assert (answer.status_code, answer.data) == (401, b"")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="portula"'
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("token", ["wrong", "\xe9", "a b"])
def test_a_wrong_token_is_refused_before_anything_is_read(world, token):
    answer = world.open("POST", data=b"{", content_type="application/json", token=token)
    assert refused(answer)
    assert answer.headers["WWW-Authenticate"].startswith('Bearer realm="portula", error="invalid_token"')


@pytest.mark.parametrize("authorization", ["Basic YTpi", "Bearer", "Bearer ", "DPoP x"])
def test_other_credentials_are_none(world, authorization):
    answer = world.open("POST", document={}, headers={"Authorization": authorization})
    assert (answer.status_code, answer.data) == (401, b"")


def test_a_token_registers_as_many_clients_as_it_may(world):
    token = world.initial_token(max_uses=2)
    assert [world.register(token=token).status_code for _ in range(3)] == [201, 201, 401]


def test_a_registration_that_is_refused_uses_nothing_up(world):
    token = world.initial_token()
    assert world.register(token=token, redirect_uris=["x"]).status_code == 400
    assert world.register(token=token).status_code == 201
    assert refused(world.register(token=token))


def test_a_token_for_any_number_is_never_used_up(world):
    token = world.initial_token(max_uses=None)
    assert [world.register(token=token).status_code for _ in range(5)] == [201] * 5


def test_a_token_expires(world):
    token = world.initial_token(max_uses=None, expires_in=60)
    world.clock.advance(59)
    assert world.register(token=token).status_code == 201
    world.clock.advance(1)
    assert refused(world.register(token=token))


def test_a_token_without_expiry_does_not(world):
    token = world.initial_token(expires_in=None)
    world.clock.advance(10**9)
    assert world.register(token=token).status_code == 201


def test_a_registration_token_is_no_initial_one(world):
    told = world.register(token=world.initial_token()).json
    assert refused(world.register(token=told["registration_access_token"]))
    assert world.configure("GET", told, token=world.initial_token("b")).status_code == 401


def test_tokens_survive_a_change_of_the_key(make):
    world = make(DCR_REGISTRATION_MODE=CLOSED, SECRET_KEYS=["the old key, long enough"])
    token = world.initial_token(max_uses=2)
    told = world.register(token=token).json
    later = make(
        world.memory,
        DCR_REGISTRATION_MODE=CLOSED,
        SECRET_KEYS=["the new key, long enough", "the old key, long enough"],
    )
    assert later.configure("GET", told).status_code == 200
    assert [later.register(token=token).status_code for _ in range(2)] == [201, 401]


def test_an_open_endpoint_asks_for_no_token(make, kind):
    assert make(kind=kind).register(token="whatever").status_code == 201


# --- At the command line ---


def test_a_token_is_shown_once_and_kept_as_a_digest(world, run):
    made = printed(run("create", "ci", "--json"))
    assert made["name"] == "ci"
    token = made["initial_access_token"]
    assert len(token) >= 43
    kept = world.provider.storage.select(Artifact)
    assert token not in repr(kept)
    assert token not in run("list", "--json").output
    assert world.register(token=token).status_code == 201


def test_the_token_alone_is_on_standard_output(run):
    result = run("create", "ci")
    assert len(result.stdout.split()) == 1
    assert "shown this once" in result.stderr


def test_tokens_are_listed_with_their_use(world, run):
    token = printed(run("create", "ci", "--uses", "2", "--expires-in", "60", "--json"))[
        "initial_access_token"
    ]
    run("create", "any", "--any-number", "--no-expiry")
    world.register(token=token)
    now = 1_700_000_000
    rows = {row["name"]: row for row in printed(run("list", "--json"))}
    assert rows == {
        "ci": {
            "name": "ci",
            "made_at": now,
            "expires_at": now + 60,
            "uses": 1,
            "max_uses": 2,
            "scope": "",
            "state": "live",
        },
        "any": {
            "name": "any",
            "made_at": now,
            "expires_at": None,
            "uses": None,
            "max_uses": None,
            "scope": "",
            "state": "live",
        },
    }
    world.register(token=token)
    assert {row["name"]: row["state"] for row in printed(run("list", "--json"))}["ci"] == "used up"
    world.clock.advance(60)
    assert {row["name"]: row["state"] for row in printed(run("list", "--json"))}["ci"] == "expired"
    table = run("list").output
    assert "2 of 2" in table
    assert "any number" in table


def test_an_empty_list_says_so(run):
    assert run("list").output == "There is no initial access token.\n"


def test_a_revoked_token_is_refused_and_its_clients_stay(world, run):
    token = world.initial_token(max_uses=5)
    told = world.register(token=token).json
    assert run("revoke", "ci").output == "Revoked ci.\n"
    assert refused(world.register(token=token))
    assert world.configure("GET", told).status_code == 200
    assert printed(run("list", "--json")) == []
    assert not [
        artifact for artifact in world.provider.storage.select(Artifact) if "initial" in artifact.kind
    ]


def test_a_name_is_taken_once(run):
    assert run("create", "ci").exit_code == 0
    again = run("create", "ci")
    assert again.exit_code == 1
    assert "there is an initial access token 'ci'" in again.output


def test_what_is_not_there_is_not_revoked(run):
    result = run("revoke", "ci")
    assert result.exit_code == 1
    assert "there is no initial access token 'ci'" in result.output


@pytest.mark.parametrize(
    "options", [["a\nb"], [" "], ["x" * 81], ["ci", "--uses", "0"], ["ci", "--expires-in", "0"]]
)
def test_nonsense_is_refused(run, options):
    assert run("create", *options).exit_code == 2


def test_who_makes_a_token_that_nobody_can_use_is_told(make):
    runner = make(DCR_ENABLED=False).provider.app.test_cli_runner()
    result = runner.invoke(flask_group, ["registration", "token", "create", "ci"])
    assert "see DCR_ENABLED" in result.stderr


# --- `portula initial-access-tokens` ---


@pytest.fixture
def group(world):
    """Return the function that runs `portula initial-access-tokens`."""
    runner = world.provider.app.test_cli_runner()
    return lambda *words, typed=None: runner.invoke(
        flask_group, ["initial-access-tokens", *words], input=typed
    )


def test_the_group_makes_lists_shows_and_ends_tokens(world, group):
    token = printed(group("create", "ci", "--json"))["initial_access_token"]
    (row,) = printed(group("list", "--json"))
    assert row == printed(group("show", "ci", "--json"))
    assert token not in group("show", "ci").stdout
    assert group("end", "ci", typed="n\n").exit_code == 1
    assert world.register(token=token).status_code == 201
    assert group("end", "ci", "--yes").exit_code == 0
    assert refused(world.register(token=token))


def test_a_long_list_goes_on_behind_a_name(world, group):
    for name in ("one", "two", "three"):
        group("create", name)
        world.clock.advance(1)
    first = group("list", "--limit", "2")
    assert ("two" in first.stdout, "three" in first.stdout) == (True, False)
    assert "--after two" in first.stderr
    assert [row["name"] for row in printed(group("list", "--after", "two", "--json"))] == ["three"]
    done = group("end", "tree")
    assert (done.exit_code, "did you mean 'three'?" in done.stderr) == (1, True)
