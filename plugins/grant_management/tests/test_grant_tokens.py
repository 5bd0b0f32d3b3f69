"""Grants that are created, merged and replaced: what their tokens may do, over HTTP (Grant Management §5)."""

import json

import pytest
from security.driving import answered, error_of
from support.details import ACCOUNTS, PAYMENT, AccountInformation
from support.managed_grants import API, FILES, details
from support.proofs import Prover

CHOSEN = {**ACCOUNTS, "identifier": AccountInformation.chosen}


# --- Create ---


def test_a_grant_has_an_identifier_in_the_token_response_and_nowhere_before(shop):
    response = shop.browser.authorize(shop.party, grant_management_action="create")
    assert "grant_id" not in answered(response)
    tokens = shop.tokens()
    assert len(tokens["grant_id"]) >= 32
    assert tokens["grant_id"].replace("-", "").replace("_", "").isalnum()
    assert shop.refresh(tokens).json["grant_id"] == tokens["grant_id"]


def test_a_request_without_an_action_has_no_grant(shop):
    tokens = shop.redeem(shop.browser.code(shop.party)).json
    assert "grant_id" not in tokens


def test_grants_of_one_person_and_client_stand_side_by_side(shop):
    first, second = shop.tokens(scope="read"), shop.tokens(scope="write")
    assert first["grant_id"] != second["grant_id"]
    assert shop.call(second["grant_id"], "DELETE").status_code == 204
    assert shop.active(first["access_token"], second["access_token"]) == [True, False]
    assert [each["scope"] for each in shop.query(first["grant_id"])["scopes"]] == ["read"]


# --- Merge ---


def test_merging_adds_scopes_and_its_refresh_token_has_all(shop):
    first = shop.tokens(scope="read")
    second = shop.tokens("merge", first["grant_id"], scope="write")
    assert second["grant_id"] == first["grant_id"]
    assert set(second["scope"].split()) == {"read", "write"}
    renewed = shop.refresh(second).json
    assert set(renewed["scope"].split()) == {"read", "write"}
    assert renewed["grant_id"] == first["grant_id"]
    assert set(shop.query(first["grant_id"])["scopes"][0]["scope"].split()) == {"read", "write"}


@pytest.mark.parametrize("action", ["merge", "replace"])
def test_earlier_tokens_end_as_the_new_code_is_redeemed_and_not_before(shop, action):
    first = shop.tokens(scope="read")
    code = shop.code(action, first["grant_id"], scope="write")
    assert shop.active(first["access_token"], first["refresh_token"]) == [True, True]
    second = shop.redeem(code).json
    assert shop.active(first["access_token"], first["refresh_token"]) == [False, False]
    assert error_of(shop.refresh(first)) == "invalid_grant"
    assert shop.active(second["access_token"], second["refresh_token"]) == [True, True]


def test_the_old_refresh_token_that_comes_back_ends_nothing(shop):
    first = shop.tokens(scope="read")
    second = shop.tokens("merge", first["grant_id"], scope="write")
    second = shop.refresh(second).json
    assert error_of(shop.refresh(first)) == "invalid_grant"
    assert shop.active(second["access_token"], second["refresh_token"]) == [True, True]


def test_merging_again_and_again_keeps_one_grant(shop):
    grant_id = shop.tokens(scope="read")["grant_id"]
    for scope in ("write", "share", "read"):
        tokens = shop.tokens("merge", grant_id, scope=scope)
    assert set(tokens["scope"].split()) == {"read", "write", "share"}
    assert len(shop.query(grant_id)["scopes"]) == 1


def test_merging_adds_details_each_once(shop):
    first = shop.tokens(scope="read", authorization_details=details(PAYMENT))
    merged = shop.tokens(
        "merge", first["grant_id"], scope="read", authorization_details=details(ACCOUNTS, PAYMENT)
    )
    assert merged["authorization_details"] == [PAYMENT, CHOSEN]
    assert shop.refresh(merged).json["authorization_details"] == [PAYMENT, CHOSEN]
    assert shop.query(first["grant_id"])["authorization_details"] == [PAYMENT, ACCOUNTS]


def test_a_merge_without_details_keeps_those_there_are(shop):
    first = shop.tokens(scope="read", authorization_details=details(PAYMENT))
    assert shop.tokens("merge", first["grant_id"], scope="write")["authorization_details"] == [PAYMENT]


