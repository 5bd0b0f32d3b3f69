"""FAPI modules about authorization requests and responses: what may be asked for, and how."""

import json
import runpy
import secrets
from pathlib import Path
from typing import Any

import httpx
import pytest

from conformance.fapi_plans import (
    ADVANCED,
    ELSEWHERE,
    ENTRIES,
    FAPI1_PREFIX,
    MESSAGE_SIGNING,
    RAR,
    SECURITY_PROFILE,
    both,
    fapi1,
    fapi2,
    module,
)
from conformance.suite import checks
from conformance.suite.fapi import CIBA, FAPI1, MS, SP, FapiVariant, digest
from conformance.suite.fapi_client import ALGORITHMS, FapiClient
from conformance.suite.fapi_lab import CLIENTS
from conformance.suite.lab import MANUAL
from conformance.suite.pages import Arrival


@module(*fapi2("discovery-end-point-verification"), *fapi1("discovery-end-point-verification"))
def test_discovery_end_point_verification(client: FapiClient, name: str, variant: FapiVariant) -> None:
    op = client.op
    metadata = op.metadata
    if not variant.openid:
        root, path = op.issuer.removesuffix("/o"), "/.well-known/oauth-authorization-server/o"
        metadata = checks.json_answer(op.http.get(f"{root}{path}"), 200)
    assert metadata["issuer"] == op.issuer
    endpoints = (
        "authorization_endpoint",
        "token_endpoint",
        "jwks_uri",
        "pushed_authorization_request_endpoint",
    )
    for endpoint in endpoints:
        assert metadata[endpoint].startswith("https://")
    assert ("code id_token" if variant.hybrid else "code") in metadata["response_types_supported"]
    assert type(metadata["require_pushed_authorization_requests"]) is bool
    assert "S256" in metadata["code_challenge_methods_supported"]
    method = "private_key_jwt" if variant.auth == "private_key_jwt" else "tls_client_auth"
    assert method in metadata["token_endpoint_auth_methods_supported"]
    signing = {*ALGORITHMS, "Ed25519"}  # which is EdDSA by its full name (RFC 9864 §2.2)
    assert set(metadata["token_endpoint_auth_signing_alg_values_supported"]) <= signing
    assert signing & set(metadata["id_token_signing_alg_values_supported"])
    assert variant.plan == FAPI1 or set(metadata["id_token_signing_alg_values_supported"]) <= signing
    if variant.bound == "dpop":
        assert set(metadata["dpop_signing_alg_values_supported"]) <= signing
    else:
        assert metadata["tls_client_certificate_bound_access_tokens"] is True
    if variant.signs:
        assert signing & set(metadata["request_object_signing_alg_values_supported"])
    if variant.jarm:
        assert "jwt" in metadata["response_modes_supported"]
        assert signing & set(metadata["authorization_signing_alg_values_supported"])
    else:
        assert metadata["authorization_response_iss_parameter_supported"] is True
    if variant.openid:
        assert "openid" in metadata["scopes_supported"]
        assert metadata["subject_types_supported"]
    if variant.rar:
        supported = set(metadata["authorization_details_types_supported"])
        assert supported.issuperset(detail["type"] for detail in client.details)
    keys = op.keys
    checks.public_keys(keys)
    for key in keys["keys"]:
        assert key["kty"] != "RSA" or len(key["n"]) >= 342


@module(*fapi2("happy-flow"), FAPI1_PREFIX.removesuffix("-"))
def test_happy_flow(client: FapiClient, other: FapiClient, name: str, variant: FapiVariant) -> None:
    first = client.run()
    in_query = client.http.get(client.resource, params={"access_token": first.access_token})
    assert in_query.status_code == 401
    bound = {"dpop_jkt": other.thumbprint} if variant.bound == "dpop" else {}
    second = other.run(**bound)
    assert first.access_token != second.access_token
    assert variant.credentials or len(second.response["state"]) == 128


@module(*both("user-rejects-authentication"))
def test_user_rejects_authentication(client: FapiClient, name: str, variant: FapiVariant) -> None:
    asked = client.request(prompt="consent")
    client.check_error(client.visit(client.browser_parameters(asked), consent=False), asked, "access_denied")


