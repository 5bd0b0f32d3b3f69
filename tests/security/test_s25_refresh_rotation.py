"""S25: a refresh token is used once; one that comes back too late or too old ends its family (RFC 9700 §4.14)."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from security.driving import error_of

GRACE_SECONDS = 60


@pytest.fixture(scope="module")
def graceful(make_house):
    """A house in which a superseded token may come once more within a minute."""
    return make_house(REFRESH_TOKEN_GRACE_PERIOD_SECONDS=GRACE_SECONDS)


@pytest.fixture(params=["confidential", "public"])
def kind_of_client(request):
    return request.param


def make(house, kind_of_client, **fields):
    return house.client(**fields) if kind_of_client == "confidential" else house.public_client(**fields)


def rotate(door, client, tokens, **parameters):
    response = door.refresh(client, tokens["refresh_token"], **parameters)
    assert response.status_code == 200, response.text
    return response.json


def is_dead(house, door, client, *generations):
    """Say whether no token of these generations is of any use."""
    watcher = house.client()
    return all(
        not door.is_active(watcher, tokens[name])
        for tokens in generations
        for name in ("access_token", "refresh_token")
    ) and all(door.refresh(client, tokens["refresh_token"]).status_code == 400 for tokens in generations)


def test_each_refresh_gives_a_new_token_and_ends_the_old_ones(house, door, kind_of_client):
    client, watcher = make(house, kind_of_client), house.client()
    first = house.tokens(client)
    second = rotate(door, client, first)
    assert second["refresh_token"] != first["refresh_token"]
    assert second["access_token"] != first["access_token"]
    assert not door.is_active(watcher, first["access_token"])
    assert not door.is_active(watcher, first["refresh_token"])
    assert door.is_active(watcher, second["access_token"])


def test_a_superseded_token_ends_the_family(house, door, kind_of_client):
    client = make(house, kind_of_client)
    first = house.tokens(client)
    second = rotate(door, client, first)
    third = rotate(door, client, second)
    assert error_of(door.refresh(client, first["refresh_token"])) == "invalid_grant"
    assert is_dead(house, door, client, first, second, third)


def test_a_family_is_one_authorization_and_not_all_of_a_client(house, door, client):
    other = house.tokens(client)
    first = house.tokens(client)
    rotate(door, client, first)
    assert error_of(door.refresh(client, first["refresh_token"])) == "invalid_grant"
    assert door.is_active(client, other["access_token"])
    assert rotate(door, client, other)


@pytest.mark.parametrize("late", [False, True], ids=["within grace", "after grace"])
def test_a_lost_answer_may_be_asked_for_again_within_grace(graceful, kind, kind_of_client, late):
    house, door, client = graceful, graceful.door(kind), make(graceful, kind_of_client)
    first = house.tokens(client)
    second = rotate(door, client, first)
    house.clock.forward(GRACE_SECONDS if late else GRACE_SECONDS - 1)
    again = door.refresh(client, first["refresh_token"])
    if late:
        assert error_of(again) == "invalid_grant"
        assert is_dead(house, door, client, first, second)
    else:
        assert again.status_code == 200
        assert again.json["refresh_token"] == second["refresh_token"]
        assert again.json["access_token"] == second["access_token"]
        assert door.is_active(house.client(), second["access_token"])
        assert rotate(door, client, second)


def test_grace_is_not_for_a_token_whose_successor_was_used(graceful, kind, kind_of_client):
    """The third generation shows that the answer was not lost."""
    house, door, client = graceful, graceful.door(kind), make(graceful, kind_of_client)
    first = house.tokens(client)
    second = rotate(door, client, first)
    third = rotate(door, client, second)
    assert error_of(door.refresh(client, first["refresh_token"])) == "invalid_grant"
    assert is_dead(house, door, client, first, second, third)


def test_grace_is_not_for_a_revoked_token(graceful, kind, kind_of_client):
    house, door, client = graceful, graceful.door(kind), make(graceful, kind_of_client)
    first = house.tokens(client)
    second = rotate(door, client, first)
    assert door.revoke(client, second["refresh_token"]).status_code == 200
    assert error_of(door.refresh(client, first["refresh_token"])) == "invalid_grant"
    assert is_dead(house, door, client, first, second)


def test_grace_is_not_for_a_family_that_a_replayed_code_ended(graceful, kind, client):
    house, door, client = graceful, graceful.door(kind), graceful.client()
    code, verifier = house.browser().code(client)
    first = door.redeem(client, code, verifier).json
    second = rotate(door, client, first)
    assert error_of(door.redeem(client, code, verifier)) == "invalid_grant"
    assert is_dead(house, door, client, first, second)


@pytest.mark.parametrize("where", ["house", "graceful"])
def test_of_parallel_refreshes_the_family_has_no_two_lines(request, where, kind):
    """Without grace one succeeds at the most. With grace all do, and get the same tokens."""
    house = request.getfixturevalue(where)
    client = house.public_client()
    first = house.tokens(client)
    doors = [house.door(kind) for _ in range(20)]
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda door: door.refresh(client, first["refresh_token"]), doors))
    given = [answer.json for answer in answers if answer.status_code == 200]
    assert len(given) == (1 if where == "house" else len(answers))
    assert len({(tokens["refresh_token"], tokens["access_token"]) for tokens in given}) == 1
    for answer in answers:
        assert answer.status_code == 200 or error_of(answer) == "invalid_grant"


def test_a_client_without_rotation_keeps_its_token_and_loses_the_old_access_token(make_house, kind):
    house = make_house(ROTATE_REFRESH_TOKEN=False)
    door, client = house.door(kind), house.client()
    first = house.tokens(client)
    second = rotate(door, client, first)
    assert second["refresh_token"] == first["refresh_token"]
    assert not door.is_active(client, first["access_token"])
    assert door.is_active(client, second["access_token"])


def test_a_public_client_rotates_whatever_is_set(make_house, kind):
    """RFC 9700 §2.2.2."""
    house = make_house(ROTATE_REFRESH_TOKEN=False)
    door, client = house.door(kind), house.public_client()
    first = house.tokens(client)
    second = rotate(door, client, first)
    assert second["refresh_token"] != first["refresh_token"]
    assert error_of(door.refresh(client, first["refresh_token"])) == "invalid_grant"
    assert is_dead(house, door, client, first, second)


def test_the_scope_of_an_access_token_can_be_narrowed_and_never_widened(house, door, kind_of_client):
    client = make(house, kind_of_client)
    first = house.tokens(client, scope="read")
    for scope in ("write", "read write", "read write introspection", "READ", "read,write"):
        assert error_of(door.refresh(client, first["refresh_token"], scope=scope)) == "invalid_scope"
    assert rotate(door, client, first, scope="read")["scope"] == "read"


def test_a_narrowed_access_token_does_not_open_more(house, door, client):
    first = house.tokens(client, scope="read write")
    narrow = rotate(door, client, first, scope="write")
    assert narrow["scope"] == "write"
    assert door.introspect(client, narrow["access_token"]).json["scope"] == "write"
    assert door.resource(narrow["access_token"]).status_code == 403
    wide = rotate(door, client, narrow)
    assert wide["scope"] == "read write"
    assert error_of(door.refresh(client, wide["refresh_token"], scope="offline_access")) == "invalid_scope"


def test_a_refused_refresh_does_not_use_the_token_up(house, door, client):
    tokens = house.tokens(client, scope="read")
    assert error_of(door.refresh(client, tokens["refresh_token"], scope="write")) == "invalid_scope"
    assert door.is_active(client, tokens["access_token"])
    assert rotate(door, client, tokens)


def test_a_refresh_token_ends_with_its_time(make_house, kind):
    house = make_house(REFRESH_TOKEN_EXPIRE_SECONDS=100)
    door, client = house.door(kind), house.public_client()
    tokens = house.tokens(client)
    house.clock.forward(99)
    tokens = rotate(door, client, tokens)
    house.clock.forward(100)
    assert error_of(door.refresh(client, tokens["refresh_token"])) == "invalid_grant"


def test_client_credentials_give_no_refresh_token(door, client):
    """RFC 6749 §4.4.3."""
    assert "refresh_token" not in door.token(client, grant_type="client_credentials").json
