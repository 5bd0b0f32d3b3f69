"""S05: every authorization response says who answers (RFC 9207), in the very bytes of the metadata's issuer."""

from urllib.parse import parse_qsl, urlsplit

import pytest
from support.browser import forms_of

from security.driving import ISSUER

MODES = ["query", "fragment", "form_post"]


def issuer_of_metadata(door):
    response = door.open("/o/.well-known/oauth-authorization-server")
    assert response.status_code == 200
    return response.json["issuer"]


def members(response, mode):
    """Return the parameters of an authorization response as pairs, wherever they stand."""
    if mode == "form_post":
        assert response.status_code == 200
        return list(forms_of(response.text)[0].fields.items())
    assert response.status_code == 302
    parts = urlsplit(response.location)
    here, elsewhere = (parts.fragment, parts.query) if mode == "fragment" else (parts.query, parts.fragment)
    assert "iss" not in elsewhere
    return parse_qsl(here, keep_blank_values=True)


def says_who(pairs, issuer):
    return [value for name, value in pairs if name == "iss"] == [issuer]


@pytest.mark.parametrize("mode", MODES)
def test_a_success_says_who_answers(browser, door, client, mode):
    pairs = members(browser.authorize(client, response_mode=mode), mode)
    assert "code" in dict(pairs)
    assert says_who(pairs, issuer_of_metadata(door))


@pytest.mark.parametrize("mode", MODES)
def test_a_refusal_by_the_person_says_who_answers(browser, door, client, mode):
    pairs = members(browser.authorize(client, "consent-deny", response_mode=mode), mode)
    assert dict(pairs)["error"] == "access_denied"
    assert says_who(pairs, issuer_of_metadata(door))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"response_type": None}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "magic"}, "unsupported_response_type"),
        ({"scope": "everything"}, "invalid_scope"),
        ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
    ],
)
def test_an_error_says_who_answers(browser, door, client, mode, wrong, error):
    pairs = members(browser.consent_page(client, response_mode=mode, **wrong), mode)
    assert dict(pairs)["error"] == error
    assert dict(pairs)["state"] == "the state"
    assert says_who(pairs, issuer_of_metadata(door))


def test_an_error_for_a_client_without_the_grant_says_who_answers(house, browser):
    client = house.client(grant_types=("client_credentials",))
    pairs = members(browser.ask(client), "query")
    assert dict(pairs)["error"] == "unauthorized_client"
    assert says_who(pairs, ISSUER)


def test_an_unknown_response_mode_is_an_error_that_says_who_answers(browser, client):
    pairs = members(browser.ask(client, response_mode="pigeon"), "query")
    assert dict(pairs)["error"] == "invalid_request"
    assert says_who(pairs, ISSUER)


def test_an_answer_to_a_posted_request_says_who_answers(browser, client):
    asked = {"response_type": "token", "client_id": client.client_id, "redirect_uri": client.redirect_uri}
    response = browser.post("/o/authorize/", asked)
    assert says_who(members(response, "fragment"), ISSUER)


def test_a_client_cannot_choose_the_issuer(browser, client):
    pairs = members(browser.authorize(client, iss="https://evil.example"), "query")
    assert says_who(pairs, ISSUER)


def test_the_metadata_promises_it(door):
    document = door.open("/o/.well-known/oauth-authorization-server").json
    assert document["authorization_response_iss_parameter_supported"] is True


def test_two_providers_in_one_app_each_name_themselves(make_house, kind):
    """Same SECRET_KEYS, same client_id and URI: only `iss` tells a client which of the two answered."""
    for issuer in ("https://id.example/o", "https://id.example/other"):
        house = make_house(OIDC_ISS_ENDPOINT=issuer)
        pairs = members(house.browser().authorize(house.client()), "query")
        document = house.door(kind).open("/o/.well-known/oauth-authorization-server").json
        assert document["issuer"] == issuer
        assert says_who(pairs, issuer)


def test_an_issuer_made_of_the_host_is_the_same_in_metadata_and_response(make_house, kind):
    house = make_house(OIDC_ISS_ENDPOINT="")
    issuer = house.door(kind).open("/o/.well-known/oauth-authorization-server").json["issuer"]
    pairs = members(house.browser().authorize(house.client()), "query")
    assert issuer == "http://127.0.0.1:5000/o"
    assert says_who(pairs, issuer)


@pytest.mark.parametrize("mode", ["fragment", "form_post"])
@pytest.mark.parametrize("response_type", ["token", "id_token", "code id_token", "code id_token token"])
def test_an_answer_with_tokens_says_who_answers(make_house, response_type, mode):
    house = make_house(OIDC_ENABLED=True, IMPLICIT_GRANT_ENABLED=True)
    client = house.client(grant_types=("authorization_code", "implicit"))
    plain = {} if "code" in response_type else {"code_challenge": None, "code_challenge_method": None}
    asked = {"response_type": response_type, "response_mode": mode, "nonce": "n", **plain}
    scope = "openid" if "id_token" in response_type else "read"
    pairs = members(house.browser().authorize(client, scope=scope, **asked), mode)
    assert says_who(pairs, ISSUER)
    assert {"access_token", "id_token", "code"} & dict(pairs).keys()
    refused = members(house.browser().authorize(client, "consent-deny", scope=scope, **asked), mode)
    assert says_who(refused, ISSUER)
    assert dict(refused)["error"] == "access_denied"
