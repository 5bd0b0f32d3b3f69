"""A request for a person who is elsewhere under FAPI-CIBA, with nothing configured but the profile (§5.2.2, §7.6)."""

import pytest
from security.driving import error_of
from security.house import House
from support import backchannel
from support.high_security import register
from support.proofs import Prover

from portula.errors import InvalidClientMetadata
from portula_testing import jws

METADATA = "/o/.well-known/openid-configuration"
ALLOWED = {"PS256", "ES256"}


@pytest.fixture(scope="module")
def ciba():
    return House(OIDC_ENABLED=True, PROFILE="fapi-ciba")


@pytest.fixture(params=["server", "client"])
def client(request):
    """A client of a server under the profile, and one that is held to it beside plain ones."""
    fields = {"grant_types": (backchannel.GRANT, "refresh_token"), "redirect_uris": ()}
    if request.param == "server":
        return register(request.getfixturevalue("ciba"), **fields)
    return register(request.getfixturevalue("plain"), metadata={"profile": "fapi-ciba"}, **fields)


def allowed(client):
    """Ask for Ann, let her allow it, and return the name of the request."""
    house = client.house
    claims = backchannel.object_claims(house, client.party, binding_message="W4")
    form = {"request": client.key.sign(claims, typ="JWT"), **client.proof()}
    begun = house.door().post(backchannel.PATH, form)
    assert begun.status_code == 200, begun.text
    browser = house.browser()
    browser.sign_in()
    backchannel.decided(browser)
    return begun.json["auth_req_id"]


def redeem(client, request, **changes):
    client.house.clock.forward(6)
    return client.token(grant_type=backchannel.GRANT, auth_req_id=request, **changes)


def test_the_whole_flow_is_signed_by_what_is_allowed(client):
    answer = redeem(client, allowed(client))
    assert answer.status_code == 200, answer.text
    assert answer.json["token_type"] == "DPoP"
    assert jws.taken_apart(answer.json["id_token"])[0]["alg"] == "PS256"
    assert client.userinfo(answer.json["access_token"]).json["sub"] == client.house.ann.sub


@pytest.mark.parametrize("algorithm", ["RS256", "EdDSA"])
def test_no_proof_by_another_algorithm(client, algorithm):
    request, prover = allowed(client), client.prover
    client.prover = Prover(client.house.provider.now, algorithm)
    assert error_of(redeem(client, request)) == "invalid_dpop_proof"
    client.prover = prover
    assert redeem(client, request).status_code == 200


@pytest.mark.parametrize("algorithm", ["RS256", "EdDSA"])
def test_no_token_by_another_algorithm_for_a_client_that_asks_for_it(ciba, algorithm):
    with pytest.raises(InvalidClientMetadata, match="id_token_signed_response_alg"):
        register(ciba, algorithm=algorithm)


@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA"])
def test_requests_are_signed_by_what_is_allowed_alone(client, algorithm):
    """FAPI-CIBA §7.6, FAPI 1.0 Part 2 §8.6."""
    key, house = jws.TokenKey(algorithm, kid="another"), client.house
    jwks = {"keys": [client.key.jwk, key.jwk]}
    house.change(client.party, metadata={**house.find(client.party).metadata, "jwks": jwks})
    claims = backchannel.object_claims(house, client.party, binding_message="W4")
    begun = house.door().post(backchannel.PATH, {"request": key.sign(claims, typ="JWT"), **client.proof()})
    assert (begun.status_code == 200) is (algorithm == "ES256"), begun.text
    house.clock.forward(1)  # what others ask for in this house is newer


def test_assertions_are_for_the_issuer_or_where_the_deployment_says(ciba):
    """CIBA Core §7.1 has the endpoints count too, so the profile leaves that to CLIENT_ASSERTION_ACCEPTED_AUDIENCES."""
    house = House(
        OIDC_ENABLED=True,
        PROFILE="fapi-ciba",
        CLIENT_ASSERTION_ACCEPTED_AUDIENCES=["issuer", "token_endpoint", "endpoint"],
    )
    for where, accepted in ((ciba, False), (house, True)):
        client = register(where, redirect_uris=(), grant_types=("client_credentials",))
        proof = client.proof(aud="https://id.example/o/token/")
        answer = client.token(grant_type="client_credentials", auth=proof)
        assert (answer.status_code == 200) is accepted


def test_the_metadata_show_what_the_profile_allows(ciba):
    found = ciba.door().open(METADATA).json
    algorithms = {name: value for name, value in found.items() if "signing_alg_values" in name}
    assert len(algorithms) > 5
    assert {name: value for name, value in algorithms.items() if not ALLOWED.issuperset(value)} == {}
