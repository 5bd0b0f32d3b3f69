"""Fixtures of OpenID Connect."""

import pytest
from support.openid import browser, make_world, pem, world

__all__ = ["browser", "make_world", "pem", "world"]


@pytest.fixture
def party(world):
    return world.client()
