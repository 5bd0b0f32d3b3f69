"""Asking for details: RFC 9396 §2, §3, §5, over HTTP."""

import json

import pytest
from pydantic import BaseModel
from security.driving import ISSUER, answered, error_of, pkce
from support.details import ACCOUNTS, PAYMENT, TYPES
from support.pushing import pushed, reference, to_page

from portula.errors import ConfigError, InvalidClientMetadata
from portula.plugin import read_client_metadata
from portula_rar import AuthorizationDetail, AuthorizationDetailsType
from portula_testing import jws

DEEP = "[" * 40 + "]" * 40
WRONG = {
    "no JSON": "payment",
    "an object": json.dumps(PAYMENT),
    "a text": json.dumps(json.dumps([PAYMENT])),
    "a number in the array": "[1]",
    "no type": "[{}]",
    "a type that is no text": '[{"type": 1}]',
    "an unknown type": '[{"type": "payment"}]',
    "an unknown field": json.dumps([{**PAYMENT, "privileges": ["admin"]}]),
    "an unknown field inside": json.dumps(
        [{**PAYMENT, "creditorAccount": {"iban": "DE02100100109307118603", "x": 1}}]
    ),
    "a field of another kind": json.dumps([{**PAYMENT, "creditorName": 7}]),
    "a value that is wrong": json.dumps([{**PAYMENT, "locations": ["https://evil.example/"]}]),
    "a missing field": json.dumps([{key: PAYMENT[key] for key in PAYMENT if key != "creditorName"}]),
    "what its type refuses": json.dumps([{**ACCOUNTS, "identifier": "nobody's"}]),
    "one that is wrong beside one that is right": json.dumps([PAYMENT, {"type": "payment"}]),
    "a member twice": '[{"type": "payment_initiation", "type": "account_information", "actions": ["list_accounts"]}]',
    "NaN": '[{"type": "statistics", "identifier": NaN}]',
    "a lone surrogate": '[{"type": "statistics", "identifier": "\\ud800"}]',
    "depth": f'[{{"type": "statistics", "actions": {DEEP}}}]',
    "10,000 objects": f"[{','.join(['1'] * 10_000)}]",
    "101 objects": json.dumps([{"type": "statistics"}] * 101),
    "too many bytes": json.dumps([{"type": "statistics", "identifier": "x" * 16_384}]),
    "a number of 5000 digits": f'[{{"type": "statistics", "identifier": {"9" * 5000}}}]',
}


def ask_for(browser, party, *details, **parameters):
    parameters.setdefault("scope", "read")
    return browser.consent_page(party, authorization_details=json.dumps(details), **parameters)


# --- The page ---


def test_the_page_shows_details_in_words_beside_scopes(browser, party):
    page = ask_for(browser, party, PAYMENT, ACCOUNTS)
    for text in ("Read", "Make a payment", "123.50 EUR", "Merchant A", "See your accounts", "read_balances"):
        assert text in page.text, text


def test_what_a_client_writes_is_escaped_and_deceives_no_eye(browser, party):
    name = "<b>Mer\u202echant</b>"
    page = ask_for(browser, party, {**PAYMENT, "creditorName": name})
    assert "&lt;b&gt;Merchant&lt;/b&gt;" in page.text
    assert "<b>Mer" not in page.text


def test_a_payment_is_asked_about_each_time(browser, party):
    assert answered(browser.submit(ask_for(browser, party, PAYMENT), "consent-allow"))["code"]
    assert "Make a payment" in ask_for(browser, party, PAYMENT).text


def test_accounts_are_remembered_to_the_last_field(browser, party):
    assert answered(browser.submit(ask_for(browser, party, ACCOUNTS), "consent-allow"))["code"]
    assert answered(ask_for(browser, party, ACCOUNTS))["code"]
    assert answered(ask_for(browser, party))["code"]
    for changed in (
        [{**ACCOUNTS, "identifier": "another"}],
        [{**ACCOUNTS, "datatypes": ["what no words tell"]}],
        [ACCOUNTS, PAYMENT],
    ):
        assert "See your accounts" in ask_for(browser, party, *changed).text


def test_where_no_page_may_be_shown_one_that_is_needed_is_an_error(browser, party):
    browser.submit(ask_for(browser, party, ACCOUNTS, scope="openid"), "consent-allow")
    silent = {"scope": "openid", "prompt": "none"}
    assert answered(ask_for(browser, party, ACCOUNTS, **silent))["code"]
    changed = {**ACCOUNTS, "actions": ["list_accounts"]}
    for details in ([PAYMENT], [changed], [ACCOUNTS, PAYMENT]):
        assert answered(ask_for(browser, party, *details, **silent))["error"] == "consent_required"


def test_who_denies_is_asked_again_and_nothing_is_kept(browser, party):
    assert (
        answered(browser.submit(ask_for(browser, party, ACCOUNTS), "consent-deny"))["error"]
        == "access_denied"
    )
    assert "See your accounts" in ask_for(browser, party, ACCOUNTS).text


