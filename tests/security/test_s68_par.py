"""S68: what was pushed is used once, by its own client, soon, and cannot be changed or gone around on the way.

The rules one by one are tested beside the room `par`; here is what somebody does who has a reference, or wants none.
"""

import re

import pytest
from support.proofs import Prover
from support.pushing import VERIFIER, bring, pushed, reference, refused_on_page, to_page

from portula.errors import ConfigError
from portula_testing import jws
from security.driving import ISSUER, answered, error_of, pkce, s256
from security.house import House

KEY = jws.TokenKey("ES256")
NONE = dict.fromkeys(("response_type", "redirect_uri", "scope", "state"))


@pytest.fixture(scope="module")
def house():
    return House(OIDC_ENABLED=True)


@pytest.fixture(scope="module")
def strict():
    return House(OIDC_ENABLED=True, REQUIRE_PUSHED_AUTHORIZATION_REQUESTS=True)


def asked(party, **changes):
    return {
        "client_id": party.client_id,
        "response_type": "code",
        "redirect_uri": party.redirect_uri,
        "scope": "read",
        "code_challenge": s256(VERIFIER),
        "code_challenge_method": "S256",
        **changes,
    }


def object_of(party, **changes):
    return KEY.sign({"iss": party.client_id, "aud": ISSUER, **asked(party, **changes)})


def test_a_reference_is_long_new_and_short_lived(house, client):
    client = house.client()
    answers = [pushed(house, client).json for _ in range(8)]
    names = [answer["request_uri"] for answer in answers]
    assert len(set(names)) == len(names)
    for name in names:
        found = re.fullmatch(r"urn:ietf:params:oauth:request_uri:([A-Za-z0-9_-]{22,})", name)
        assert found, "128 bits at least"
    assert {answer["expires_in"] for answer in answers} == {60}


@pytest.mark.parametrize("seconds", [600 + 1, 3600, 0, -1])
def test_nobody_has_it_last_long(seconds):
    with pytest.raises(ConfigError, match="PAR_REQUEST_URI_LIFETIME_SECONDS"):
        House(PAR_REQUEST_URI_LIFETIME_SECONDS=seconds)


def test_it_is_used_once_whoever_comes_again(house):
    client = house.client()
    brought = reference(house, client, scope="read")
    first = house.browser()
    assert "code" in answered(first.submit(to_page(first, brought), "consent-allow"))
    for browser in (first, house.browser()):
        assert refused_on_page(bring(browser, brought))


def test_it_is_no_other_client_s(house):
    client, other = house.client(), house.client()
    brought = reference(house, client)
    for changes in ({"client_id": other.client_id}, {"client_id": "nobody"}, {"client_id": ""}):
        assert bring(house.browser(), {**brought, **changes}).status_code == 400
    browser = house.browser()
    assert "code" in answered(browser.submit(to_page(browser, brought), "consent-allow"))


@pytest.mark.parametrize(
    "beside",
    [
        {"scope": "read write"},
        {"redirect_uri": "https://evil.example/cb"},
        {"response_type": "token"},
        {"response_mode": "fragment"},
        {"state": "another"},
        {"code_challenge": pkce()[1]},
        {"prompt": "none"},
        {"dpop_jkt": "x" * 43},
        {"authorization_details": "[]"},
        {"resource": "https://evil.example"},
        {"nonce": "another"},
    ],
    ids=lambda beside: next(iter(beside)),
)
def test_what_the_browser_brings_besides_changes_nothing(house, beside):
    client, browser = house.client(), house.browser()
    brought = {**reference(house, client, scope="read"), **beside}
    answer = answered(browser.submit(to_page(browser, brought), "consent-allow"))
    assert answer["state"] == "the state"
    tokens = house.door().redeem(client, answer["code"], VERIFIER)
    assert (tokens.status_code, tokens.json["scope"]) == (200, "read")


def test_a_request_object_beside_it_is_not_read(house):
    client, browser = house.client(metadata={"jwks": KEY.jwks}), house.browser()
    brought = {**reference(house, client, scope="read"), "request": object_of(client, scope="read write")}
    answer = bring(browser, brought)
    assert answer.status_code == 302
    assert answered(answer).get("error") == "invalid_request"


WAYS_AROUND = {
    "by GET": lambda house, party: house.browser().get("/o/authorize/", query_string=asked(party)),
    "by POST": lambda house, party: house.browser().post("/o/authorize/", asked(party)),
    "an object by value": lambda house, party: house.browser().get(
        "/o/authorize/", query_string={**asked(party), "request": object_of(party)}
    ),
    "an object alone": lambda house, party: house.browser().get(
        "/o/authorize/", query_string={"client_id": party.client_id, "request": object_of(party)}
    ),
    "an object by POST": lambda house, party: house.browser().post(
        "/o/authorize/", {**asked(party), "request": object_of(party)}
    ),
    "an object by reference": lambda house, party: house.browser().get(
        "/o/authorize/", query_string={**asked(party), "request_uri": "https://client.example/r.jwt"}
    ),
    "a reference that nobody gave": lambda house, party: house.browser().get(
        "/o/authorize/",
        query_string={**asked(party), "request_uri": "urn:ietf:params:oauth:request_uri:" + "x" * 43},
    ),
    "an empty reference": lambda house, party: house.browser().get(
        "/o/authorize/", query_string={**asked(party), "request_uri": ""}
    ),
}


@pytest.mark.parametrize("held", ["server", "client"])
@pytest.mark.parametrize("way", WAYS_AROUND)
def test_where_requests_are_pushed_there_is_no_way_around(request, held, way):
    house = request.getfixturevalue("strict" if held == "server" else "house")
    metadata = {"jwks": KEY.jwks, "request_uris": ["https://client.example/r.jwt"]}
    metadata |= {} if held == "server" else {"require_pushed_authorization_requests": True}
    party = house.client(metadata=metadata, skip_authorization=True)
    response = WAYS_AROUND[way](house, party)
    if response.status_code == 302:
        assert answered(response)["error"] in (
            "invalid_request",
            "request_uri_not_supported",
            "invalid_request_uri",
        )
    else:
        assert response.status_code == 400, response.text


def test_a_proof_at_the_push_holds_to_the_end(house):
    """RFC 9449 §10.1: who steals the code, or the reference, has no key."""
    client = house.public_client()
    mine, thief = (Prover(lambda: house.clock.time) for _ in range(2))
    brought = reference(house, client, headers=mine.proof(path="/o/par/"), scope="read")
    browser = house.browser()
    code = answered(browser.submit(to_page(browser, brought), "consent-allow"))["code"]
    door = house.door()
    for headers in ({}, thief.proof()):
        assert error_of(door.redeem(client, code, VERIFIER, headers=headers)) == "invalid_grant"
    assert door.redeem(client, code, VERIFIER, headers=mine.proof()).json["token_type"] == "DPoP"
