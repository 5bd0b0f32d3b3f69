"""The house that the attacks are made on."""

import pytest

from portula_generators import costly
from security.house import House


@pytest.fixture(scope="module", autouse=True)
def wrong_secrets_of_others_do_not_count():
    """All tests come from one address: the limits on it are the business of the tests of generators."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(costly, "FAILURES", 10_000)
        patch.setattr(costly, "FAILURES_PER_ADDRESS", 10_000)
        yield


@pytest.fixture(scope="session")
def make_house():
    """Return the function that makes a house of its own, for tests that need other settings or plugins."""
    return House


@pytest.fixture(scope="session")
def house():
    """The house that most tests share: each makes the clients it needs, and time only goes forward."""
    return House()


@pytest.fixture(params=["flask", pytest.param("wsgi", marks=pytest.mark.thorough)])
def kind(request):
    """Both ways to a machine endpoint."""
    return request.param


@pytest.fixture
def door(house, kind):
    return house.door(kind)


@pytest.fixture
def browser(house):
    return house.browser()


@pytest.fixture
def client(house):
    """A confidential client for all grants."""
    return house.client()


@pytest.fixture
def public(house):
    """A public client for the code grant."""
    return house.public_client()
