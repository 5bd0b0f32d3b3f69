"""A whole flow under FAPI 2.0 Message Signing; its parts singly; and what is refused."""

from urllib.parse import parse_qs, urlsplit

import pytest
from security.driving import ISSUER, answered, pkce
from security.house import House
from support.high_security import refused, register

from portula_testing import jws


@pytest.fixture(params=["server", "client"])
def client(request):
    if request.param == "server":
        return register(request.getfixturevalue("signing"))
    return register(request.getfixturevalue("plain"), metadata={"profile": "fapi2-message-signing"})


def opened(client, back):
    """Return the claims of a signed response, the only parameter there is."""
    (response,) = answered(back).values()
    header, _ = jws.taken_apart(response)
    keys = client.house.door().open("/o/.well-known/jwks.json").json["keys"]
    assert header["alg"] == "PS256"
    return jws.verify_token(response, next(key for key in keys if key["kid"] == header["kid"]))[1]


def test_the_whole_flow(client):
    pushed, verifier = client.signed()
    back = client.back(pushed)
    assert set(parse_qs(urlsplit(back.location).query)) == {"response"}
    claims = opened(client, back)
    assert claims["iss"] == ISSUER
    assert claims["aud"] == client.party.client_id
    assert claims["state"] == "the state"
    tokens = client.redeem(claims["code"], verifier).json
    assert client.userinfo(tokens["access_token"]).status_code == 200
    assert client.refresh(tokens["refresh_token"]).status_code == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": None},
        {"nbf": None},
        {"aud": None},
        {"aud": "https://other.example"},
        {"nbf": -4200},
        {"exp": 4200},
        {"exp": -120},
        {"nbf": 120},
    ],
)
def test_an_object_says_for_whom_and_when(client, changes):
    now = client.house.provider.now()
    times = {name: now + value if isinstance(value, int) else value for name, value in changes.items()}
    assert refused(client.signed(**times)[0]) == "invalid_request_object"


def test_several_audiences_and_a_clock_that_is_ahead(client):
    now = client.house.provider.now()
    assert client.signed(aud=[ISSUER, "https://other.example"], nbf=now + 8)[0].status_code == 201


def test_a_plain_push_is_refused(client):
    assert refused(client.push(response_mode="jwt")[0]) == "invalid_request"


@pytest.mark.parametrize("mode", [None, "query", "fragment", "form_post"])
def test_a_plain_mode_is_refused(client, mode):
    assert refused(client.signed(response_mode=mode)[0]) == "invalid_request"


def test_errors_are_signed_too(client):
    back = client.house.browser()
    pushed, _ = client.signed()
    page = back.consent_page(
        client.party,
        **dict.fromkeys(("response_type", "redirect_uri", "scope", "state")),
        code_challenge=None,
        code_challenge_method=None,
        request_uri=pushed.json["request_uri"],
    )
    claims = opened(client, back.submit(page, "consent-deny"))
    assert claims["error"] == "access_denied"
    assert claims["state"] == "the state"


@pytest.mark.parametrize("mode", [None, "query", "fragment", "jwt"])
@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({}, "invalid_request"),
        ({"scope": "everything"}, "invalid_scope"),
        ({"response_mode": "carrier_pigeon"}, "invalid_request"),
        ({"response_type": "magic"}, "unsupported_response_type"),
        ({"state": ["the state", "another"]}, "invalid_request"),
    ],
    ids=[
        "not pushed",
        "an unknown scope",
        "an unknown mode",
        "an unknown response type",
        "a repeated parameter",
    ],
)
def test_errors_of_requests_that_were_not_pushed_are_signed_whatever_mode_they_name(
    client, mode, wrong, error
):
    """FAPI 2.0 Message Signing §5.4.1."""
    back = client.house.browser().ask(
        client.party,
        **{
            "response_mode": mode,
            "code_challenge": pkce()[1],
            "code_challenge_method": "S256",
            **wrong,
        },
    )
    assert set(parse_qs(urlsplit(back.location).query)) == {"response"}
    assert opened(client, back)["error"] == error


def test_errors_of_others_go_by_the_mode_that_they_name(plain):
    register(plain, metadata={"profile": "fapi2-message-signing"})
    other = register(plain)
    assert answered(plain.browser().ask(other.party))["error"] == "invalid_request"


def test_an_object_signed_by_an_old_algorithm_is_refused(client):
    key = jws.TokenKey("RS256", kid="old")
    jwks = {"keys": [client.key.jwk, key.jwk]}
    client.house.change(client.party, metadata={**client.house.find(client.party).metadata, "jwks": jwks})
    assert refused(client.signed(key=key)[0]) == "invalid_request_object"


@pytest.mark.parametrize(
    ("settings", "fields"),
    [
        ({"REQUIRE_SIGNED_REQUEST_OBJECT": True}, {}),
        ({}, {"metadata": {"require_signed_request_object": True}}),
    ],
)
def test_signed_requests_singly(settings, fields):
    client = register(House(OIDC_ENABLED=True, PROFILE="fapi2", **settings), **fields)
    assert refused(client.push()[0]) == "invalid_request"
    pushed, _ = client.signed(response_mode=None)
    assert answered(client.back(pushed))["code"]


@pytest.mark.parametrize(
    ("settings", "fields"),
    [
        ({"RESPONSE_MODES_SUPPORTED": ["jwt", "query.jwt"]}, {}),
        ({}, {"metadata": {"response_modes": ["query.jwt"]}}),
    ],
)
def test_signed_responses_singly(settings, fields):
    client = register(House(OIDC_ENABLED=True, PROFILE="fapi2", **settings), **fields)
    assert refused(client.push()[0]) == "invalid_request"
    pushed, _ = client.push(response_mode="jwt")
    assert opened(client, client.back(pushed))["code"]


def test_the_metadata(signing):
    found = signing.door().open("/o/.well-known/openid-configuration").json
    assert found["require_signed_request_object"] is True
    assert set(found["response_modes_supported"]) == {"jwt", "query.jwt", "fragment.jwt", "form_post.jwt"}
    assert set(found["request_object_signing_alg_values_supported"]) == {"PS256", "ES256", "EdDSA"}


JWT = "application/token-introspection+jwt"


def introspected(client, accept):
    token = client.token(grant_type="client_credentials").json["access_token"]
    headers = {"Accept": accept} if accept else {}
    return client.house.door().post("/o/introspect/", {"token": token, **client.proof()}, headers)


@pytest.mark.parametrize("accept", [None, "*/*", JWT])
def test_introspection_is_signed(client, accept):
    """FAPI 2.0 Message Signing §5.5; RFC 9701."""
    answer = introspected(client, accept)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, JWT)
    header, claims = jws.taken_apart(answer.text)
    assert header["alg"] == "PS256"
    assert claims["token_introspection"]["active"] is True


def test_introspection_by_json_is_refused(client):
    answer = introspected(client, "application/json")
    assert refused(answer) == "invalid_request"
    assert "active" not in answer.text


def test_introspection_of_others_goes_on_beside_it(plain):
    register(plain, metadata={"profile": "fapi2-message-signing"})
    assert introspected(register(plain), None).json["active"] is True
