"""A house in which clients manage grants."""

import pytest
from support.managed_grants import MANAGED, Managed
from support.openid import make_world, pem

__all__ = ["make_world", "pem"]


@pytest.fixture(scope="module")
def world(make_world):
    return make_world(SIGNING_KEYS_GENERATED=True, **MANAGED)


@pytest.fixture
def shop(world):
    return Managed(world)
