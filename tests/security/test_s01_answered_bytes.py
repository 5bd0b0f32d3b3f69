"""S01: an answer goes to the very bytes that the client registered, whatever way it travels (RFC 9700 §2.1)."""

from html import unescape

import pytest
from support.signing_out import House as SigningOut

REGISTERED = [
    "app.immich:///oauth-callback",
    "app.immich:/oauth-callback",
    "app.immich://oauth-callback",
    "https://c.example/cb?x=[1]",
    "https://c.example/cb?x=%5b1%5d&y=%5B2%5D",
    "https://c.example/cb?x=%zz&y=%7e~",
    "https://C.example/a//b/?q=a+b%20c;d='e'",
    "https://c.example:443/cb?",
    "https://xn--caf-dma.example/cb",
    "http://[::1]:7/cb",
]
ANSWERS = {
    "a code": ({}, "consent-allow"),
    "a denial": ({}, "consent-deny"),
    "an error": ({"scope": "nosuch"}, None),
    "a fragment": ({"response_mode": "fragment"}, "consent-allow"),
    "a hybrid answer": ({"response_type": "code id_token", "scope": "openid", "nonce": "n"}, "consent-allow"),
    "nobody there": ({"prompt": "none", "scope": "openid"}, None),
}


@pytest.fixture(params=REGISTERED)
def party(house, request):
    return house.client(application_type="native", redirect_uris=(request.param,))


def asked(browser, party, parameters, answer):
    return (
        browser.ask(party, **parameters) if answer is None else browser.authorize(party, answer, **parameters)
    )


@pytest.mark.parametrize("how", ANSWERS)
def test_a_redirect_begins_with_the_registered_bytes(browser, party, how):
    sent = asked(browser, party, *ANSWERS[how]).headers["Location"]
    rest = sent.removeprefix(party.redirect_uri)
    assert rest != sent
    assert rest[0] in "?&#"


def test_its_code_is_redeemed_with_the_registered_bytes(house, party):
    assert house.tokens(party)["token_type"] == "Bearer"


def test_a_form_is_posted_to_the_registered_bytes(browser, party):
    page = browser.authorize(party, "consent-allow", response_mode="form_post")
    assert f'action="{party.redirect_uri}"' in unescape(page.text)


@pytest.mark.parametrize(
    "uri", ["app.tea:///bye", "https://tea.example/bye?x=[1]", "https://tea.example/a//b?%7e"]
)
def test_who_signed_out_is_sent_to_the_registered_bytes(uri):
    house = SigningOut(OIDC_RP_INITIATED_LOGOUT_ALWAYS_PROMPT=False)
    house.client("native", application_type="native", post_logout_redirect_uris=(uri,))
    ada = house.browser("ada")
    answer = ada.ask(id_token_hint=house.hint(ada.sid, aud="native"), post_logout_redirect_uri=uri, state="s")
    assert answer.headers["Location"] == f"{uri}{'&' if '?' in uri else '?'}state=s"
