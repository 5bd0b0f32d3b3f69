"""A house that trusts an attester, and instances of a client of it."""

import pytest
from security.house import House
from support.attesting import METHOD, Attester, Instance

GRANTS = ("authorization_code", "refresh_token", "client_credentials")


class Now:
    """The clock of the house, once there is one."""

    house = None

    def __call__(self):
        return self.house.clock.time


@pytest.fixture
def attester():
    return Attester(Now())


@pytest.fixture
def make_house(attester):
    """Return the function that makes a house; `trust` changes what the attester is trusted with."""

    def make(*plugins, trust=None, folder=None, config=None, **settings):
        given = {"OIDC_ENABLED": True, **attester.trust(**(trust or {})), **settings}
        house = attester.now.house = House(*plugins, folder=folder, config=config, **given)
        return house

    return make


@pytest.fixture
def house(make_house):
    return make_house()


@pytest.fixture
def make_client():
    """Return the function that registers a client whose instances are attested."""
    return lambda house, method=METHOD, **fields: house.client(
        **{"token_endpoint_auth_method": method, "grant_types": GRANTS, **fields}
    )


@pytest.fixture
def client(house, make_client):
    return make_client(house)


@pytest.fixture
def instance(attester, client):
    return Instance(attester, client.client_id)


@pytest.fixture
def other(attester, client):
    """Another instance of the same client."""
    return Instance(attester, client.client_id)


@pytest.fixture
def ask(house):
    """Return a function that asks for a token of the client itself with these headers."""

    def run(headers, at=None, **form):
        given = {"grant_type": "client_credentials", "scope": "read", **form}
        return (at or house).door().token(headers=headers, **given)

    return run
