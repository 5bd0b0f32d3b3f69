"""S54 in the rooms that read documents of clients: no name that leads inside is asked, and most URLs are not even read.

Rooms: jar, par, jarm, jwt_introspection, client_assertion; resource_indicators, rar and dpop, whose URLs are names.
"""

import json

import pytest
from support import details
from support.assertions import TYPE
from support.proofs import Prover

from portula_testing import jws
from security.driving import ISSUER, answered, error_of, s256
from security.house import House
from security.test_s54_ssrf import connected, resolver

__all__ = ["connected", "resolver"]

INSIDE = "https://internal.example/keys"
KEY = jws.TokenKey("ES256")


@pytest.fixture
def house(resolver):
    resolver.answers = [["10.0.0.1"]]
    return House(
        OIDC_ENABLED=True,
        REQUEST_URI_ENABLED=True,
        RESOURCE_INDICATORS_POLICY="any",
        AUTHORIZATION_DETAILS_TYPES=details.TYPES,
    )


def asked(party):
    return {
        "client_id": party.client_id,
        "response_type": "code",
        "redirect_uri": party.redirect_uri,
        "scope": "read",
        "code_challenge": s256("v" * 43),
        "code_challenge_method": "S256",
    }


def test_a_request_object_is_not_fetched_inside(house, resolver, connected):
    party = house.client(metadata={"jwks": KEY.jwks, "request_uris": [INSIDE]})
    answer = house.browser().get(
        "/o/authorize/", query_string={"client_id": party.client_id, "request_uri": INSIDE}
    )
    assert "invalid_request_uri" in (answer.text if answer.status_code == 400 else answer.location)
    assert resolver.asked
    assert connected == []


def test_keys_for_request_objects_are_not_fetched_inside(house, resolver, connected):
    party = house.client(metadata={"jwks_uri": INSIDE})
    signed = KEY.sign({"iss": party.client_id, "aud": ISSUER, **asked(party)})
    form = {"client_id": party.client_id, "request": signed}
    answer = house.door().post("/o/par/", form, party.auth)
    assert answer.status_code in (400, 503), answer.text
    assert resolver.asked
    assert connected == []


def test_keys_for_assertions_are_not_fetched_inside(house, resolver, connected):
    party = house.client(metadata={"jwks_uri": INSIDE}, token_endpoint_auth_method="private_key_jwt")
    now = house.clock.time
    claims = {"iss": party.client_id, "sub": party.client_id, "aud": ISSUER, "jti": "1", "exp": now + 60}
    for path, form in (
        ("/o/token/", {"grant_type": "client_credentials"}),
        ("/o/par/", asked(party)),
        ("/o/introspect/", {"token": "x"}),
    ):
        proof = {"client_assertion_type": TYPE, "client_assertion": KEY.sign(claims)}
        answer = house.door().post(path, {**form, **proof})
        assert answer.status_code in (401, 503), answer.text
    assert resolver.asked
    assert connected == []


def test_keys_to_encrypt_with_are_not_fetched_inside(house, resolver, connected):
    metadata = {"jwks_uri": INSIDE}
    metadata |= {f"{what}_encrypted_response_alg": "RSA-OAEP" for what in ("introspection", "authorization")}
    party = house.client(metadata=metadata, skip_authorization=True)
    answer = house.door().post("/o/introspect/", {"token": "x"}, party.auth)
    assert answer.status_code == 503
    assert "active" not in answer.text
    page = house.browser().authorize(party, response_mode="jwt")
    assert page.status_code >= 400
    assert "Location" not in page.headers
    assert resolver.asked
    assert connected == []


URLS = [INSIDE, "https://127.0.0.1/", "https://169.254.169.254/latest/meta-data", "https://[::1]/"]


@pytest.mark.parametrize("url", URLS)
def test_a_resource_is_a_name(house, resolver, connected, url):
    party = house.client()
    form = {"grant_type": "client_credentials", "scope": "read", "resource": url}
    assert house.door().token(party, **form).status_code == 200
    assert (resolver.asked, connected) == ([], [])


@pytest.mark.parametrize("url", URLS)
def test_a_location_of_details_is_a_name(house, resolver, connected, url):
    party = house.client(metadata={"authorization_details_types": list(details.TYPES)})
    named = json.dumps([{**details.OF_CLIENT, "locations": [url]}])
    form = {"grant_type": "client_credentials", "scope": "read", "authorization_details": named}
    assert house.door().token(party, **form).status_code == 200
    assert (resolver.asked, connected) == ([], [])


@pytest.mark.parametrize("url", URLS)
def test_what_is_pushed_is_never_fetched(house, resolver, connected, url):
    party = house.client(metadata={"jwks": KEY.jwks, "request_uris": [url] if url == INSIDE else []})
    form = {"client_id": party.client_id, "request_uri": url}
    assert error_of(house.door().post("/o/par/", form, party.auth)) == "invalid_request"
    assert (resolver.asked, connected) == ([], [])


@pytest.mark.parametrize("url", URLS)
def test_a_proof_makes_nobody_fetch(house, resolver, connected, url):
    party, prover = house.client(), Prover(lambda: house.clock.time)
    form = {"grant_type": "client_credentials", "scope": "read"}
    for proof, error in (
        (prover.proof(htu=url), "invalid_dpop_proof"),
        (prover.proof(header={"jwk": None, "jku": url}), "invalid_dpop_proof"),
        (prover.proof(header={"jku": url, "x5u": url}), None),
    ):
        answer = house.door().token(party, {**party.auth, **proof}, **form)
        assert answer.json.get("error") == error
    assert (resolver.asked, connected) == ([], [])


def test_a_redirect_is_no_fetch(house, resolver, connected):
    """A signed response goes to the client by the browser, wherever that leads."""
    party = house.client(redirect_uris=("https://internal.example/cb",), skip_authorization=True)
    assert "response" in answered(house.browser().authorize(party, response_mode="jwt"))
    assert (resolver.asked, connected) == ([], [])
