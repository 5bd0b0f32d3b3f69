"""A house that binds tokens, and clients that prove their keys."""

import pytest
from security.house import House
from support.proofs import Prover


@pytest.fixture(scope="session")
def make_house():
    """Return the function that makes a house with other settings or plugins."""
    return lambda *plugins, **settings: House(*plugins, **{"OIDC_ENABLED": True, **settings})


@pytest.fixture(scope="module")
def house(make_house):
    return make_house()


@pytest.fixture(params=["flask", pytest.param("wsgi", marks=pytest.mark.thorough)])
def door(house, request):
    return house.door(request.param)


@pytest.fixture
def client(house):
    return house.client()


@pytest.fixture
def public(house):
    return house.public_client()


@pytest.fixture
def prover(house):
    return Prover(lambda: house.clock.time)


@pytest.fixture
def other(house):
    """Somebody with another key."""
    return Prover(lambda: house.clock.time)


@pytest.fixture
def redeem(house):
    """Return a function that runs the code flow and redeems the code with these headers."""

    def run(party, headers, scope="openid read", **asked):
        code, verifier = house.browser().code(party, scope=scope, **asked)
        return house.door().redeem(party, code, verifier, headers={**party.auth, **headers})

    return run


@pytest.fixture
def bound(redeem, client, prover):
    """Return an access token that is bound to the prover's key."""
    return redeem(client, prover.proof()).json["access_token"]