# --- What is refused ---


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_wrong_is_said_at_the_redirect_uri_and_to_who_pushes_it(world, party, wrong):
    sent = pushed(world, party, authorization_details=WRONG[wrong])
    assert sent.status_code in (400, 413)  # longer than any request that is kept
    if sent.status_code == 400:
        assert error_of(sent) == "invalid_authorization_details"
        assert sent.json["error_description"].isascii()
    told = answered(world.browser().ask(party, authorization_details=WRONG[wrong]))
    assert told["error"] == "invalid_authorization_details"
    assert told["state"] == "the state"


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_wrong_is_refused_at_the_token_endpoint(world, granted, party, wrong):
    form = {"grant_type": "client_credentials", "scope": "read", "authorization_details": WRONG[wrong]}
    assert error_of(world.door().token(party, **form)) == "invalid_authorization_details"
    assert error_of(granted(PAYMENT, authorization_details=WRONG[wrong])) == "invalid_authorization_details"


def test_a_client_has_the_types_alone_that_it_is_registered_with(world, browser):
    for metadata in ({}, {"authorization_details_types": ["account_information"]}):
        party = world.client(metadata=metadata)
        assert answered(ask_for(browser, party, PAYMENT))["error"] == "invalid_authorization_details"


def test_no_details_are_no_fault(browser, party):
    for text in ("[]", "  [ ]\n", ""):
        page = browser.consent_page(party, authorization_details=text)
        assert "asks for access" in page.text


def test_where_there_are_no_types_the_parameter_is_not_known(make_world):
    world = make_world(PROTECTED_RESOURCES={})
    party = world.client()
    assert "asks for access" in world.browser().consent_page(party, authorization_details="nonsense").text
    published = world.door().open("/o/.well-known/oauth-authorization-server").json
    assert "authorization_details_types_supported" not in published


# --- Other ways to ask ---


def test_details_that_were_pushed_cannot_be_swapped_by_the_browser(world, browser, party):
    brought = reference(world, party, authorization_details=json.dumps([PAYMENT]))
    cheap = {**PAYMENT, "instructedAmount": {"currency": "EUR", "amount": "1.00"}}
    page = to_page(browser, {**brought, "authorization_details": json.dumps([cheap])})
    assert "123.50 EUR" in page.text
    code = answered(browser.submit(page, "consent-allow"))["code"]
    tokens = world.door().redeem(party, code, "v" * 43).json
    assert tokens["authorization_details"] == [PAYMENT]


def test_a_form_that_is_answered_is_about_what_it_showed(world, browser, party):
    verifier, challenge = pkce()
    proof = {"code_challenge": challenge, "code_challenge_method": "S256"}
    shown = ask_for(browser, party, PAYMENT, **proof)
    dear = json.dumps([{**PAYMENT, "instructedAmount": {"currency": "EUR", "amount": "9999.00"}}])
    browser.consent_page(party, authorization_details=dear)
    sent = answered(browser.submit(shown, "consent-allow", authorization_details=dear))
    assert world.door().redeem(party, sent["code"], verifier).json["authorization_details"] == [PAYMENT]


def test_a_request_object_has_them_as_json(world, browser):
    key = jws.TokenKey("ES256")
    party = world.client(metadata={"jwks": key.jwks, "authorization_details_types": list(TYPES)})
    claims = {
        "iss": party.client_id,
        "aud": ISSUER,
        "redirect_uri": party.redirect_uri,
        "response_type": "code",
        "scope": "read",
        "authorization_details": [PAYMENT],
    }
    proof = dict(zip(("code_challenge", "code_challenge_method"), (pkce()[1], "S256"), strict=True))
    page = browser.consent_page(party, request=key.sign({**claims, **proof}))
    assert "123.50 EUR" in page.text
    for details in ([{**PAYMENT, "creditorName": 7}], PAYMENT, [json.dumps(PAYMENT)]):
        told = answered(browser.ask(party, request=key.sign({**claims, "authorization_details": details})))
        assert told["error"] == "invalid_authorization_details"


# --- Registration and metadata ---


def test_types_are_published(world):
    published = world.door().open("/o/.well-known/oauth-authorization-server").json
    assert published["authorization_details_types_supported"] == sorted(TYPES)


@pytest.mark.parametrize("value", [["payment"], "payment_initiation", [1], {"payment_initiation": True}])
def test_a_client_is_registered_with_known_types_alone(world, value):
    document = {"authorization_details_types": value}
    with pytest.raises(InvalidClientMetadata, match="authorization_details_types"):
        world.client(**read_client_metadata(world.provider.client_members, document))


def test_software_that_registers_itself_is_held_to_known_types(make_world):
    world = make_world(AUTHORIZATION_DETAILS_TYPES=TYPES, DCR_ENABLED=True, DCR_REGISTRATION_MODE="open")
    for types, status in ((["payment_initiation"], 201), (["payment"], 400), ("payment_initiation", 400)):
        document = {"redirect_uris": ["https://client.example/cb"], "authorization_details_types": types}
        answer = world.door().open("/o/register/", method="POST", json=document)
        assert answer.status_code == status, answer.text
        if status == 201:
            assert answer.json["authorization_details_types"] == types
        else:
            assert answer.json["error"] == "invalid_client_metadata"


def test_types_are_classes_that_let_no_unknown_field_pass():
    with pytest.raises(TypeError, match="DetailFields"):

        class Loose(AuthorizationDetailsType):
            schema = type("Open", (AuthorizationDetail,), {"__annotations__": {"inner": _Open}})


class _Open(BaseModel):
    text: str


@pytest.mark.parametrize("given", ["nowhere.Nothing", "json.dumps", int, 7, AuthorizationDetailsType])
def test_what_is_no_type_stops_the_start(make_world, given):
    with pytest.raises(ConfigError, match="AUTHORIZATION_DETAILS_TYPES"):
        make_world(AUTHORIZATION_DETAILS_TYPES={"payment": given})
