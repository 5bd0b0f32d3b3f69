"""A house that trusts an issuer."""

import pytest
from security.house import House
from support.foreign_issuers import FOREIGN, GRANT, ForeignIssuer


class People:
    """Knows whom an issuer means; a test changes it."""

    def __init__(self):
        self.subject, self.claims = None, None

    def __call__(self, claims, client, request):
        self.claims = claims
        return self.subject() if callable(self.subject) else self.subject


class Now:
    """The clock of the house, once there is one."""

    house = None

    def __call__(self):
        return self.house.clock.time


@pytest.fixture
def people():
    return People()


@pytest.fixture
def issuer():
    return ForeignIssuer(Now())


@pytest.fixture
def make_house(people, issuer):
    """Return the function that makes a house; `trust` changes what the issuer is trusted with."""

    def make(*plugins, trust=None, **settings):
        trusted = {"jwks": issuer.key.jwks, **(trust or {})}
        given = {
            "OIDC_ENABLED": True,
            "JWT_BEARER_GRANT_ENABLED": True,
            "JWT_BEARER_TRUSTED_ISSUERS": {
                FOREIGN: {name: value for name, value in trusted.items() if value is not None}
            },
            "JWT_BEARER_SUBJECT_RESOLVER": people,
        }
        house = issuer.now.house = House(*plugins, **{**given, **settings})
        people.subject = people.subject or house.ann.sub
        return house

    return make


@pytest.fixture
def house(make_house):
    return make_house()


@pytest.fixture
def make_job():
    return lambda house: house.client(grant_types=(GRANT,), redirect_uris=())


@pytest.fixture
def job(house, make_job):
    """The client that redeems assertions."""
    return make_job(house)


@pytest.fixture
def redeem(house, job):
    """Return a function that redeems an assertion."""
    return lambda assertion, party=None, **form: house.door().token(
        party or job, grant_type=GRANT, assertion=assertion, **form
    )
