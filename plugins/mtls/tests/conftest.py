"""A house in which certificates count, behind a proxy that passes them on, and authorities."""

import pytest
from security.house import House
from support.certificates import BEHIND_PROXY, Issuer


@pytest.fixture(scope="session")
def authority():
    return Issuer()


@pytest.fixture(scope="session")
def trusted(authority, tmp_path_factory):
    """The file with the authorities that are trusted."""
    return authority.write(tmp_path_factory.mktemp("authorities"))


@pytest.fixture(scope="session")
def make_house(trusted):
    """Return the function that makes a house with other settings or plugins."""
    given = {"OIDC_ENABLED": True, "MTLS_ENABLED": True, "MTLS_TRUSTED_CAS": trusted, **BEHIND_PROXY}
    return lambda *plugins, **settings: House(*plugins, **{**given, **settings})


@pytest.fixture(scope="module")
def house(make_house):
    return make_house()


@pytest.fixture(params=["flask", pytest.param("wsgi", marks=pytest.mark.thorough)])
def door(house, request):
    return house.door(request.param)
