"""A house that exchanges tokens, as its policy allows."""

import pytest
from security.house import House
from support.exchanges import API, GRANT, MAIL, TYPE, Policy


@pytest.fixture
def policy():
    return Policy()


@pytest.fixture
def make_house(policy):
    """Return the function that makes a house with other settings or plugins."""

    def make(*plugins, **settings):
        given = {
            "OIDC_ENABLED": True,
            "TOKEN_EXCHANGE_POLICY": policy,
            "PROTECTED_RESOURCES": {API: {"client_id": "api"}, MAIL: {}},
        }
        return House(*plugins, **{**given, **settings})

    return make


@pytest.fixture
def house(make_house):
    return make_house()


@pytest.fixture
def app(house):
    """The client whose people sign in."""
    return house.client()


@pytest.fixture
def gateway(house):
    """The client that exchanges."""
    return house.client(grant_types=(GRANT, "client_credentials"), redirect_uris=())


@pytest.fixture
def exchange(house):
    """Return a function that exchanges a token and returns the answer."""

    def run(party, token, kind="access_token", *, headers=None, **more):
        form = {"subject_token": token, "subject_token_type": TYPE + kind, **more}
        headers = {**party.auth, **(headers or {})}
        return house.door().token(party, headers, grant_type=GRANT, **form)

    return run
