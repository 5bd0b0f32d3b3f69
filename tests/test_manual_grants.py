"""The page about grant types is enough: its plugin is run as it stands, and its test is one."""

import re
from pathlib import Path

import pytest

from portula.plugin import Application
from portula_testing.plugins import MovableClock
from portula_testing.provider import make_provider

PAGE = Path(__file__).resolve().parents[1] / "docs" / "grants.md"
REFRESHED = ("urn:example:params:oauth:grant-type:voucher", "refresh_token")


@pytest.fixture(scope="module")
def manual():
    """What the Python of the page defines."""
    blocks = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    namespace = {"__name__": "manual"}
    for block in blocks:
        exec(block, namespace)
    return namespace


@pytest.fixture
def shop(manual):
    """A provider with the plugin, and two of its clients with their secrets."""
    clock = MovableClock()
    rooms = ("oauth2", "consent", "generators", "scopes_settings", manual["Vouchers"]())
    provider = make_provider(*rooms, clock=clock, settings={"SCOPES": {"read": "Read", "write": "Write"}})
    clients = [
        provider.clients.create(Application(client_id="", grant_types=REFRESHED, **more))
        for more in ({}, {"scope": "read"})
    ]
    return provider, clients, clock


def redeem(shop, voucher, number=0, **more):
    """Redeem a voucher as one of the clients, and return the answer."""
    provider, clients, _ = shop
    client, secret = clients[number]
    form = {"grant_type": REFRESHED[0], "voucher": voucher, **more}
    return provider.app.test_client().post("/o/token/", data=form, auth=(client.client_id, secret))


def give(manual, shop, scopes, number=0, subject="ann"):
    """Return a voucher for one of the clients."""
    return manual["give"](shop[0], shop[1][number][0].client_id, subject, scopes)


def test_the_test_of_the_page_passes(manual):
    manual["test_a_voucher_buys_what_it_is_for_and_nothing_more"]()


@pytest.mark.parametrize(
    ("given", "asked", "answer"),
    [
        (["read"], {}, "read"),
        (["read", "write"], {}, "read write"),
        (["read", "write"], {"scope": "write"}, "write"),
        (["read"], {"scope": "write"}, None),
    ],
)
def test_a_token_has_the_scopes_of_the_voucher_or_fewer(manual, shop, given, asked, answer):
    token = redeem(shop, give(manual, shop, given), **asked).json
    assert token.get("scope") == answer
    assert ("refresh_token" in token) == (answer is not None)


def test_a_client_gets_no_scope_that_it_may_not_have(manual, shop):
    assert redeem(shop, give(manual, shop, ["write"], 1), 1).json["error"] == "invalid_scope"


def test_what_the_page_says_is_refused_is_refused(manual, shop):
    provider, _, clock = shop
    voucher = give(manual, shop, ["read"])
    assert redeem(shop, voucher, 1).json["error"] == "invalid_grant", "another client's"
    assert redeem(shop, "no such").json["error"] == "invalid_grant"
    assert redeem(shop, voucher).status_code == 200, "it was not used up by what was refused"
    assert redeem(shop, voucher).json["error"] == "invalid_grant", "used"
    late = give(manual, shop, ["read"])
    clock.advance(600)
    assert redeem(shop, late).json["error"] == "invalid_grant"
    client, secret = shop[1][0]
    form = {"grant_type": REFRESHED[0]}
    answer = provider.app.test_client().post("/o/token/", data=form, auth=(client.client_id, secret))
    assert (answer.status_code, answer.json["error"]) == (400, "invalid_request")


def test_the_metadata_lists_it(shop):
    document = shop[0].app.test_client().get("/o/.well-known/oauth-authorization-server").json
    assert REFRESHED[0] in document["grant_types_supported"]
