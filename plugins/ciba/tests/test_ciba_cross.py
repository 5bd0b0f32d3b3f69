"""Requests meet resources, details, keys, certificates and other kinds of tokens (RFC 8707, 9396, 9449, 8705; S44)."""

import json

import pytest
from security.driving import bearer, error_of
from security.test_s44_places import (
    KEY,
    KINDS,
    TAKEN,
    Places,
    elsewhere,
    house,
    made,
    plain,
    reading,
    signing,
)
from support import details
from support.backchannel import PATH, asked, begun, decided, object_claims, opened, poll, till
from support.certificates import BEHIND_PROXY, Issuer, shown
from support.proofs import Prover

__all__ = ["elsewhere", "house", "plain", "reading", "signing"]

API, FILES = "https://api.example/", "https://files.example/v1"
RESOURCES = {API: {"scopes": ["openid", "read", "write"], "client_id": "api"}, FILES: {"scopes": ["write"]}}


@pytest.fixture
def world(make_world):
    world = make_world(
        PROTECTED_RESOURCES=RESOURCES,
        AUTHORIZATION_DETAILS_TYPES=details.TYPES,
        MTLS_ENABLED=True,
        **BEHIND_PROXY,
    )
    world.api = world.client(client_id="api")
    return world


@pytest.fixture
def browser(world):
    browser = world.browser()
    browser.sign_in()
    return browser


def test_tokens_are_for_the_servers_that_were_named(world, browser):
    party = till(world)
    assert error_of(asked(world, party, resource="https://evil.example/")) == "invalid_target"
    members = begun(world, party, resource=API)
    decided(browser)
    assert error_of(poll(world, party, members, resource=FILES)) == "invalid_target"
    tokens = poll(world, party, members, resource=API).json
    assert world.door().introspect(world.api, tokens["access_token"]).json["aud"] == [API]


def test_details_are_shown_and_given(world, browser):
    party = till(world, metadata={"authorization_details_types": list(details.TYPES)})
    refused = asked(world, party, authorization_details=json.dumps([{"type": "nosuch"}]))
    assert error_of(refused) == "invalid_authorization_details"
    members = begun(world, party, authorization_details=json.dumps([details.ACCOUNTS]))
    assert "See your accounts" in opened(browser).text
    decided(browser)
    (given,) = poll(world, party, members).json["authorization_details"]
    assert given["type"] == details.ACCOUNTS["type"]


def test_a_proof_at_the_token_endpoint_binds_the_tokens(world, browser):
    prover, party = Prover(lambda: world.clock.time), till(world, metadata={"dpop_bound_access_tokens": True})
    members = begun(world, party)
    decided(browser)
    assert error_of(poll(world, party, members)) == "invalid_request"
    tokens = poll(world, party, members, headers={**party.auth, **prover.proof()}).json
    assert tokens["token_type"] == "DPoP"
    assert world.door().open("/resource", headers=bearer(tokens["access_token"])).status_code == 401


def test_a_certificate_at_the_token_endpoint_binds_the_tokens(world, browser):
    party = till(world, metadata={"tls_client_certificate_bound_access_tokens": True})
    certificate = shown(Issuer().client())
    members = begun(world, party)
    decided(browser)
    assert error_of(poll(world, party, members)) in ("invalid_request", "invalid_client")
    tokens = poll(world, party, members, headers={**party.auth, **certificate}).json
    told = world.door().introspect(party, tokens["access_token"]).json
    assert "x5t#S256" in told["cnf"]


# --- Other kinds of tokens (S44) ---


@pytest.fixture
def shop(house):
    """A client that signs by the key by which others sign too."""
    return till(house, metadata={"jwks": KEY.jwks})


@pytest.mark.parametrize("kind", KINDS)
def test_no_other_token_is_a_signed_request_an_identifier_or_a_hint(
    house, signing, plain, reading, shop, kind
):
    token = made(house, signing, plain, reading, kind)
    assert error_of(house.door().post(PATH, {"request": token}, shop.auth)) == "invalid_request"
    assert error_of(poll(house, shop, {"auth_req_id": token})) == "invalid_grant"
    assert error_of(asked(house, shop, login_hint=None, id_token_hint=token)) == "invalid_request"
    assert error_of(asked(house, shop, login_hint=None, login_hint_token=token)) == "invalid_request"


@pytest.mark.parametrize("place", TAKEN)
def test_a_signed_request_is_nothing_else(house, signing, plain, elsewhere, place):
    token = KEY.sign(object_claims(house, signing))
    assert not getattr(Places(house, signing, plain, elsewhere), place)(token)
