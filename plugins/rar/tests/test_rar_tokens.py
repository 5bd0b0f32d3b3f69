"""Tokens with details: narrowed, enriched, told to servers (RFC 9396 §6, §7, §9), over HTTP."""

import json

import pytest
from security.driving import answered, error_of
from support.details import ACCOUNTS, BANK, OF_CLIENT, PAYMENT, TYPES, AccountInformation

from portula.plugin import AccessToken, Authorization

OTHER = "https://other.example/"
CHOSEN = {**ACCOUNTS, "identifier": AccountInformation.chosen}
LESS = {**ACCOUNTS, "actions": ["list_accounts"]}
BIGGER = {**PAYMENT, "instructedAmount": {"currency": "EUR", "amount": "124.00"}}


def named(*details):
    return {"authorization_details": json.dumps(details)}


def told(answer):
    assert answer.status_code == 200, answer.text
    return answer.json["authorization_details"]


def introspected(world, caller, token):
    return world.door().introspect(caller, token).json.get("authorization_details")


# --- Narrower, never wider ---


def test_a_code_becomes_a_token_with_all_that_was_granted(granted):
    assert told(granted(PAYMENT, ACCOUNTS)) == [PAYMENT, CHOSEN]


def test_a_token_without_details_says_nothing_of_them(world, browser, party):
    answer = world.door().redeem(party, *browser.code(party, scope="read"))
    assert "authorization_details" not in answer.json
    assert introspected(world, party, answer.json["access_token"]) is None


def test_a_token_request_may_name_less(granted):
    assert told(granted(PAYMENT, ACCOUNTS, **named(PAYMENT))) == [PAYMENT]
    assert told(granted(PAYMENT, ACCOUNTS, **named(LESS))) == [{**CHOSEN, "actions": ["list_accounts"]}]
    assert told(granted(PAYMENT, **named())) == []


@pytest.mark.parametrize(
    "more",
    [
        [BIGGER],
        [PAYMENT, BIGGER],
        [PAYMENT, PAYMENT],
        [ACCOUNTS],
        [OF_CLIENT],
        [{**PAYMENT, "locations": []}],
    ],
)
def test_more_than_was_granted_is_refused_of_code_and_refresh(world, granted, party, more):
    assert error_of(granted(PAYMENT, **named(*more))) == "invalid_authorization_details"
    tokens = granted(PAYMENT).json
    refused = world.door().refresh(party, tokens["refresh_token"], **named(*more))
    assert error_of(refused) == "invalid_authorization_details"
    assert told(world.door().refresh(party, tokens["refresh_token"])) == [PAYMENT]


def test_details_cannot_be_added_to_a_grant_that_has_none(world, browser, party):
    code = browser.code(party, scope="read")
    assert error_of(world.door().redeem(party, *code, **named(PAYMENT))) == "invalid_authorization_details"


def test_a_refresh_token_keeps_all_whatever_one_refresh_named(world, granted, party):
    tokens = granted(PAYMENT, ACCOUNTS, **named(PAYMENT)).json
    for details, expected in (((LESS,), [{**CHOSEN, "actions": ["list_accounts"]}]), ((), [PAYMENT, CHOSEN])):
        answer = world.door().refresh(party, tokens["refresh_token"], **(named(*details) if details else {}))
        assert told(answer) == expected
        assert introspected(world, party, answer.json["access_token"]) == expected
        tokens = answer.json


def test_a_refresh_that_comes_again_is_told_what_its_token_has(make_world):
    world = make_world(
        AUTHORIZATION_DETAILS_TYPES=TYPES, PROTECTED_RESOURCES={}, REFRESH_TOKEN_GRACE_PERIOD_SECONDS=60
    )
    party = world.client(metadata={"authorization_details_types": list(TYPES)})
    code = world.browser().code(party, **named(PAYMENT, ACCOUNTS), scope="read")
    old = world.door().redeem(party, *code).json["refresh_token"]
    first = world.door().refresh(party, old, **named(PAYMENT)).json
    again = world.door().refresh(party, old).json
    assert again["access_token"] == first["access_token"]
    assert again["authorization_details"] == first["authorization_details"] == [PAYMENT]


def test_details_of_a_type_that_the_client_has_lost_are_left_out(world, granted, party):
    tokens = granted(PAYMENT, ACCOUNTS).json
    world.change(party, metadata={"authorization_details_types": ["account_information"]})
    assert told(world.door().refresh(party, tokens["refresh_token"])) == [CHOSEN]


# --- Where nobody is asked ---


def test_a_client_has_for_itself_what_its_type_allows(world, party):
    form = {"grant_type": "client_credentials", "scope": "read"}
    answer = world.door().token(party, **form, **named(OF_CLIENT))
    assert told(answer) == [OF_CLIENT]
    assert introspected(world, party, answer.json["access_token"]) == [OF_CLIENT]
    for details in ([PAYMENT], [OF_CLIENT, PAYMENT]):
        assert (
            error_of(world.door().token(party, **form, **named(*details))) == "invalid_authorization_details"
        )


