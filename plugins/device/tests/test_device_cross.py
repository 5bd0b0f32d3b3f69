"""Devices meet resources, keys and certificates (RFC 8707, RFC 9449, RFC 8705)."""

import pytest
from security.driving import bearer, error_of
from support.certificates import BEHIND_PROXY, Issuer, shown
from support.devices import answered, asked, begun, poll, television
from support.proofs import Prover

API, FILES = "https://api.example/", "https://files.example/v1"
RESOURCES = {API: {"scopes": ["read", "write"], "client_id": "api"}, FILES: {"scopes": ["write"]}}


@pytest.fixture(scope="module")
def servers(make_world):
    world = make_world(PROTECTED_RESOURCES=RESOURCES)
    world.api = world.client(client_id="api")
    return world


def audience(world, tokens):
    return world.door().introspect(world.api, tokens["access_token"]).json.get("aud")


def test_a_device_gets_tokens_for_the_servers_that_it_named(servers):
    party, browser = television(servers), servers.browser()
    codes = begun(servers, party, resource=API)
    answered(browser, codes["user_code"])
    assert error_of(poll(servers, party, codes, resource=FILES)) == "invalid_target"
    assert audience(servers, poll(servers, party, codes, resource=API).json) == [API]


def test_what_it_named_is_for_no_other_server(servers):
    party, browser = television(servers), servers.browser()
    assert error_of(asked(servers, party, resource="https://evil.example/")) == "invalid_target"
    codes = begun(servers, party, resource=API)
    answered(browser, codes["user_code"])
    tokens = poll(servers, party, codes).json
    assert audience(servers, tokens) == [API]
    refused = servers.door().refresh(party, tokens["refresh_token"], resource=FILES)
    assert error_of(refused) == "invalid_target"


@pytest.fixture
def prover(world):
    return Prover(lambda: world.clock.time)


def test_a_proof_at_polling_binds_the_tokens(world, browser, prover):
    party = television(world, client_type="public")
    codes = begun(world, party)
    answered(browser, codes["user_code"])
    tokens = poll(world, party, codes, headers=prover.proof()).json
    assert tokens["token_type"] == "DPoP"
    assert world.door().open("/resource", headers=bearer(tokens["access_token"])).status_code == 401
    assert error_of(world.door().refresh(party, tokens["refresh_token"])) == "invalid_grant"
    refreshed = world.door().refresh(party, tokens["refresh_token"], headers=prover.proof())
    assert refreshed.json["token_type"] == "DPoP"


def test_a_client_that_has_to_prove_its_key_gets_nothing_without_and_loses_nothing(world, browser, prover):
    party = television(world, metadata={"dpop_bound_access_tokens": True})
    codes = begun(world, party)
    answered(browser, codes["user_code"])
    assert error_of(poll(world, party, codes)) == "invalid_request"
    assert poll(world, party, codes, headers={**party.auth, **prover.proof()}).json["token_type"] == "DPoP"


def test_a_certificate_at_polling_binds_the_tokens(make_world):
    world = make_world(MTLS_ENABLED=True, **BEHIND_PROXY)
    party, browser = (
        television(world, metadata={"tls_client_certificate_bound_access_tokens": True}),
        world.browser(),
    )
    certificate = shown(Issuer().client())
    codes = begun(world, party)
    answered(browser, codes["user_code"])
    assert error_of(poll(world, party, codes)) == "invalid_request"
    tokens = poll(world, party, codes, headers={**party.auth, **certificate}).json
    assert "x5t#S256" in world.door().introspect(party, tokens["access_token"]).json["cnf"]
