"""A bank whose clients ask for payments and accounts."""

import json

import pytest
from security.driving import CALLBACK
from support.details import BANK, TYPES
from support.openid import browser, make_world, pem

__all__ = ["browser", "make_world", "pem"]


@pytest.fixture(scope="module")
def world(make_world):
    resources = {BANK: {"client_id": "bank"}, "https://other.example/": {"client_id": "other"}}
    world = make_world(
        AUTHORIZATION_DETAILS_TYPES=TYPES, PROTECTED_RESOURCES=resources, REQUEST_APPROVAL_PROMPT="auto"
    )
    world.bank = world.client(client_id="bank", redirect_uris=(CALLBACK,))
    world.other = world.client(client_id="other", redirect_uris=(CALLBACK,))
    return world


@pytest.fixture
def party(world):
    return world.client(metadata={"authorization_details_types": list(TYPES)})


@pytest.fixture
def granted(world, browser, party):
    """Return a function that lets Ann allow details, and returns the answer to the code."""

    def grant(*details, scope="read", ask=None, **redeem):
        named = json.dumps(details)
        code = browser.code(party, authorization_details=named, scope=scope, **(ask or {}))
        return world.door().redeem(party, *code, **redeem)

    return grant
