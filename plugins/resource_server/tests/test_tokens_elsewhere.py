"""Tokens of a provider elsewhere: bound, for others, revoked; verified by keys, by introspection, or by both."""

import pytest
from security.driving import ISSUER
from support.certificates import self_signed, shown
from support.elsewhere import API, Elsewhere
from support.proofs import Prover

from portula_resource_server import VerifiedToken

PAST = 1_600_000_000
ASKING = {"RESOURCE_SERVER_INTROSPECTION_URL": f"{ISSUER}/introspect/", "RESOURCE_SERVER_AUTH_TOKEN": "abc"}


class Introspection:
    """The introspection endpoint, as RemoteVerifier asks it."""

    def __init__(self, house):
        self.house, self.api = house, house.client(client_id="api")
        self.asked = []

    def __call__(self, token):
        self.asked.append(token)
        told = self.house.door().introspect(self.api, token).json
        return VerifiedToken.of(told) if told["active"] else None


@pytest.fixture(scope="module")
def issuing():
    """A provider whose tokens are JWTs, and a resource server that verifies them by its keys."""
    return Elsewhere()


@pytest.fixture(scope="module")
def endpoint(issuing):
    return Introspection(issuing.house)


@pytest.fixture
def both(issuing, endpoint, monkeypatch):
    """Return a function that makes a resource server that asks, and verifies unless told otherwise."""
    monkeypatch.setattr("portula_resource_server.remote.remote_verifier", lambda *_: endpoint)
    endpoint.asked.clear()
    return lambda **settings: Elsewhere(house=issuing.house, **{**ASKING, **settings})


@pytest.fixture(params=["keys", "introspection"])
def world(request, both, issuing):
    """A resource server that verifies tokens in either way."""
    return issuing if request.param == "keys" else both(RESOURCE_SERVER_ISSUER=None)


def refused(answer, status=401, error="invalid_token"):
    assert (answer.status_code, answer.json["error"]) == (status, error)
    assert f'error="{error}"' in answer.headers["WWW-Authenticate"]


def test_a_token_for_another_server_is_refused(world):
    """S29."""
    assert world.status(world.token()) == 200
    refused(world.get(world.token(resource="https://files.example")))


def test_a_token_bound_to_a_key_needs_its_proof_here(world):
    prover, other = (Prover(lambda: world.clock.time) for _ in range(2))
    token = world.token(headers=prover.proof())
    uri = {"htu": f"{API}/read"}

    def visit(headers):
        return world.http.get("/read", base_url=API, headers=headers)

    headers = prover.at("/read", token, **uri)
    assert visit(headers).status_code == 200
    refused(visit(headers), 401, "invalid_dpop_proof")
    refused(world.get(token))
    refused(visit({"Authorization": f"DPoP {token}"}), 401, "invalid_dpop_proof")
    refused(visit(other.at("/read", token, **uri)))
    unbound = world.token()
    refused(visit(prover.at("/read", unbound, **uri)))


def test_a_token_bound_to_a_key_is_refused_where_no_proof_is_remembered(world):
    prover = Prover(lambda: world.clock.time)
    token = world.token(headers=prover.proof())
    blind = Elsewhere(house=world.house, stores=False)
    headers = prover.at("/read", token, htu=f"{API}/read")
    assert blind.http.get("/read", base_url=API, headers=headers).status_code == 401
    assert blind.status(token) == 401


def test_a_token_bound_to_a_certificate_needs_it_here(world):
    der, other = self_signed()[0], self_signed()[0]
    party = world.house.client(metadata={"tls_client_certificate_bound_access_tokens": True})
    token = world.token(party, headers=shown(der))
    assert world.status(token, headers=shown(der)) == 200
    for headers in ({}, shown(other)):
        refused(world.get(token, headers=headers))


def test_what_is_no_jwt_of_the_issuer_is_asked_about(both, endpoint):
    world = both()
    opaque = world.house.client(metadata={"jwt_access_token": False})
    token = world.token(opaque)
    assert world.status(token) == 200
    assert endpoint.asked == [token]
    assert world.status(world.token()) == 200
    assert len(endpoint.asked) == 1
    foreign = world.forgery(iss="https://other.example/o")
    assert world.status(foreign) == 401
    assert endpoint.asked[1:] == [foreign]
    for refused_here in (world.forgery(exp=PAST), world.forgery(typ="JWT")):
        assert world.status(refused_here) == 401
    assert len(endpoint.asked) == 2


def test_a_revoked_jwt_counts_until_it_expires_unless_it_is_asked_about(both, endpoint):
    trusting, asking = both(), both(RESOURCE_SERVER_JWT_INTROSPECTED=True)
    client = trusting.house.client()
    token = trusting.token(client)
    assert [each.status(token) for each in (trusting, asking)] == [200, 200]
    assert trusting.house.door().revoke(client, token).status_code == 200
    assert [each.status(token) for each in (trusting, asking)] == [200, 401]
    trusting.clock.forward(36010)
    trusting.web.asked.clear()
    assert trusting.status(token) == 401
    assert asking.status(asking.forgery()) == 401  # verified, and unknown to the endpoint
    assert len(endpoint.asked) == 3
