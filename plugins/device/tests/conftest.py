"""Fixtures of devices."""

import pytest
from support.devices import television
from support.openid import browser, make_world, pem, world

__all__ = ["browser", "make_world", "pem", "world"]


@pytest.fixture
def party(world):
    return television(world)