def test_nobody_is_asked_about_more_details_than_a_grant_holds(shop):
    named = [{**PAYMENT, "creditorName": f"Shop {number}"} for number in range(110)]
    grant_id = shop.tokens(scope="read", authorization_details=details(*named[:60]))["grant_id"]
    shop.tokens("merge", grant_id, scope="read", authorization_details=details(*named[50:100]))
    asked = {"grant_management_action": "merge", "grant_id": grant_id}
    page = shop.browser.consent_page(shop.party, **asked, authorization_details=details(*named[100:]))
    assert answered(page)["error"] == "invalid_authorization_details"
    assert len(shop.query(grant_id)["authorization_details"]) == 100


def test_merging_joins_claims_and_tells_the_nonce_of_the_later_request(shop):
    by_name = {"userinfo": {"name": None}}
    first = shop.tokens(scope="openid", claims=json.dumps(by_name), nonce="the first")
    second = shop.tokens(
        "merge",
        first["grant_id"],
        scope="openid",
        claims='{"userinfo": {"email_verified": null}}',
        nonce="the second",
    )
    told = shop.world.userinfo(second["access_token"]).json
    assert told.keys() == {"sub", "name", "email_verified"}
    assert shop.world.read(second["id_token"])["nonce"] == "the second"
    assert shop.query(first["grant_id"])["claims"] == ["email_verified", "name"]


def test_what_a_client_has_lost_is_in_no_token_of_a_merge(world, shop):
    first = shop.tokens(scope="read write")
    code = shop.code("merge", first["grant_id"], scope="share")
    world.change(shop.party, scope="read share grant_management_query grant_management_revoke")
    assert set(shop.redeem(code).json["scope"].split()) == {"read", "share"}


def test_the_key_of_an_earlier_code_is_not_asked_for_with_a_later_one(world, shop):
    prover = Prover(lambda: int(world.clock.time))
    code = shop.code(scope="read", dpop_jkt=prover.thumbprint)
    headers = {**shop.party.auth, **prover.proof()}
    first = shop.redeem(code, headers=headers).json
    assert first["token_type"] == "DPoP"
    merged = shop.tokens("merge", first["grant_id"], scope="write")
    assert merged["token_type"] == "Bearer"
    assert set(merged["scope"].split()) == {"read", "write"}


# --- Resources ---


def test_a_scope_of_one_server_is_of_no_use_at_another(shop):
    first = shop.tokens(scope="read", resource=API)
    merged = shop.tokens("merge", first["grant_id"], scope="write", resource=FILES)
    assert merged["scope"] == "write"
    at_api = shop.refresh(merged, resource=API).json
    assert at_api["scope"] == "read"
    at_files = shop.refresh(at_api, resource=FILES).json
    assert at_files["scope"] == "write"
    assert error_of(shop.refresh(at_files)) == "invalid_target"
    assert shop.query(first["grant_id"])["scopes"] == [
        {"scope": "read", "resource": [API]},
        {"scope": "write", "resource": [FILES]},
    ]


def test_scopes_for_the_same_server_are_one_part(shop):
    first = shop.tokens(scope="read", resource=API)
    merged = shop.tokens("merge", first["grant_id"], scope="write", resource=API)
    assert set(merged["scope"].split()) == {"read", "write"}
    assert shop.query(first["grant_id"])["scopes"] == [{"scope": "read write", "resource": [API]}]


def test_a_scope_for_no_server_in_particular_serves_at_each(shop):
    first = shop.tokens(scope="read")
    merged = shop.tokens("merge", first["grant_id"], scope="write", resource=FILES)
    assert set(merged["scope"].split()) == {"read", "write"}
    assert set(shop.refresh(merged).json["scope"].split()) == {"read", "write"}


# --- Replace ---


def test_replacing_leaves_only_what_was_asked_for_last(shop):
    first = shop.tokens(scope="read write", authorization_details=details(PAYMENT))
    second = shop.tokens("replace", first["grant_id"], scope="share")
    assert second["grant_id"] == first["grant_id"]
    assert second["scope"] == "share"
    assert "authorization_details" not in second
    assert shop.refresh(second).json["scope"] == "share"
    held = shop.query(first["grant_id"])
    assert held["scopes"] == [{"scope": "share"}]
    assert "authorization_details" not in held


def test_a_merge_after_a_replacement_adds_to_that(shop):
    grant_id = shop.tokens(scope="read")["grant_id"]
    shop.tokens("replace", grant_id, scope="write")
    assert set(shop.tokens("merge", grant_id, scope="share")["scope"].split()) == {"write", "share"}