@pytest.mark.thorough
@pytest.mark.parametrize("variant", RAR, ids=str)
def test_details_that_are_refused(client: FapiClient, other: FapiClient, variant: FapiVariant) -> None:
    """What RFC 9396 §5 and §6 refuse; the suite has no module for it."""
    for details in ([{"type": "invoice", "number": "1"}], [{**client.details[0], "amount": "1"}], [{}]):
        asked = client.request(authorization_details=client.written(details))
        checks.token_error(client.push(asked), "invalid_authorization_details")
    outcome = client.authorize()
    more = json.dumps([{**client.details[0], "number": "2026-2"}])
    form = client.grant_form(outcome, authorization_details=more)
    checks.token_error(client.post("token_endpoint", form), "invalid_authorization_details")


# --- What responses repeat ---


@module(*both("ensure-authorization-request-without-state-success"))
def test_without_state(client: FapiClient, name: str, variant: FapiVariant) -> None:
    outcome = client.run(state=None)
    assert "s_hash" not in outcome.id_token


@module(*fapi2("ensure-authorization-request-without-nonce-success"))
def test_without_nonce(client: FapiClient, name: str, variant: FapiVariant) -> None:
    assert "nonce" not in client.run(nonce=None).id_token


@module(
    *fapi2(
        "ensure-authorization-request-with-64-char-nonce-success",
        "ensure-authorization-request-with-long-nonce",
    ),
    *fapi1("ensure-request-object-with-64-char-nonce-success", "ensure-request-object-with-long-nonce"),
)
def test_long_nonces(client: FapiClient, name: str, variant: FapiVariant) -> None:
    nonce = secrets.token_urlsafe(48 if "64-char" in name else 288)
    assert client.run(nonce=nonce).id_token["nonce"] == nonce


@module(
    *fapi2("ensure-authorization-request-with-long-state"), *fapi1("ensure-request-object-with-long-state")
)
def test_long_state(client: FapiClient, name: str, variant: FapiVariant) -> None:
    client.run(state=secrets.token_urlsafe(288))


@module(*both("ensure-other-scope-order-succeeds"))
def test_other_scope_order(client: FapiClient, name: str, variant: FapiVariant) -> None:
    client.run(scope=" ".join(reversed(client.scope.split())))


@module(*fapi2("test-claims-parameter-identity-claims"))
def test_claims_parameter(client: FapiClient, name: str, variant: FapiVariant) -> None:
    assert client.op.metadata["claims_parameter_supported"] is True
    claims: Any = {"id_token": {"name": {"essential": True}, "email": None}}
    outcome = client.run(claims=client.written(claims))
    assert outcome.id_token["name"] == "Certa Fied"
    assert outcome.id_token["email"] == "certa@example.com"


# --- What is inside the request, and what beside it ---


@module(
    *both("ensure-different-nonce-inside-and-outside-request-object"),
    *fapi2("ensure-different-state-inside-and-outside-request-object"),
)
def test_different_inside_and_outside(client: FapiClient, name: str, variant: FapiVariant) -> None:
    parameter = "nonce" if "nonce" in name else "state"
    asked = client.request()
    brought = {**client.browser_parameters(asked), parameter: secrets.token_urlsafe(8)}
    client.redeem(client.outcome_of(client.visit(brought), asked))


@module(*both("state-only-outside-request-object-not-used"))
def test_state_only_outside(client: FapiClient, name: str, variant: FapiVariant) -> None:
    asked = client.request(state=None)
    brought = {**client.browser_parameters(asked), "state": secrets.token_urlsafe(8)}
    client.redeem(client.outcome_of(client.visit(brought), asked))


@module(
    *fapi2("ensure-unsigned-authorization-request-without-using-par-fails"),
    *fapi1("ensure-authorization-request-without-request-object-fails"),
)
def test_plain_request(client: FapiClient, name: str, variant: FapiVariant) -> None:
    asked = client.request()
    client.check_error_anywhere(client.visit(asked), asked, "invalid_request")


# --- Redirect URIs ---


@module(
    *both("ensure-request-object-without-redirect-uri-fails", "ensure-redirect-uri-in-authorization-request")
)
def test_without_redirect_uri(client: FapiClient, name: str, variant: FapiVariant) -> None:
    asked = client.request(redirect_uri=None)
    answer = client.offer(asked)
    assert not isinstance(answer, Arrival)
    client.check_refusal(
        answer, asked, "invalid_request", *(("invalid_request_object",) if variant.signs else ())
    )


@module(*both("ensure-registered-redirect-uri"), *fapi1("par-attempt-invalid-redirect_uri"))
def test_unregistered_redirect_uri(client: FapiClient, name: str, variant: FapiVariant) -> None:
    asked = client.request(redirect_uri=f"{client.callback}/{secrets.token_hex(5)}")
    answer = client.offer(asked)
    assert not isinstance(answer, Arrival)
    client.check_refusal(
        answer, asked, "invalid_request", *(("invalid_request_object",) if variant.signs else ())
    )


