"""A gateway takes its user along into a cluster: the token is exchanged for one that the cluster alone lets in."""

import pytest
from joserfc import jwk, jwt
from security.driving import HOST, ISSUER, error_of
from security.house import House
from support.exchanges import GRANT, TYPE, Policy

CLUSTER, GATEWAY, OTHER = (
    "https://kubernetes.default.svc",
    "https://gateway.example/",
    "https://other.example/",
)


@pytest.fixture(scope="module")
def house():
    return House(
        OIDC_ENABLED=True,
        ACCESS_TOKEN_FORMAT="jwt",
        TOKEN_EXCHANGE_POLICY=Policy(),
        PROTECTED_RESOURCES={GATEWAY: {"client_id": "gateway"}, CLUSTER: {"client_id": "cluster"}, OTHER: {}},
    )


@pytest.fixture(scope="module")
def gateway(house):
    return house.client(client_id="gateway", grant_types=(GRANT,), scope="read")


@pytest.fixture
def token(house):
    """What the gateway gets from its user: a token for itself and for the cluster."""
    return house.tokens(house.client(), scope="read", resource=[GATEWAY, CLUSTER])["access_token"]


def admitted(house, token):
    """Judge a token as the API server of a cluster does that trusts an OpenID Provider; return its claims.

    It asks discovery for the keys, and wants its own name alone in `aud`.
    """
    door = house.door()
    configuration = door.open("/o/.well-known/openid-configuration").json
    keys = jwk.KeySet.import_key_set(door.open(configuration["jwks_uri"].removeprefix(HOST)).json)
    claims = jwt.decode(token, keys, algorithms=["RS256", "ES256"]).claims
    assert (claims["iss"], configuration["issuer"]) == (ISSUER, ISSUER)
    assert claims["exp"] > house.clock.time
    return claims if claims["aud"] in (CLUSTER, [CLUSTER]) else None


def exchanged(house, gateway, token, **parameters):
    asked = {"subject_token": token, "subject_token_type": f"{TYPE}access_token", **parameters}
    return house.door().token(gateway, grant_type=GRANT, **asked)


@pytest.mark.parametrize("name", ["audience", "resource"])
def test_the_cluster_lets_in_whom_the_gateway_brings(house, gateway, token, name):
    assert admitted(house, token) is None
    answer = exchanged(house, gateway, token, **{name: CLUSTER})
    assert answer.status_code == 200, answer.text
    claims = admitted(house, answer.json["access_token"])
    assert claims["sub"] == house.ann.sub
    assert claims["act"]["sub"] == "gateway"


@pytest.mark.parametrize("audience", [OTHER, "https://evil.example/"])
def test_it_gets_a_token_for_nobody_whom_its_user_did_not_name(house, gateway, token, audience):
    assert error_of(exchanged(house, gateway, token, audience=audience)) == "invalid_target"


def test_a_token_for_the_cluster_alone_is_not_the_gateway_s_to_exchange(house, gateway):
    token = house.tokens(house.client(), scope="read", resource=CLUSTER)["access_token"]
    assert error_of(exchanged(house, gateway, token, audience=CLUSTER)) == "invalid_request"