def test_a_password_grants_no_details(make_world):
    world = make_world(AUTHORIZATION_DETAILS_TYPES=TYPES, PROTECTED_RESOURCES={}, PASSWORD_GRANT_ENABLED=True)
    party = world.client(grant_types=("password",), metadata={"authorization_details_types": list(TYPES)})
    form = {
        "grant_type": "password",
        "username": "ann",
        "password": "a long password of hers",
        "scope": "read",
    }
    for details in (PAYMENT, OF_CLIENT):
        assert (
            error_of(world.door().token(party, **form, **named(details))) == "invalid_authorization_details"
        )
    for nothing in ({}, named()):
        assert world.door().token(party, **form, **nothing).status_code == 200


def test_a_token_in_the_redirect_has_them_too(world, browser):
    metadata = {"authorization_details_types": list(TYPES)}
    party = world.client(grant_types=("implicit",), metadata=metadata)
    no_code = {"code_challenge": None, "code_challenge_method": None}
    sent = answered(
        browser.authorize(party, response_type="token", scope="read", **no_code, **named(PAYMENT))
    )
    assert json.loads(sent["authorization_details"]) == [PAYMENT]
    assert introspected(world, world.bank, sent["access_token"]) == [PAYMENT]


# --- Enriched ---


@pytest.fixture
def fault(monkeypatch):
    """Return a function that lets the accounts' type misbehave."""

    def misbehave(**changes):
        for name, value in changes.items():
            monkeypatch.setattr(AccountInformation, name, value)

    return misbehave


def test_what_a_type_adds_widens_nothing(world, granted, fault):
    fault(also=("read_balances",))
    assert told(granted(ACCOUNTS)) == [{**CHOSEN, "actions": [*ACCOUNTS["actions"], "read_balances"]}]
    refused = granted(LESS)
    assert error_of(refused) == "access_denied"
    assert told(granted(LESS, **named())) == []


@pytest.mark.parametrize(
    "result",
    [
        None,
        7,
        lambda detail: detail.model_copy(update={"actions": ("destroy",)}),
        lambda detail: detail.model_copy(update={"type": "payment_initiation"}),
    ],
)
def test_what_a_type_returns_is_judged_like_what_a_client_sends(granted, fault, result):
    fault(enrich=lambda self, detail, exchange: result(detail) if callable(result) else result)
    assert error_of(granted(ACCOUNTS)) == "access_denied"


def test_details_that_were_enriched_may_be_named_again(world, granted, party):
    tokens = granted(ACCOUNTS).json
    assert told(world.door().refresh(party, tokens["refresh_token"], **named(CHOSEN))) == [CHOSEN]


# --- Whom they are told ---


def test_introspection_tells_a_server_what_is_for_it(world, granted, party):
    at_other = {**ACCOUNTS, "locations": [f"{OTHER}v1/accounts", "https://nobody.example"]}
    token = granted(PAYMENT, at_other).json["access_token"]
    chosen = {**CHOSEN, "locations": at_other["locations"]}
    assert introspected(world, world.bank, token) == [PAYMENT]
    assert introspected(world, world.other, token) == [chosen]
    assert introspected(world, party, token) == [PAYMENT, chosen]
    assert introspected(world, world.client(), token) == []
    anywhere = granted(ACCOUNTS).json["access_token"]
    assert introspected(world, world.client(), anywhere) == [CHOSEN]


@pytest.mark.parametrize(
    "location",
    ["https://other.example.evil/", "https://other.exampleevil", "https://OTHER.example/", "other"],
)
def test_a_place_that_looks_like_a_servers_is_not_its_own(world, granted, location):
    token = granted({**ACCOUNTS, "locations": [location]}).json["access_token"]
    assert introspected(world, world.other, token) == (
        [] if location != "other" else [{**CHOSEN, "locations": ["other"]}]
    )


def test_where_nobody_said_who_is_who_every_server_is_told(make_world):
    world = make_world(AUTHORIZATION_DETAILS_TYPES=TYPES, PROTECTED_RESOURCES={})
    party = world.client(metadata={"authorization_details_types": list(TYPES)})
    code = world.browser().code(party, **named(PAYMENT), scope="read")
    token = world.door().redeem(party, *code).json["access_token"]
    assert introspected(world, world.client(), token) == [PAYMENT]


def test_a_token_for_one_server_has_what_is_for_it(world, granted, party):
    at_other = {**ACCOUNTS, "locations": [OTHER]}
    answer = granted(PAYMENT, at_other, ask={"resource": [BANK, OTHER]}, resource=BANK)
    assert told(answer) == [PAYMENT]
    assert introspected(world, world.bank, answer.json["access_token"]) == [PAYMENT]
    refreshed = world.door().refresh(party, answer.json["refresh_token"], resource=OTHER)
    assert told(refreshed) == [{**CHOSEN, "locations": [OTHER]}]


def test_the_authorization_keeps_what_was_allowed_and_the_token_what_it_has(world, granted, party):
    granted(PAYMENT, ACCOUNTS, **named(PAYMENT))
    (given,) = [
        each for each in world.provider.storage.select(Authorization) if each.client_id == party.client_id
    ]
    assert given.facts["rar"] == {"details": [PAYMENT, ACCOUNTS]}
    (token,) = [each for each in world.provider.storage.select(AccessToken) if each.authorization == given.id]
    assert token.payload == {"authorization_details": [PAYMENT]}
