"""A house with three servers that tokens can be for."""

import pytest
from security.driving import CALLBACK
from support.openid import browser, make_world, pem

__all__ = ["API", "FILES", "HERE", "browser", "make_world", "pem"]

API, FILES, HERE = "https://api.example/", "https://files.example/v1", "https://id.example/resource"
RESOURCES = {
    API: {"scopes": ["read", "write"], "client_id": "api"},
    FILES: {"scopes": ["write"]},
    HERE: {},
}


@pytest.fixture(scope="module")
def world(make_world):
    world = make_world(PROTECTED_RESOURCES=RESOURCES, SCOPES={"read": "Read", "write": "Write"})
    world.api = world.client(client_id="api", redirect_uris=(CALLBACK,))
    return world


@pytest.fixture
def party(world):
    return world.client()
