"""S26: what a client gives back is gone at once, all that hangs on it too; what is not its own stays (RFC 7009)."""

from threading import Thread

import pytest

from portula import Plugin, hookimpl
from security.driving import basic, error_of


@pytest.fixture
def tokens(house, client):
    return house.tokens(client)


@pytest.fixture
def alive(door, client, tokens):
    """Return a function that says which of the two tokens live."""
    return lambda: tuple(door.is_active(client, tokens[name]) for name in ("access_token", "refresh_token"))


HINTS = [
    {},
    {"token_type_hint": "access_token"},
    {"token_type_hint": "refresh_token"},
    {"token_type_hint": "magic"},
]
hints = pytest.mark.parametrize("hint", HINTS, ids=lambda hint: next(iter(hint.values()), "no hint"))


@hints
def test_an_access_token_goes_alone(door, client, tokens, alive, hint):
    response = door.revoke(client, tokens["access_token"], **hint)
    assert (response.status_code, response.data) == (200, b"")
    assert response.headers["Cache-Control"] == "no-store"
    assert alive() == (False, True)
    assert door.resource(tokens["access_token"]).status_code == 401
    assert door.refresh(client, tokens["refresh_token"]).status_code == 200


@hints
def test_a_refresh_token_takes_its_access_tokens_along(door, client, tokens, alive, hint):
    assert door.resource(tokens["access_token"]).status_code == 200
    assert door.revoke(client, tokens["refresh_token"], **hint).status_code == 200
    assert alive() == (False, False)
    assert door.resource(tokens["access_token"]).status_code == 401
    assert error_of(door.refresh(client, tokens["refresh_token"])) == "invalid_grant"


def test_a_superseded_refresh_token_takes_the_living_generation_along(door, client, tokens):
    second = door.refresh(client, tokens["refresh_token"]).json
    assert door.revoke(client, tokens["refresh_token"]).status_code == 200
    assert not door.is_active(client, second["access_token"])
    assert error_of(door.refresh(client, second["refresh_token"])) == "invalid_grant"


@hints
@pytest.mark.parametrize("which", ["access_token", "refresh_token"])
@pytest.mark.parametrize("type_of_other", ["confidential", "public"])
def test_another_clients_token_is_answered_200_and_stays(
    house, door, tokens, alive, hint, which, type_of_other
):
    other = house.client() if type_of_other == "confidential" else house.public_client()
    response = door.revoke(other, tokens[which], **hint)
    assert (response.status_code, response.data) == (200, b"")
    assert alive() == (True, True)


@pytest.mark.parametrize(
    "token", ["unknown", "A" * 43, "A" * 10_240, "é"], ids=lambda token: ascii(token)[:20]
)
def test_an_unknown_token_is_answered_like_a_known_one(door, client, alive, token):
    response = door.revoke(client, token)
    assert (response.status_code, response.data) == (200, b"")
    assert alive() == (True, True)


def test_revoking_twice_is_no_error(door, client, tokens):
    for _ in range(2):
        assert door.revoke(client, tokens["refresh_token"]).status_code == 200


def test_nobody_revokes_without_being_the_client(door, client, tokens, alive):
    form = {"token": tokens["refresh_token"]}
    for headers, body in [
        ({}, form),
        ({}, {**form, "client_id": client.client_id}),
        ({}, {**form, "client_id": client.client_id, "client_secret": "wrong"}),
        (basic(client.client_id, "wrong"), form),
        ({"Authorization": f"Bearer {tokens['access_token']}"}, form),
    ]:
        response = door.post("/o/revoke_token/", body, headers)
        assert error_of(response, 401) == "invalid_client"
        assert "Basic" in response.headers["WWW-Authenticate"]
    assert alive() == (True, True)


def test_a_missing_token_is_an_invalid_request(door, client):
    assert error_of(door.post("/o/revoke_token/", {"token_type_hint": "x"}, client.auth)) == "invalid_request"


def test_a_public_client_gives_back_what_is_its_own(house, door, client):
    public = house.public_client()
    tokens = house.tokens(public)
    assert door.revoke(public, tokens["refresh_token"]).status_code == 200
    assert not door.is_active(client, tokens["access_token"])


def test_the_revocation_of_one_authorization_leaves_the_other(house, door, client, tokens, alive):
    other = house.tokens(client)
    assert door.revoke(client, other["refresh_token"]).status_code == 200
    assert alive() == (True, True)


class Interrupting:
    """Lets something happen in another thread between a request's checks and its writing."""

    def __init__(self):
        self.meanwhile = None

    @hookimpl
    def portula_validate_token_request(self, exchange):
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            thread = Thread(target=meanwhile)
            thread.start()
            thread.join()


@pytest.fixture(scope="module")
def interrupting():
    return Interrupting()


@pytest.fixture(scope="module", params=[0, 60], ids=["without grace", "with grace"])
def interrupted(make_house, interrupting, request):
    return make_house(interrupting, REFRESH_TOKEN_GRACE_PERIOD_SECONDS=request.param)


@pytest.mark.parametrize("which", ["refresh token", "consent"])
def test_a_revocation_that_comes_during_a_refresh_wins(interrupted, interrupting, kind, which):
    house, door = interrupted, interrupted.door(kind)
    client, person = house.client(), house.user()
    tokens = house.tokens(client, username=person.username)
    taken_back = {
        "refresh token": lambda: house.door().revoke(client, tokens["refresh_token"]),
        "consent": lambda: house.provider.hooks.ask(Plugin.portula_consent).memory.withdraw(
            person.sub, client.client_id
        ),
    }
    interrupting.meanwhile = taken_back[which]
    assert error_of(door.refresh(client, tokens["refresh_token"])) == "invalid_grant"
    assert interrupting.meanwhile is None
    assert not door.is_active(client, tokens["access_token"])
    assert error_of(door.refresh(client, tokens["refresh_token"])) == "invalid_grant"


def test_a_revocation_that_comes_during_a_second_refresh_within_grace_wins(make_house, kind):
    interrupting = Interrupting()
    house = make_house(interrupting, REFRESH_TOKEN_GRACE_PERIOD_SECONDS=60)
    door, client = house.door(kind), house.client()
    first = house.tokens(client)
    second = door.refresh(client, first["refresh_token"]).json
    interrupting.meanwhile = lambda: house.door().revoke(client, second["refresh_token"])
    assert error_of(door.refresh(client, first["refresh_token"])) == "invalid_grant"
    assert error_of(door.refresh(client, second["refresh_token"])) == "invalid_grant"


def test_taking_consent_back_during_a_redemption_wins(interrupted, interrupting, kind):
    house, door = interrupted, interrupted.door(kind)
    client, person = house.client(), house.user()
    code, verifier = house.browser().code(client, username=person.username)
    interrupting.meanwhile = lambda: house.provider.hooks.ask(Plugin.portula_consent).memory.withdraw(
        person.sub, client.client_id
    )
    assert error_of(door.redeem(client, code, verifier)) == "invalid_grant"
    assert error_of(door.redeem(client, code, verifier)) == "invalid_grant"