@module(*fapi2("plain-fapi-tolerate-unregistered-redirect-uri"))
def test_tolerated_redirect_uri(client: FapiClient, name: str, variant: FapiVariant) -> None:
    """A server may take it (RFC 9126 §2.4); this one does where PAR_ALLOW_UNREGISTERED_REDIRECT_URIS says so."""
    response = client.push(client.request(redirect_uri=f"{client.callback}/{secrets.token_hex(5)}"))
    checks.token_error(response, "invalid_request")


# --- Response types and modes ---

OF_RESPONSE_TYPES = ("unsupported_response_type", "invalid_request")


@module(*fapi2("ensure-response-type-code-idtoken-fails", "ensure-response-type-token-fails"))
def test_other_response_types(client: FapiClient, name: str, variant: FapiVariant) -> None:
    response_type = "code id_token" if "idtoken" in name else "token"
    response = client.push(client.request(response_type=response_type))
    checks.token_error(response, *OF_RESPONSE_TYPES)


@module(*fapi1("ensure-response-type-code-fails"))
def test_response_type_code(client: FapiClient, name: str, variant: FapiVariant) -> None:
    asked = client.request(response_type="code")
    answer = client.offer(asked)
    client.check_refusal(
        answer, asked, *OF_RESPONSE_TYPES, *(("unauthorized_client",) if variant.pushes else ())
    )


@module(*fapi1("ensure-response-mode-query"))
def test_response_mode_query(client: FapiClient, name: str, variant: FapiVariant) -> None:
    asked = client.request(response_mode="query")
    answer = client.offer(asked)
    if isinstance(answer, httpx.Response):
        checks.token_error(answer, "invalid_request")
    else:
        client.check_error_anywhere(answer, asked, "invalid_request")


@module(*fapi1("ensure-valid-pkce-succeeds"))
def test_valid_pkce(client: FapiClient, name: str, variant: FapiVariant) -> None:
    client.run(code_challenge=digest(client.verifier), code_challenge_method="S256")


# --- Request objects ---


@module(*both("ensure-request-object-with-multiple-aud-succeeds"))
def test_object_with_multiple_aud(client: FapiClient, name: str, variant: FapiVariant) -> None:
    asked = client.request()
    _taken(client, asked, aud=["https://other.example", client.op.issuer])


@module(*fapi2("ensure-request-object-with-nbf-8-seconds-in-the-future-is-accepted"))
def test_object_of_a_clock_ahead(client: FapiClient, name: str, variant: FapiVariant) -> None:
    ahead = int(client.op.clock.now()) + 8
    _taken(client, client.request(), nbf=ahead, iat=ahead)


def _taken(client: FapiClient, asked: dict[str, Any], **changes: Any) -> None:
    answer = client.offer(asked, **changes)
    if isinstance(answer, httpx.Response):
        uri = checks.json_answer(answer, 201)["request_uri"]
        answer = client.visit({"client_id": client.client_id, "request_uri": uri})
    client.redeem(client.outcome_of(answer, asked))


MINUTE = 60
TIMES = {
    "without-exp-fails": {"exp": None},
    "without-nbf-fails": {"nbf": None},
    "with-exp-over-60-fails": {"exp": 70 * MINUTE},
    "with-nbf-over-60-fails": {"nbf": -70 * MINUTE},
    "expired": {"exp": -5 * MINUTE, "nbf": -10 * MINUTE},
}
"""Claims in seconds from now."""
REDIRECTED = ("invalid_request", "invalid_request_uri", "access_denied")
"""What a redirect may say of missing times too."""


@module(
    *both(*(f"ensure-request-object-{name}" for name in TIMES if name != "expired")),
    *both("ensure-expired-request-object-fails"),
)
def test_object_of_another_time(client: FapiClient, name: str, variant: FapiVariant) -> None:
    changes = next(changes for words, changes in TIMES.items() if words in name)
    now = int(client.op.clock.now())
    times = {claim: None if seconds is None else now + seconds for claim, seconds in changes.items()}
    asked = client.request()
    redirected = REDIRECTED if "without" in name else ()
    client.check_refusal(client.offer(asked, **times), asked, "invalid_request_object", redirected=redirected)


