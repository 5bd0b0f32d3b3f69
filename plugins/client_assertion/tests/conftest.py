"""A provider whose clients sign, asked by both doors."""

import pytest
from support.assertions import World

from portula_testing.jws import TokenKey, signed_with_secret
from portula_testing.provider import MovableClock


@pytest.fixture(scope="session")
def key():
    return TokenKey("ES256")


@pytest.fixture
def clock():
    return MovableClock()


@pytest.fixture
def make_world(clock):
    return lambda *rooms, **settings: World(clock, *rooms, **settings)


@pytest.fixture
def world(make_world):
    return make_world()


@pytest.fixture(params=["flask", pytest.param("wsgi", marks=pytest.mark.thorough)])
def door(request):
    return request.param


@pytest.fixture
def secret_signed():
    return lambda secret, claims, algorithm="HS256": signed_with_secret(secret.encode(), claims, algorithm)
