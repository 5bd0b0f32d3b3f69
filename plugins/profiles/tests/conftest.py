"""Houses under a profile."""

import pytest
from security.house import House


@pytest.fixture(scope="session")
def fapi():
    """A house of which nothing but the profile is configured."""
    return House(OIDC_ENABLED=True, PROFILE="fapi2")


@pytest.fixture(scope="session")
def signing():
    return House(OIDC_ENABLED=True, PROFILE="fapi2-message-signing")


@pytest.fixture(scope="session")
def plain():
    """A house without a profile of its own."""
    return House(OIDC_ENABLED=True)
