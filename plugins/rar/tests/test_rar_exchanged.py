"""Tokens that are exchanged have no details that the token they are made of has not (RFC 9396 §6, RFC 8693 §1.1)."""

import json

import pytest
from security.driving import error_of
from support.details import ACCOUNTS, BANK, PAYMENT, TYPES
from support.exchanges import GRANT, TYPE, Policy


@pytest.fixture
def world(make_world):
    return make_world(
        AUTHORIZATION_DETAILS_TYPES=TYPES,
        PROTECTED_RESOURCES={BANK: {"client_id": "bank"}},
        TOKEN_EXCHANGE_POLICY=Policy(),
        REQUEST_APPROVAL_PROMPT="auto",
    )


@pytest.fixture
def party(world):
    metadata = {"authorization_details_types": list(TYPES)}
    return world.client(grant_types=("authorization_code", "refresh_token", GRANT), metadata=metadata)


@pytest.fixture
def gateway(world):
    metadata = {"authorization_details_types": list(TYPES)}
    return world.client(grant_types=(GRANT,), redirect_uris=(), metadata=metadata)


@pytest.fixture
def exchanged(world, gateway):
    """Return a function that exchanges a token and returns the answer."""

    def exchange(token, kind="access_token", *, by=gateway, **more):
        form = {"subject_token": token, "subject_token_type": TYPE + kind, **more}
        return world.door().token(by, grant_type=GRANT, **form)

    return exchange


def types(details):
    return [detail["type"] for detail in details]


def test_the_details_of_the_subject_token_go_on(granted, exchanged):
    subject = granted(PAYMENT, ACCOUNTS).json
    answer = exchanged(subject["access_token"]).json
    assert answer["authorization_details"] == subject["authorization_details"]


def test_a_subject_token_with_less_makes_one_with_less(granted, exchanged):
    subject = granted(PAYMENT, ACCOUNTS, authorization_details=json.dumps([PAYMENT])).json
    assert types(subject["authorization_details"]) == [PAYMENT["type"]]
    answer = exchanged(subject["access_token"]).json
    assert types(answer["authorization_details"]) == [PAYMENT["type"]]


def test_what_the_subject_token_has_not_cannot_be_named(granted, exchanged):
    subject = granted(PAYMENT, ACCOUNTS, authorization_details=json.dumps([PAYMENT])).json
    answer = exchanged(subject["access_token"], authorization_details=json.dumps([ACCOUNTS]))
    assert error_of(answer) == "invalid_authorization_details"


def test_an_exchange_may_name_less(granted, exchanged):
    subject = granted(PAYMENT, ACCOUNTS).json
    answer = exchanged(subject["access_token"], authorization_details=json.dumps([PAYMENT])).json
    assert types(answer["authorization_details"]) == [PAYMENT["type"]]


def test_an_id_token_has_no_details_to_go_on(granted, exchanged, party):
    subject = granted(PAYMENT, scope="openid read").json
    answer = exchanged(subject["id_token"], "id_token", by=party).json
    assert answer["access_token"]
    assert not answer.get("authorization_details")
