"""A device asks for details: its person is asked about each, and its tokens have them (RFC 9396, RFC 8628)."""

import json

from security.driving import error_of
from support.details import ACCOUNTS, PAYMENT, TYPES
from support.devices import answered, asked, begun, poll, television, to_page


def test_a_device_gets_the_details_that_its_person_saw(world, browser):
    party = television(world, metadata={"authorization_details_types": list(TYPES)})
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
