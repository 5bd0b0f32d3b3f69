"""Pages and commands say what an app may do besides scopes, at which servers, and what its access is bound to."""

import json

import pytest
from security.driving import PASSWORD
from security.house import House
from support.details import BANK, PAYMENT, TYPES
from support.proofs import Prover

import portula_admin
from portula import Plugin
from portula.cli.main import flask_group
from portula.plugin import AccessToken, Authorization, ConsentItem, consent_items_of
from portula_testing.provider import make_provider

WORDS = ("Make a payment", "123.50 EUR", "Merchant A", BANK)
TYPE = "payment_initiation"


@pytest.fixture(scope="module")
def house():
    house = House(
        portula_admin,
        AUTHORIZATION_DETAILS_TYPES=TYPES,
        PROTECTED_RESOURCES={BANK: {"client_id": "bank"}},
        SCOPES={"read": "Read what you wrote"},
    )
    house.users.create("root", PASSWORD, is_admin=True)
    house.app.cli.add_command(flask_group, "portula")
    house.bank = house.client(client_id="bank")
    return house


@pytest.fixture(scope="module")
def shop(house):
    """A client with a token for a payment at the bank, bound to a key; and the browser of its person."""
    metadata = {"authorization_details_types": [TYPE], "dpop_bound_access_tokens": True}
    house.shop = house.client(metadata=metadata, name="A shop")
    house.prover, browser = Prover(lambda: house.clock.time), house.browser()
    asked = {"authorization_details": json.dumps([PAYMENT]), "resource": BANK, "scope": "read"}
    code, verifier = browser.code(house.shop, **asked)
    headers = {**house.shop.auth, **house.prover.proof()}
    assert house.door().redeem(house.shop, code, verifier, headers=headers).status_code == 200
    house.key = f"DPoP key {house.prover.thumbprint}"
    house.ann_browser = browser
    return house.shop


def run(house, *words):
    done = house.app.test_cli_runner().invoke(args=["portula", *words])
    assert done.exit_code == 0, done.output
    return done.stdout


def only(house, party, cls):
    (found,) = [each for each in house.provider.storage.select(cls) if each.client_id == party.client_id]
    return found


def says(page, *texts):
    assert page.status_code == 200, page.text
    missing = [text for text in texts if text not in page.text]
    assert missing == [], page.text.partition("<main")[2]


def test_connected_apps_say_it_once(house, shop):
    page = house.ann_browser.get("/o/authorized_tokens/")
    says(page, "A shop", "Read what you wrote", *WORDS)
    assert page.text.count("Make a payment") == 1
    assert house.key not in page.text, "which says nothing to people"


def test_an_app_without_such_things_is_shown_as_before(house, shop):
    browser, plain = house.browser(), house.client(name="Plain")
    browser.code(plain, username=house.user().username)
    page = browser.get("/o/authorized_tokens/").text
    assert "Plain" in page
    assert "For use at" not in page
    assert "Bound to" not in page


def test_pages_of_administrators_say_it(house, shop):
    browser = house.browser()
    browser.sign_in("root")
    given, token = only(house, shop, Authorization), only(house, shop, AccessToken)
    says(browser.get(f"/o/admin/manage/authorizations/view/?id={given.id}"), "Allows", *WORDS)
    says(browser.get(f"/o/admin/access-token/view/?id={token.digest[:12]}"), "Also allows", *WORDS, house.key)
    says(browser.get(f"/o/admin/refresh-token/view/?id={given.id[:12]}"), "Also allows", *WORDS)


def test_connected_apps_say_it_to_administrators_and_in_commands(house, shop):
    browser = house.browser()
    browser.sign_in("root")
    says(
        browser.get(f"/o/admin/manage/consents/view/?id={shop.client_id}%20{house.ann.sub}"),
        *WORDS,
        house.key,
    )
    facts = json.loads(run(house, "consents", "show", "ann", shop.client_id, "--json"))
    assert (facts["servers"], facts["bound_to"]) == ([BANK], [house.key])
    assert facts["allows"][0].startswith("Make a payment: Amount 123.50 EUR")


def test_the_form_of_a_client_has_its_types(house, shop):
    browser = house.browser()
    browser.sign_in("root")
    says(browser.get(f"/o/admin/application/edit/?id={shop.client_id}"), "Authorization details", TYPE)
    says(browser.get(f"/o/admin/application/view/?id={shop.client_id}"), "Authorization details", TYPE)


def test_commands_say_it(house, shop):
    (row,) = json.loads(run(house, "tokens", "list", "--client", shop.client_id, "--json"))
    account = "Account DE02100100109307118603; Reference Ref Number Merchant"
    assert row["allows"] == [f"Make a payment: Amount 123.50 EUR; To Merchant A; {account}"]
    shown = run(house, "tokens", "show", row["id"])
    for text in (*WORDS, house.key):
        assert text in shown
    (token,) = json.loads(run(house, "clients", "tokens", shop.client_id, "--json"))
    assert (token["allows"], token["audience"], token["bound_to"]) == (row["allows"], [BANK], [house.key])
    shown = run(house, "clients", "show", shop.client_id)
    assert TYPE in shown
    assert "DPoP key" in shown
    assert BANK in run(house, "clients", "show", "bank")
    facts = json.loads(run(house, "clients", "show", shop.client_id, "--json"))
    assert facts["bound_to"] == ["DPoP key"]
    assert facts["metadata"]["authorization_details_types"] == [TYPE]


class Kettle(Plugin):
    """Describes what was allowed, or fails to."""

    def portula_authorization_descriptions(self, provider):
        return {
            "kettle": self.describe,
            "teapot": lambda record: [ConsentItem(title="Pour", details=(("Cups", "2"),))],
        }

    def describe(self, record):
        if not record.payload:
            raise ValueError("secret reason")
        return record.payload.get("items") or [ConsentItem(title="Boil")]


def test_what_one_plugin_fails_to_describe_is_said_to_be_there_and_logged(caplog):
    provider = make_provider(Kettle(), "oauth2", "consent", "generators", "scopes_settings")
    token = {"digest": "d", "client_id": "tea", "scope": "", "issued_at": 1, "expires_at": 2}
    lines = [item.line for item in consent_items_of(provider, AccessToken(**token, payload={"a": 1}))]
    assert lines == ["Boil", "Pour: Cups 2"]
    for payload in ({}, {"items": ["Boil"]}, {"items": 7}):
        lines = [item.line for item in consent_items_of(provider, AccessToken(**token, payload=payload))]
        assert lines == ["Something that cannot be shown now (kettle)", "Pour: Cups 2"]
    assert "kettle cannot describe what was allowed" in caplog.text
