"""FAPI modules about the token endpoint and what is called with its tokens."""

import secrets
from typing import Any

from conformance.fapi_plans import both, fapi1, fapi2, module
from conformance.suite import checks
from conformance.suite.fapi import FapiVariant
from conformance.suite.fapi_client import FapiClient, Outcome

TOKEN = "token_endpoint"


@module(*both("access-token-type-header-case-sensitivity"))
def test_scheme_in_other_case(client: FapiClient, name: str, variant: FapiVariant) -> None:
    token = client.run().access_token
    client.check_served(client.call(token, scheme="dPOP" if variant.bound == "dpop" else "bEARER"))


# --- Codes ---


@module(*fapi2("ensure-token-endpoint-fails-with-expired-auth-code"))
def test_expired_code(client: FapiClient, name: str, variant: FapiVariant) -> None:
    outcome = client.authorize()
    client.op.clock.pass_by(62)
    checks.token_error(client.post(TOKEN, client.grant_form(outcome)), "invalid_grant")


@module(
    *fapi2("attempt-reuse-authorization-code-after-one-second"),
    *fapi1("attempt-reuse-authorisation-code-after-one-second"),
)
def test_code_used_again(client: FapiClient, name: str, variant: FapiVariant) -> None:
    outcome = client.run()
    client.op.clock.pass_by(1)
    checks.token_error(client.post(TOKEN, client.grant_form(outcome)), "invalid_grant")
    dead = client.call(outcome.access_token)
    assert dead.status_code == 401


@module(*both("ensure-authorization-code-is-bound-to-client"))
def test_code_of_another_client(
    client: FapiClient, other: FapiClient, name: str, variant: FapiVariant
) -> None:
    outcome = client.authorize()
    checks.token_error(other.post(TOKEN, client.grant_form(outcome)), "invalid_grant")


@module(*both("ensure-client-id-in-token-endpoint"))
def test_client_id_of_another(client: FapiClient, other: FapiClient, name: str, variant: FapiVariant) -> None:
    form = client.grant_form(client.authorize(), client_id=other.client_id)
    checks.refused_client(client.post(TOKEN, form), "invalid_client", "invalid_grant")


@module(*both("ensure-pkce-code-verifier-required", "incorrect-pkce-code-verifier-rejected"))
def test_code_verifier(client: FapiClient, name: str, variant: FapiVariant) -> None:
    verifier = None if "required" in name else secrets.token_urlsafe(48)
    form = client.grant_form(client.authorize(), code_verifier=verifier)
    checks.token_error(client.post(TOKEN, form), "invalid_grant")


@module(*fapi2("ensure-holder-of-key-required"), *fapi1("ensure-mtls-holder-of-key-required"))
def test_holder_of_key_required(client: FapiClient, name: str, variant: FapiVariant) -> None:
    form = client.grant_form(client.authorize())
    response = client.post(TOKEN, form, proof=None, bare=variant.bound == "mtls")
    errors = ("invalid_request", "invalid_client", "invalid_grant", "invalid_dpop_proof")
    checks.refused_client(response, *errors)


# --- Client assertions ---

AT_TOKEN = {
    "with-exp-is-5-minutes-in-past": {"exp": -300},
    "with-wrong-aud": {"aud": "https://other.example"},
    "with-no-sub": {"sub": None},
    "with-wrong-iss": {"iss": "another"},
    "with-wrong-sub": {"sub": "another"},
}


@module(
    *both(*(f"ensure-client-assertion-{words}-fails" for words in list(AT_TOKEN)[:3])),
    *fapi1(*(f"ensure-client-assertion-{words}-fails" for words in list(AT_TOKEN)[3:])),
)
def test_assertion_that_does_not_count(client: FapiClient, name: str, variant: FapiVariant) -> None:
    changes: dict[str, Any] = next(changes for words, changes in AT_TOKEN.items() if words in name)
    if "exp" in changes:
        changes = {"exp": int(client.op.clock.now()) + changes["exp"]}
    form = client.grant_form(client.authorize())
    checks.refused_client(client.post(TOKEN, form, assertion=client.assertion(**changes)), "invalid_client")


@module(*both("ensure-signed-client-assertion-with-RS256-fails"))
def test_assertion_of_another_algorithm(client: FapiClient, name: str, variant: FapiVariant) -> None:
    form = client.grant_form(client.authorize())
    response = client.post(TOKEN, form, assertion=client.assertion(algorithm="RS256"))
    checks.refused_client(response, "invalid_client")


@module(*both("ensure-client-assertion-in-token-endpoint"))
def test_no_assertion(client: FapiClient, name: str, variant: FapiVariant) -> None:
    response = client.post(TOKEN, client.grant_form(client.authorize()), assertion=None)
    checks.refused_client(response, "invalid_client", "invalid_request")


@module(
    *fapi1("ensure-client-assertion-with-iss-aud-succeeds", "test-array-as-audience-for-client-JWT-assertion")
)
def test_assertion_for_the_issuer(client: FapiClient, name: str, variant: FapiVariant) -> None:
    op = client.op
    aud = [op.issuer, op.metadata[TOKEN]] if "array" in name else op.issuer
    asked = client.request()
    how = {"assertion": client.assertion(aud=aud)} if variant.pushes else {}
    outcome = client.outcome_of(client.visit(client.browser_parameters(asked, **how)), asked)
    client.redeem(outcome, assertion=client.assertion(aud=aud))


# --- Refresh tokens ---


@module(*both("refresh-token"))
def test_refresh_token(client: FapiClient, other: FapiClient, name: str, variant: FapiVariant) -> None:
    first = client.run()
    token = first.tokens["refresh_token"]
    checks.bearer_token(token)
    form = {"grant_type": "refresh_token", "refresh_token": token}
    client.op.clock.pass_by(1)
    document = _refreshed(client, first, form)
    assert document.get("refresh_token", token) == token, "it was rotated"
    client.op.clock.pass_by(30)
    _refreshed(client, first, form)
    if variant.bound == "dpop":
        unproven = client.post(TOKEN, form, proof=None)
        checks.token_error(unproven, "invalid_request", "invalid_grant", "invalid_dpop_proof")
    else:
        checks.refused_client(
            client.post(TOKEN, form, bare=True), "invalid_request", "invalid_client", "invalid_grant"
        )
    nobody = client.post(TOKEN, form, assertion=None, bare=True)
    checks.refused_client(nobody, "invalid_client", "invalid_grant", "invalid_request")
    checks.token_error(other.post(TOKEN, form), "invalid_grant")


def _refreshed(client: FapiClient, first: Outcome, form: dict[str, str]) -> dict[str, Any]:
    document = client.token_response(client.post(TOKEN, form))
    assert document["access_token"] != first.access_token
    client.check_served(client.call(document["access_token"]))
    if client.variant.openid:
        claims = client.op.verified(document["id_token"])
        for member in ("iss", "sub", "aud", "auth_time"):
            assert claims.get(member) == first.id_token.get(member), member
        assert claims["iat"] > first.id_token["iat"]
    return document
