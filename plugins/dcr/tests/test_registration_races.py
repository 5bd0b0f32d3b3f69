"""Several who register at one moment: each gets a place of its own, or is told to come again."""

import pytest

from portula.errors import DuplicateRecord
from portula.plugin import Artifact
from portula_dcr import counters
from portula_dcr.initial_access import InitialAccessTokens
from portula_dcr.registry import REGISTER_TRIES


@pytest.fixture
def meanwhile(monkeypatch):
    """Return the function that lets something happen before each of the next plans; who comes then is not overtaken."""
    monkeypatch.setattr(counters.secrets, "randbelow", lambda limit: 0)

    def overtake(world, act, times=1):
        apply, left = world.provider.storage.apply, [act] * times

        def overtaken(plan):
            if left:
                happens, waiting = left.pop(), left.copy()
                left.clear()
                happens()
                left.extend(waiting)
            return apply(plan)

        monkeypatch.setattr(world.provider.storage, "apply", overtaken)

    return overtake


def places(world):
    found = world.provider.storage.select(Artifact, limit=1000)
    return [artifact for artifact in found if artifact.kind == "registration quota"]


@pytest.mark.parametrize(("limit", "status"), [(3, 201), (2, 201), (1, 429)])
def test_who_is_overtaken_takes_another_place_if_there_is_one(make, kind, meanwhile, limit, status):
    world = make(kind=kind, DCR_MAX_CLIENTS_PER_ADDRESS_PER_HOUR=limit, DCR_MAX_CLIENTS_PER_HOUR=None)
    meanwhile(world, world.register)
    assert world.register().status_code == status
    assert len(world.clients()) == len(places(world)) == min(limit, 2)


def test_who_is_overtaken_again_and_again_is_told_to_come_again(make, kind, meanwhile):
    world = make(kind=kind, DCR_MAX_CLIENTS_PER_ADDRESS_PER_HOUR=100, DCR_MAX_CLIENTS_PER_HOUR=None)
    meanwhile(world, world.register, REGISTER_TRIES)
    answer = world.register()
    assert world.error_of(answer, 503) == "temporarily_unavailable"
    assert answer.headers["Retry-After"] == "1"
    assert len(world.clients()) == len(places(world)) == REGISTER_TRIES


def test_a_token_that_is_revoked_meanwhile_registers_nothing(make, kind, meanwhile):
    world = make(kind=kind, DCR_REGISTRATION_MODE="initial_access_token")
    value, tokens = world.initial_token(max_uses=None), InitialAccessTokens(world.provider)
    meanwhile(world, lambda: tokens.revoke(tokens.find_by_name("ci")))
    assert world.register(token=value).status_code == 401
    assert world.clients() == places(world) == []


def test_of_two_that_make_a_token_of_one_name_one_does(world, meanwhile):
    meanwhile(world, world.initial_token)
    with pytest.raises(DuplicateRecord, match="there is an initial access token 'ci'"):
        world.initial_token()
    tokens = InitialAccessTokens(world.provider)
    assert len(tokens.all()) == 1
    tokens.revoke(tokens.find_by_name("ci"))
    world.initial_token()


@pytest.mark.parametrize("rotates", [True, False])
def test_a_client_that_is_removed_while_it_updates_is_gone(make, kind, meanwhile, rotates):
    world = make(kind=kind, DCR_ROTATE_REGISTRATION_TOKEN_ON_UPDATE=rotates)
    told = world.registered()
    meanwhile(world, lambda: world.configure("DELETE", told))
    assert world.update(told, redirect_uris=["https://client.example/2"]).status_code == 401
    assert world.clients() == []
