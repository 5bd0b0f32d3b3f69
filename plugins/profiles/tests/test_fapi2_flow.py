"""A whole flow under the FAPI 2.0 Security Profile, with nothing configured but the profile; and what is refused."""

import pytest
from security.driving import ISSUER, answered, error_of
from support.high_security import refused, register
from support.proofs import Prover

from portula_testing import jws

METADATA = "/o/.well-known/openid-configuration"


@pytest.fixture(params=["server", "client"])
def client(request):
    """A client of a server under the profile, and one that is held to it beside plain ones."""
    if request.param == "server":
        return register(request.getfixturevalue("fapi"))
    return register(request.getfixturevalue("plain"), metadata={"profile": "fapi2"})


def tokens(client):
    pushed, verifier = client.push()
    back = answered(client.back(pushed))
    assert back["iss"] == ISSUER
    assert back["state"] == "the state"
    answer = client.redeem(back["code"], verifier)
    assert answer.status_code == 200, answer.text
    return answer.json


def test_the_whole_flow(client):
    first = tokens(client)
    assert first["token_type"] == "DPoP"
    assert jws.taken_apart(first["id_token"])[0]["alg"] == "PS256"
    assert client.userinfo(first["access_token"]).json["sub"]
    for _ in range(2):  # no rotation: the same refresh token again
        again = client.refresh(first["refresh_token"])
        assert again.status_code == 200, again.text
        assert again.json.get("refresh_token", first["refresh_token"]) == first["refresh_token"]
        assert client.userinfo(again.json["access_token"]).status_code == 200


def test_client_credentials_stay(client):
    assert client.token(grant_type="client_credentials").json["token_type"] == "DPoP"


def test_a_request_is_pushed(client):
    answer = client.house.browser().authorize(client.party)
    assert answered(answer)["error"] == "invalid_request"


@pytest.mark.parametrize(
    "changes",
    [
        {"redirect_uri": None},
        {"code_challenge": None, "code_challenge_method": None},
        {"code_challenge_method": "plain"},
        {"code_challenge_method": None},
    ],
)
def test_what_a_pushed_request_needs(client, changes):
    assert refused(client.push(**changes)[0]) == "invalid_request"


@pytest.mark.parametrize("response_type", ["code id_token", "code token", "token", "id_token"])
def test_only_a_code_is_given(client, response_type):
    errors = {"unsupported_response_type", "unauthorized_client", "invalid_request"}
    assert refused(client.push(response_type=response_type, nonce="n")[0]) in errors


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": [ISSUER]},
        {"aud": f"{ISSUER}/token/"},
        {"aud": f"{ISSUER}/par/"},
        {"aud": [ISSUER, "https://other.example"]},
    ],
)
def test_an_assertion_is_for_the_issuer_alone(client, changes):
    assert refused(client.push(auth=client.proof(**changes))[0]) == "invalid_client"
    answer = client.token(grant_type="client_credentials", auth=client.proof(**changes))
    assert error_of(answer, 401) == "invalid_client"


def test_no_token_without_proof(client):
    assert error_of(client.token(grant_type="client_credentials", headers={})) == "invalid_request"
    pushed, verifier = client.push()
    code = answered(client.back(pushed))["code"]
    assert error_of(client.redeem(code, verifier, headers={})) == "invalid_request"


def test_no_proof_by_an_old_algorithm(client):
    proof = Prover(client.house.provider.now, "RS256").proof()
    answer = client.token(grant_type="client_credentials", headers=proof)
    assert error_of(answer) == "invalid_dpop_proof"


def test_a_refresh_needs_a_proof_as_well(client):
    first = tokens(client)
    assert error_of(client.refresh(first["refresh_token"], headers={})) == "invalid_request"
    assert client.refresh(first["refresh_token"]).status_code == 200


def test_a_code_ends_after_a_minute(client):
    pushed, verifier = client.push()
    code = answered(client.back(pushed))["code"]
    client.house.clock.forward(61)
    assert error_of(client.redeem(code, verifier)) == "invalid_grant"


def test_the_metadata_show_what_the_profile_allows(fapi):
    found = fapi.door().open(METADATA).json
    allowed = {"PS256", "ES256", "EdDSA", "Ed25519"}
    assert found["response_types_supported"] == ["code"]
    assert found["require_pushed_authorization_requests"] is True
    assert found["code_challenge_methods_supported"] == ["S256"]
    assert found["token_endpoint_auth_methods_supported"] == ["private_key_jwt"]
    assert not {"implicit", "password"}.intersection(found["grant_types_supported"])
    assert "client_credentials" in found["grant_types_supported"]
    algorithms = {name: value for name, value in found.items() if "signing_alg_values" in name}
    assert len(algorithms) > 5
    assert {name: value for name, value in algorithms.items() if not allowed.issuperset(value)} == {}
    keys = fapi.door().open("/o/.well-known/jwks.json").json["keys"]
    assert {key["alg"] for key in keys if key["use"] == "sig"} == allowed - {"Ed25519"}


def test_tokens_and_answers_as_jwts_are_signed_by_what_is_allowed(fapi):
    client = register(fapi, metadata={"jwt_access_token": True})
    token = client.token(grant_type="client_credentials").json["access_token"]
    assert jws.taken_apart(token)[0]["alg"] == "PS256"
    asked = {"token": token, **client.proof()}
    headers = {"Accept": "application/token-introspection+jwt"}
    answer = fapi.door().post("/o/introspect/", asked, headers)
    assert answer.mimetype == "application/token-introspection+jwt"
    assert jws.taken_apart(answer.text)[0]["alg"] == "PS256"
