"""Fixtures of backchannel authentication."""

import pytest
from support.backchannel import till
from support.openid import browser, make_world, pem, world

__all__ = ["browser", "make_world", "pem", "world"]


@pytest.fixture
def party(world):
    return till(world)
