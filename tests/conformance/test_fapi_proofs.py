"""FAPI modules about proofs of possession (RFC 9449)."""

from collections.abc import Iterator
from typing import Any

from joserfc.jwk import RSAKey

from conformance.fapi_plans import fapi2, module
from conformance.suite import checks, tokens
from conformance.suite.fapi import FapiVariant, new_proof_key
from conformance.suite.fapi_client import FapiClient

PAR, TOKEN = "pushed_authorization_request_endpoint", "token_endpoint"
ERRORS = ("invalid_grant", "invalid_request", "invalid_dpop_proof")


def _proven(client: FapiClient, **changes: Any) -> None:
    """Redeem a code and call the API with proofs that are changed."""
    outcome = client.authorize()
    client.redeem(outcome, proof=client.proof("POST", client.op.metadata[TOKEN], **changes))
    token = outcome.access_token
    client.check_served(client.call(token, proof=client.proof("GET", client.resource, token, **changes)))


@module(*fapi2("check-dpop-proof-nbf-exp"))
def test_proof_with_nbf_and_exp(client: FapiClient, name: str, variant: FapiVariant) -> None:
    now = int(client.op.clock.now())
    _proven(client, nbf=now, exp=now + 300)


@module(*fapi2(*(f"ensure-dpopproof-with-iat-10seconds-{when}-succeeds" for when in ("before", "after"))))
def test_proof_of_another_clock(client: FapiClient, name: str, variant: FapiVariant) -> None:
    _proven(client, iat=int(client.op.clock.now()) + (-10 if "before" in name else 10))


# --- Codes that are bound to a key ---


def _at_par(client: FapiClient) -> str:
    return client.proof("POST", client.op.metadata[PAR])


@module(*fapi2("ensure-dpopproof-at-par-endpoint-binding-success", "ensure-dpop-auth-code-binding-success"))
def test_bound_request(client: FapiClient, name: str, variant: FapiVariant) -> None:
    proven = "at-par" in name
    asked = client.request(**({} if proven else {"dpop_jkt": client.thumbprint}))
    brought = client.browser_parameters(asked, **({"proof": _at_par(client)} if proven else {}))
    outcome = client.redeem(client.outcome_of(client.visit(brought), asked))
    client.check_served(client.call(outcome.access_token))


@module(*fapi2("ensure-mismatched-dpop-jkt-fails"))
def test_bound_to_two_keys(client: FapiClient, name: str, variant: FapiVariant) -> None:
    asked = client.request(dpop_jkt=new_proof_key().thumbprint())
    response = client.push(asked, proof=_at_par(client))
    checks.token_error(response, "invalid_request", "invalid_dpop_proof")


@module(
    *fapi2(*(f"ensure-token-endpoint-fails-with-mismatched-dpop-{name}" for name in ("proof-jkt", "jkt")))
)
def test_redeemed_by_another_key(client: FapiClient, name: str, variant: FapiVariant) -> None:
    proven = "proof-jkt" in name
    asked = client.request(**({} if proven else {"dpop_jkt": client.thumbprint}))
    brought = client.browser_parameters(asked, **({"proof": _at_par(client)} if proven else {}))
    outcome = client.outcome_of(client.visit(brought), asked)
    proof = client.proof("POST", client.op.metadata[TOKEN], key=new_proof_key())
    checks.token_error(client.post(TOKEN, client.grant_form(outcome), proof=proof), *ERRORS)


# --- At the API ---


@module(*fapi2("dpop-negative-tests"))
def test_dpop_negative_tests(client: FapiClient, name: str, variant: FapiVariant) -> None:
    token, url = client.run().access_token, client.resource
    for why, proof in _bad(client, token):
        answer = client.call(token, proof=proof)
        assert answer.status_code in (400, 401), why
        assert "DPoP " in answer.headers["www-authenticate"], why
    good = client.proof("GET", url, token)
    client.check_served(client.call(token, proof=good))
    client.check_turned_away(client.call(token, proof=good))
    client.check_turned_away(client.call(token, scheme="Bearer"))
    for changed in (
        {"htu": f"{url}?a=b#c"},
        {"htu": url.replace("localhost", "LOCALHOST")},
        {"more": "claims"},
    ):
        client.check_served(client.call(token, proof=client.proof("GET", url, token, **changed)))
    client.check_served(client.call(token, proof=client.proof("GET", url, token), header="DPOP"))


def _bad(client: FapiClient, token: str) -> Iterator[tuple[str, str | list[str] | None]]:
    """Yield what a proof must not be."""
    url, now = client.resource, int(client.op.clock.now())

    def proof(**changes: Any) -> str:
        return client.proof("GET", url, token, **changes)

    yield "none", None
    yield "two", [proof(), proof()]
    yield "no JWT", "no JWT"
    for member in ("typ", "jwk"):
        yield f"no {member}", _without(client, token, member)
    yield "no alg", _without_alg(proof())
    for claim in ("jti", "htm", "htu", "iat", "ath"):
        yield f"no {claim}", proof(**{claim: None})
    yield "another typ", proof(header={"typ": "JWT"})
    key = RSAKey.generate_key(2048, private=True)
    yield "RS256", proof(key=key, algorithm="RS256")
    claims = tokens.claims_of(proof())
    yield "alg none", f"{tokens.encoded({'alg': 'none', 'typ': 'dpop+jwt'})}.{tokens.encoded(claims)}."
    body, _, signature = proof().rpartition(".")
    yield "bad signature", f"{body}.{''.join(reversed(signature))}"
    yield "private key", proof(header={"jwk": client.proof_key.as_dict(private=True)})
    yield "another method", proof(htm="PUT")
    yield "another URL", proof(htu=f"{url}/other")
    yield "old", proof(iat=now - 3600)
    yield "of the future", proof(iat=now + 3600)
    yield "another token", proof(ath=client.thumbprint)
    yield "another key", proof(key=new_proof_key())


def _without(client: FapiClient, token: str, member: str) -> str:
    whole = client.proof("GET", client.resource, token)
    header = {name: value for name, value in tokens.header_of(whole).items() if name != member}
    return tokens.sign_as(tokens.claims_of(whole), client.proof_key, header)


def _without_alg(proof: str) -> str:
    header = {name: value for name, value in tokens.header_of(proof).items() if name != "alg"}
    return f"{tokens.encoded(header)}.{proof.partition('.')[2]}"
