"""A key that is proven where a request is pushed, at any endpoint that does (RFC 9449 §10.1)."""

import json
from dataclasses import dataclass, field, replace

import pytest
from security.driving import error_of, pkce
from support.proofs import Prover

from portula import Plugin
from portula.plugin import Endpoint, Exchange, client_request_steps, json_answer, step

PATH = "/o/par/"


def push(house, party, headers, **asked):
    verifier, challenge = pkce()
    form = {"response_type": "code", "client_id": party.client_id, "redirect_uri": party.redirect_uri}
    form |= {"scope": "read", "code_challenge": challenge, "code_challenge_method": "S256", **asked}
    return house.door().post(PATH, form, {**party.auth, **headers}), verifier


def finish(house, party, pushed, verifier, headers):
    """Go on with a pushed request, and redeem its code with these headers."""
    nothing = dict.fromkeys(("response_type", "redirect_uri", "scope", "state"))
    nothing |= dict.fromkeys(("code_challenge", "code_challenge_method"))
    code, _ = house.browser().code(party, request_uri=pushed.json["request_uri"], **nothing)
    return house.door().redeem(party, code, verifier, headers={**party.auth, **headers})


@pytest.mark.parametrize("named", [True, False])
def test_a_proof_binds_the_code(house, client, prover, other, named):
    asked = {"dpop_jkt": prover.thumbprint} if named else {}
    for headers, status in ((other.proof(), 400), ({}, 400), (prover.proof(), 200)):
        pushed, verifier = push(house, client, prover.proof(path=PATH), **asked)
        assert pushed.status_code == 201
        answer = finish(house, client, pushed, verifier, headers)
        assert answer.status_code == status
        assert answer.json.get("error") == (None if status == 200 else "invalid_grant")


def test_the_parameter_alone_binds_it_too(house, client, prover, other):
    for headers, status in ((other.proof(), 400), (prover.proof(), 200)):
        pushed, verifier = push(house, client, {}, dpop_jkt=prover.thumbprint)
        assert finish(house, client, pushed, verifier, headers).status_code == status


def test_two_keys_are_refused(house, client, prover, other):
    refused, _ = push(house, client, prover.proof(path=PATH), dpop_jkt=other.thumbprint)
    assert error_of(refused) == "invalid_dpop_proof"


@pytest.mark.parametrize("changes", [{"path": "/o/token/"}, {"method": "GET"}, {"iat": 1}, {"jti": None}])
def test_a_wrong_proof_is_refused(house, client, prover, changes):
    refused, _ = push(house, client, prover.proof(**{"path": PATH, **changes}))
    assert error_of(refused) == "invalid_dpop_proof"


def test_a_proof_counts_once_and_at_one_endpoint(house, client, prover):
    proof = prover.proof(path=PATH)
    pushed, verifier = push(house, client, proof)
    assert error_of(push(house, client, proof)[0]) == "invalid_dpop_proof"
    assert error_of(finish(house, client, pushed, verifier, proof)) == "invalid_dpop_proof"


def test_the_key_holds_for_public_clients(house, public, prover, other):
    pushed, verifier = push(house, public, prover.proof(path=PATH))
    assert error_of(finish(house, public, pushed, verifier, other.proof())) == "invalid_grant"


def test_a_nonce_is_asked_for_here_too(make_house):
    fresh = make_house(DPOP_NONCE_REQUIRED=True)
    client, prover = fresh.client(), Prover(lambda: fresh.clock.time)
    refused, _ = push(fresh, client, prover.proof(path=PATH))
    assert error_of(refused) == "use_dpop_nonce"
    again, _ = push(fresh, client, prover.proof(path=PATH, nonce=refused.headers["DPoP-Nonce"]))
    assert again.status_code == 201


# --- An endpoint that finds the parameters elsewhere ---


@dataclass(kw_only=True, eq=False)
class Resolved(Exchange):
    """A request whose parameters stand in an object, as JSON here; what stands beside it is ignored (RFC 9126 §3)."""

    pairs: list = field(default_factory=list)


def resolve(exchange):
    exchange.pairs = list(json.loads(exchange.parameter("request")).items())


def judge(exchange):
    exchange.provider.backend.validate_authorization_request(exchange.pairs, exchange.issuer)
    exchange.answer = json_answer(201, dict(exchange.pairs))


class Objects(Plugin):
    def portula_endpoints(self, provider):
        own = (step(resolve, sets="pairs"), step(judge, reads="pairs"))
        steps = replace(client_request_steps("par", *own), begin=Resolved.of)
        return [Endpoint("par", "par/", ("POST",), steps=steps)]


def test_a_proof_binds_what_stands_in_an_object(make_house):
    house = make_house(Objects(), PAR_ENABLED=False)
    client = house.client()
    prover, other = Prover(lambda: house.clock.time), Prover(lambda: house.clock.time)
    inside = {"client_id": client.client_id, "response_type": "code", "redirect_uri": client.redirect_uri}
    inside |= {"scope": "read", "code_challenge": pkce()[1], "code_challenge_method": "S256"}

    def ask(**more):
        form = {"request": json.dumps({**inside, **more}), "dpop_jkt": other.thumbprint}
        return house.door().post(PATH, form, {**client.auth, **prover.proof(path=PATH)})

    for asked in ({}, {"dpop_jkt": prover.thumbprint}):
        assert ask(**asked).json["dpop_jkt"] == prover.thumbprint
    assert error_of(ask(dpop_jkt=other.thumbprint)) == "invalid_dpop_proof"
