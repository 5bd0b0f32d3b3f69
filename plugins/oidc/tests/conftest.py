"""Fixtures of OpenID Connect."""

import pytest
from support.openid import browser, make_world, pem, world

__all__ = ["browser", "make_world", "pem", "world"]


@pytest.fixture
def client(world):
    return world.client()


@pytest.fixture
def ask(world, browser, client):
    """Return the function that sends an authentication request and returns the answer, signing in where asked."""

    def ask(**parameters):
        given = {"scope": "openid", "nonce": "the nonce", **parameters}
        return browser.ask(client, **given)

    return ask
