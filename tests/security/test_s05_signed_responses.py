"""S05 where responses are signed, and where requests are pushed or stand in an object: the issuer says who answers.

Rooms: jarm, par, jar. In a signed response `iss` stands in the JWT alone (FAPI 2.0 Message Signing §5.4.1, note).
"""

import pytest
from support.browser import forms_of

from portula_testing import jws
from security.driving import ISSUER, answered, pkce
from security.house import House

MODES = ["jwt", "query.jwt", "fragment.jwt", "form_post.jwt"]
WRONG = [({"scope": "everything"}, "invalid_scope"), ({"code_challenge": "short"}, "invalid_request")]
KEY = jws.TokenKey("ES256")


@pytest.fixture(scope="module")
def house():
    return House(OIDC_ENABLED=True)


@pytest.fixture
def signing(house):
    """A client that signs its requests."""
    return house.client(metadata={"jwks": KEY.jwks})


def opened(house, party, response, mode):
    """Return the claims of a signed response, the one parameter there is."""
    found = forms_of(response.text)[0].fields if mode == "form_post.jwt" else answered(response)
    assert set(found) == {"response"}
    header, _ = jws.taken_apart(found["response"])
    keys = house.door().open("/o/.well-known/jwks.json").json["keys"]
    claims = jws.verify_token(found["response"], next(key for key in keys if key["kid"] == header["kid"]))[1]
    assert claims["aud"] == party.client_id
    return claims


def issuer_of(house):
    return house.door().open("/o/.well-known/oauth-authorization-server").json["issuer"]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("button", "member"), [("consent-allow", "code"), ("consent-deny", "error")])
def test_a_signed_response_says_who_answers(house, mode, button, member):
    client = house.client()
    response = house.browser().authorize(client, button, response_mode=mode)
    claims = opened(house, client, response, mode)
    assert claims["iss"] == issuer_of(house) == ISSUER
    assert member in claims


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("wrong", "error"), WRONG)
def test_a_signed_error_says_who_answers(house, mode, wrong, error):
    client = house.client()
    response = house.browser().consent_page(client, response_mode=mode, **wrong)
    claims = opened(house, client, response, mode)
    assert (claims["iss"], claims["error"]) == (ISSUER, error)


@pytest.mark.parametrize("iss", ["https://evil.example", None])
@pytest.mark.parametrize("mode", ["query", "jwt"])
@pytest.mark.parametrize("way", ["beside", "pushed", "inside", "pushed inside"])
def test_a_client_cannot_choose_the_issuer(house, signing, way, mode, iss):
    asked = {
        "client_id": signing.client_id,
        "response_type": "code",
        "redirect_uri": signing.redirect_uri,
        "scope": "read",
        "code_challenge": pkce()[1],
        "code_challenge_method": "S256",
        "response_mode": mode,
        "aud": ISSUER,
    }
    if "inside" in way:
        brought = {"request": KEY.sign({**asked, "iss": signing.client_id}), "iss": iss or ISSUER}
    else:
        brought = {**asked, "iss": iss or ISSUER}
    if "pushed" in way:
        form = {"client_id": signing.client_id, **brought}
        pushed = house.door().post("/o/par/", form, signing.auth)
        assert pushed.status_code == 201, pushed.text
        brought = {"request_uri": pushed.json["request_uri"]}
    nothing = dict.fromkeys(("redirect_uri", "state"))
    challenge = dict.fromkeys(("code_challenge", "code_challenge_method"))
    response = house.browser().authorize(signing, **{**nothing, **challenge, **brought})
    claims = answered(response) if mode == "query" else opened(house, signing, response, mode)
    assert claims["iss"] == ISSUER
    assert "code" in claims
