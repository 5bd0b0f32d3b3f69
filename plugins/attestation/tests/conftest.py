"""A house that trusts an attester, and instances of a client of it."""

import pytest
from security.driving import error_of
from security.house import House
from support.attesting import METHOD, Attester, Instance

from portula.plugin import Artifact
from portula_testing.provider import Recorder

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
def recorder():
    return Recorder()


@pytest.fixture
def make_house(attester, recorder):
    """Return the function that makes a house; `trust` changes what the attester is trusted with."""

    def make(*plugins, trust=None, folder=None, config=None, **settings):
        given = {"OIDC_ENABLED": True, **attester.trust(**(trust or {})), **settings}
        house = attester.now.house = House(recorder, *plugins, folder=folder, config=config, **given)
        return house

    return make


@pytest.fixture
def house(make_house):
    return make_house()


@pytest.fixture(params=["flask", pytest.param("wsgi", marks=pytest.mark.thorough)])
def door(house, request):
    return house.door(request.param)


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


@pytest.fixture
def refuse(house, ask, recorder):
    """Return a function that sees a request refused, with nothing kept, and returns why operators are told."""

    def run(headers, error="invalid_client_attestation", status=400, **form):
        before = len(house.provider.storage.select(Artifact))
        assert error_of(ask(headers, **form), status) == error
        assert len(house.provider.storage.select(Artifact)) == before
        return next(event.reason for event in reversed(recorder.events) if getattr(event, "reason", None))

    return run


@pytest.fixture
def redeem(house):
    """Return a function that runs the code flow and redeems the code with the headers of an instance."""

    def run(party, headers, scope="openid read", **asked):
        code, verifier = house.browser().code(party, scope=scope, **asked)
        return house.door().redeem(party, code, verifier, headers=headers)

    return run
