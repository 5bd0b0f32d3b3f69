"""A device asks for details: its person is asked about each, and its tokens have them (RFC 9396, RFC 8628)."""

import json

from security.driving import error_of
from support import backchannel
from support.details import ACCOUNTS, PAYMENT, TYPES
from support.devices import answered, asked, begun, followed, poll, television, to_page

KNOWN = {"authorization_details_types": list(TYPES)}


def test_a_device_gets_the_details_that_its_person_saw(world, browser):
    party = television(world, metadata=KNOWN)
    assert error_of(asked(world, party, authorization_details="[1]")) == "invalid_authorization_details"
    codes = begun(world, party, scope="read", authorization_details=json.dumps([PAYMENT]))
    page = to_page(browser, codes["user_code"])
    for text in ("Make a payment", "Merchant A", "Code on its screen"):
        assert text in page.text, text
    answered(browser, codes["user_code"])
    wider = poll(world, party, codes, authorization_details=json.dumps([PAYMENT, ACCOUNTS]))
    assert error_of(wider) == "invalid_authorization_details"
    (detail,) = poll(world, party, codes).json["authorization_details"]
    assert detail["type"] == PAYMENT["type"]


def test_a_device_gives_a_type_up_before_its_person_comes_and_gets_nothing_by_it(world, browser):
    """Who allows what is on the page must not allow what is not (RFC 9396 §3.1)."""
    party = television(world, metadata=KNOWN)
    codes = begun(world, party, scope="read", authorization_details=json.dumps([PAYMENT]))
    world.change(party, metadata={})
    page = to_page(browser, codes["user_code"])
    assert page.status_code == 400
    assert "may not ask for this any more" in page.text
    assert "consent-allow" not in page.text
    world.change(party, metadata=KNOWN)
    assert error_of(poll(world, party, codes)) == "authorization_pending"


def test_nor_while_its_person_reads(world, browser):
    party = television(world, metadata=KNOWN)
    codes = begun(world, party, scope="read", authorization_details=json.dumps([PAYMENT]))
    page = to_page(browser, codes["user_code"])
    world.change(party, metadata={"authorization_details_types": [ACCOUNTS["type"]]})
    assert followed(browser, browser.submit(page, "consent-allow")).status_code == 400
    world.change(party, metadata=KNOWN)
    assert error_of(poll(world, party, codes)) == "authorization_pending"


def test_nor_does_a_till(world, browser):
    party = backchannel.till(world, metadata=KNOWN)
    members = backchannel.begun(world, party, authorization_details=json.dumps([PAYMENT]))
    world.change(party, metadata={})
    browser.sign_in()
    page = backchannel.opened(browser)
    assert page.status_code == 400
    assert "consent-allow" not in page.text
    world.change(party, metadata=KNOWN)
    assert error_of(backchannel.poll(world, party, members)) == "authorization_pending"
