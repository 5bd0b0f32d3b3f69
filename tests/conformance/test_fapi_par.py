"""FAPI modules about pushed requests."""

import secrets

from conformance.fapi_plans import both, fapi1, fapi2, module
from conformance.suite import checks
from conformance.suite.fapi import FapiVariant
from conformance.suite.fapi_client import FapiClient
from conformance.suite.pages import Page

PAR = "pushed_authorization_request_endpoint"


@module(*both("par-ensure-reused-request-uri-prior-to-auth-completion-succeeds"))
def test_opened_twice_before_the_answer(client: FapiClient, name: str, variant: FapiVariant) -> None:
    asked = client.request(prompt="consent")
    brought = client.browser_parameters(asked)
    assert isinstance(client.open(brought), Page)
    client.redeem(client.outcome_of(client.visit(brought), asked))


@module(*both("par-attempt-reuse-request_uri"))
def test_used_again(client: FapiClient, name: str, variant: FapiVariant) -> None:
    asked = client.request()
    brought = client.browser_parameters(asked)
    client.redeem(client.outcome_of(client.visit(brought), asked))
    client.check_error_anywhere(client.visit(brought), asked, "invalid_request_uri", "invalid_request")


@module(*both("par-attempt-to-use-expired-request_uri"))
def test_expired(client: FapiClient, name: str, variant: FapiVariant) -> None:
    asked = client.request()
    expires_in = checks.json_answer(answer := client.push(asked), 201)["expires_in"]
    client.op.clock.pass_by(expires_in + 1)
    landed = client.visit({"client_id": client.client_id, "request_uri": answer.json()["request_uri"]})
    client.check_error_anywhere(landed, asked, "invalid_request_uri", "invalid_request")


@module(*both("par-attempt-to-use-request_uri-for-different-client"))
def test_of_another_client(client: FapiClient, other: FapiClient, name: str, variant: FapiVariant) -> None:
    asked = client.request()
    landed = other.visit({**client.browser_parameters(asked), "client_id": other.client_id})
    other.check_error_page(landed)


@module(*both("par-authorization-request-containing-request_uri-form-param"))
def test_with_request_uri_in_the_form(client: FapiClient, name: str, variant: FapiVariant) -> None:
    uri = client.request_uri(client.request())
    response = client.post(PAR, {**client.form(client.request()), "request_uri": uri})
    checks.token_error(response, "invalid_request", "invalid_request_object", "request_not_supported")


@module(*both("par-attempt-invalid-http-method"))
def test_by_another_method(client: FapiClient, name: str, variant: FapiVariant) -> None:
    form = {**client.form(client.request()), "client_id": client.client_id}
    assert client.http.put(client.op.metadata[PAR], data=form).status_code == 405


@module(*both("par-ensure-pkce-required", "par-plain-pkce-rejected"))
def test_without_s256(client: FapiClient, name: str, variant: FapiVariant) -> None:
    plain = {"code_challenge": client.verifier, "code_challenge_method": "plain"}
    asked = client.request(**(dict.fromkeys(plain) if "required" in name else plain))
    checks.token_error(client.push(asked), "invalid_request")


@module(*both("par-without-duplicate-parameters"))
def test_without_duplicate_parameters(client: FapiClient, name: str, variant: FapiVariant) -> None:
    asked = client.request()
    landed = client.visit({"client_id": client.client_id, "request_uri": client.request_uri(asked)})
    client.redeem(client.outcome_of(landed, asked))


# --- Client assertions ---


@module(
    *fapi2(
        "par-ensure-jwt-client-assertions-nbf-8-seconds-in-the-future-is-accepted",
        "par-ensure-jwt-client-assertions-nbf-over-60-seconds-in-the-future-fails",
    )
)
def test_assertion_of_a_clock_ahead(client: FapiClient, name: str, variant: FapiVariant) -> None:
    now = int(client.op.clock.now())
    if "8-seconds" in name:
        client.request_uri(client.request(), assertion=client.assertion(nbf=now + 8))
        return
    response = client.push(client.request(), assertion=client.assertion(nbf=now + 75, exp=now + 180))
    checks.refused_client(response, "invalid_client", "invalid_request")


@module(
    *fapi2(
        "par-test-array-as-audience-fails",
        "par-test-par-endpoint-url-as-audience-fails",
        "par-test-token-endpoint-url-as-audience-fails",
    )
)
def test_assertion_for_more_than_the_issuer(client: FapiClient, name: str, variant: FapiVariant) -> None:
    op = client.op
    audiences = {
        "array": [[op.issuer], [op.issuer, "https://other.example"]],
        "par-endpoint": [op.metadata[PAR]],
        "token-endpoint": [op.metadata["token_endpoint"]],
    }
    for aud in next(named for words, named in audiences.items() if f"-{words}" in name):
        response = client.push(client.request(), assertion=client.assertion(aud=aud))
        checks.refused_client(response, "invalid_client", "invalid_request")


@module(
    *fapi1(
        "par-test-pushed-authorization-url-as-audience-for-client-JWT-assertion",
        "par-token-endpoint-url-as-audience-for-client-JWT-assertion",
    )
)
def test_assertion_for_an_endpoint(client: FapiClient, name: str, variant: FapiVariant) -> None:
    url = client.op.metadata[PAR if "pushed" in name else "token_endpoint"]
    asked = client.request()
    brought = client.browser_parameters(asked, assertion=client.assertion(aud=url))
    client.redeem(client.outcome_of(client.visit(brought), asked))


@module(*fapi1(*(f"par-ensure-client-assertion-with-wrong-{claim}-fails" for claim in ("aud", "iss", "sub"))))
def test_assertion_with_wrong_claims(client: FapiClient, name: str, variant: FapiVariant) -> None:
    claim = name.removesuffix("-fails")[-3:]
    wrong = "https://other.example" if claim == "aud" else secrets.token_hex(8)
    response = client.push(client.request(), assertion=client.assertion(**{claim: wrong}))
    checks.refused_client(response, "invalid_client", "invalid_request")