@module(
    *both("ensure-request-object-with-bad-aud-fails"),
    *fapi1("par-pushed-authorization-url-as-audience-in-request-object"),
)
def test_object_for_another(client: FapiClient, name: str, variant: FapiVariant) -> None:
    par = client.op.metadata["pushed_authorization_request_endpoint"]
    asked = client.request()
    aud = par if "pushed" in name else "https://other.example"
    client.check_refusal(client.offer(asked, aud=aud), asked, "invalid_request_object")


@module(
    *both(
        "ensure-request-object-signature-algorithm-is-not-none",
        "ensure-signed-request-object-with-RS256-fails",
    )
)
def test_object_of_another_algorithm(client: FapiClient, name: str, variant: FapiVariant) -> None:
    asked = client.request()
    algorithm = "none" if "none" in name else "RS256"
    client.check_refusal(client.offer(asked, algorithm=algorithm), asked, "invalid_request_object")


@module(*both("ensure-request-object-with-invalid-signature-fails"))
def test_object_with_invalid_signature(client: FapiClient, name: str, variant: FapiVariant) -> None:
    asked = client.request()
    body, _, signature = client.request_object(asked).rpartition(".")
    turned = "".join(reversed(signature))
    answer = client.offer(asked, beside={"request": f"{body}.{turned}"})
    client.check_refusal(answer, asked, "invalid_request_object")


@module(*both("ensure-matching-key-in-authorization-request"))
def test_object_by_the_key_of_another(
    client: FapiClient, other: FapiClient, name: str, variant: FapiVariant
) -> None:
    asked = client.request()
    answer = client.offer(asked, key=other.key)
    client.check_refusal(answer, asked, "invalid_request_object", "invalid_request")


@module(*fapi1("ensure-request-object-without-scope-fails", "ensure-request-object-without-nonce-fails"))
def test_object_without(client: FapiClient, name: str, variant: FapiVariant) -> None:
    asked = client.request(**{"scope" if "scope" in name else "nonce": None})
    client.check_refusal(client.offer(asked), asked, "invalid_request", "invalid_request_object")


@module(*both("par-authorization-request-containing-request_uri"))
def test_object_that_names_another(client: FapiClient, name: str, variant: FapiVariant) -> None:
    uri = client.request_uri(client.request())
    asked = client.request()
    client.check_refusal(client.offer(asked, request_uri=uri), asked, "invalid_request_object")


@module(*fapi2("ensure-unsigned-request-at-par-endpoint-fails"))
def test_unsigned_request_at_par(client: FapiClient, name: str, variant: FapiVariant) -> None:
    response = client.post("pushed_authorization_request_endpoint", client.request())
    checks.token_error(response, "invalid_request")


def test_the_plans_are_those_of_the_suite() -> None:
    import conformance.test_fapi_ciba
    import conformance.test_fapi_par
    import conformance.test_fapi_proofs
    import conformance.test_fapi_tokens  # noqa: F401 - importing them is what writes them down

    counted = [len(set(modules)) for modules in (SECURITY_PROFILE, MESSAGE_SIGNING, ADVANCED, ELSEWHERE)]
    assert counted == [57, 14, 64, 43]
    assert module.unwritten() == set()


@pytest.mark.thorough
@pytest.mark.parametrize("plan", [SP, MS, FAPI1, CIBA])
def test_the_configuration_for_the_official_suite_is_about_the_documented_provider(
    plan: str, tmp_path: Path
) -> None:
    issuer = "https://localhost:8000/o"
    callback = "https://localhost.emobix.co.uk:8443/test/a/portula/callback"
    manual, script = MANUAL.read_text(), runpy.run_path(str(CLIENTS))
    commands = script["prepare"](tmp_path, plan, issuer, callback)
    assert f"--issuer {issuer}" in manual
    assert {variant.name for variant in (entry.variant for entry in ENTRIES if entry.plan == plan)} <= {
        file.stem.removeprefix("suite-") for file in tmp_path.glob("suite-*.json")
    }
    modules = {name for entry in ENTRIES if entry.plan == plan for name in entry.modules}
    for file in tmp_path.glob("suite-*.json"):
        document = json.loads(file.read_text())
        assert document["server"]["discoveryUrl"].startswith(issuer)
        assert f"/test/a/{document['alias']}/callback" in callback
        made = [words[words.index("--client-id") + 1] for words in commands]
        assert {document["client"]["client_id"], document["client2"]["client_id"]} <= set(made)
        overridden = set(document.get("override", ()))
        assert overridden <= modules if plan in (FAPI1, CIBA) else overridden & modules
    assert f"CERTIFICATION_PLAN={SP}" in manual
    assert f"`{plan}`" in manual
