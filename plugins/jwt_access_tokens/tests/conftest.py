"""A house whose access tokens are JWTs, and one that makes them for some."""

import pytest
from security.house import House
from support.proofs import Prover

API = "https://api.example/"


@pytest.fixture(scope="session")
def make_house():
    """Return the function that makes a house with other settings or plugins."""
    return lambda *plugins, **settings: House(*plugins, **{"OIDC_ENABLED": True, **settings})


@pytest.fixture(scope="module")
def house(make_house):
    resources = {API: {"client_id": "api"}, "https://files.example/": {}}
    house = make_house(
        ACCESS_TOKEN_FORMAT="jwt",
        PROTECTED_RESOURCES=resources,
        ACR_VALUES={"urn:example:password": ["pwd"]},
        IMPLICIT_GRANT_ENABLED=True,
    )
    house.api = house.client(client_id="api")
    return house


@pytest.fixture(params=["flask", pytest.param("wsgi", marks=pytest.mark.thorough)])
def door(house, request):
    return house.door(request.param)


@pytest.fixture
def client(house):
    return house.client()


@pytest.fixture
def prover(house):
    return Prover(lambda: house.clock.time)
