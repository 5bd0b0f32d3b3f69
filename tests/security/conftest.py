"""The house that the attacks are made on."""

import pytest

from security.house import House


@pytest.fixture(scope="session")
def make_house():
    """Return the function that makes a house of its own, for tests that need other settings or plugins."""
    return House


@pytest.fixture(scope="session")
def house():
    """The house that most tests share: each makes the clients it needs, and time only goes forward."""
    return House()


@pytest.fixture(params=["flask", "wsgi"])
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
