"""FAPI-CIBA modules: a person is asked elsewhere, and the client polls or is told."""

import secrets
from collections.abc import Mapping
from typing import Any

import pytest

from conformance.fapi_plans import CIBA_PREFIX, ciba, module
from conformance.suite import checks
from conformance.suite.ciba import BACKCHANNEL, BINDING_MESSAGE, GRANT, TOKEN, WAITING, CibaClient
from conformance.suite.fapi import FapiVariant
from conformance.suite.fapi_client import Outcome
from portula_testing.tls import Reply

ALGORITHMS = {"PS256", "ES256"}
INVALID = ("invalid_request", "invalid_client")


@module(*ciba("discovery-end-point-verification"))
def test_discovery_end_point_verification(client: CibaClient, name: str, variant: FapiVariant) -> None:
    metadata = client.op.metadata
    assert metadata["issuer"] == client.op.issuer
    for endpoint in (BACKCHANNEL, TOKEN, "jwks_uri"):
        assert metadata[endpoint].startswith("https://")
    assert GRANT in metadata["grant_types_supported"]
    assert variant.mode in metadata["backchannel_token_delivery_modes_supported"]
    assert "push" not in metadata["backchannel_token_delivery_modes_supported"]
    assert set(metadata["backchannel_authentication_request_signing_alg_values_supported"]) <= ALGORITHMS
    assert set(metadata["token_endpoint_auth_signing_alg_values_supported"]) <= ALGORITHMS
    assert ALGORITHMS & set(metadata["id_token_signing_alg_values_supported"])
    assert metadata["tls_client_certificate_bound_access_tokens"] is True
    method = "tls_client_auth" if variant.auth == "mtls" else variant.auth
    assert method in metadata["token_endpoint_auth_methods_supported"]
    keys = client.op.keys
    checks.public_keys(keys)
    for key in keys["keys"]:
        assert key["kty"] != "RSA" or len(key["n"]) >= 342


@module(CIBA_PREFIX.removesuffix("-"))
def test_happy_flow(client: CibaClient, other: CibaClient, name: str, variant: FapiVariant) -> None:
    first = client.run()
    in_query = client.http.get(client.resource, params={"access_token": first.access_token})
    assert in_query.status_code == 401
    second = other.begin(assertion=other.assertion(aud=other.op.metadata[TOKEN]))
    other.check_waiting(second)
    other.decide(second)
    other.redeem(second)
    assert second.id_token["acr"] == second.asked["acr_values"]
    other.check_served(other.call(second.access_token))
    stolen = client.call(second.access_token)
    client.check_turned_away(stolen)
    checks.token_error(other.poll(second), "invalid_grant")
    client.begin(assertion=client.assertion(aud=client.op.issuer))


@module(*ciba("user-rejects-authentication"))
def test_user_rejects_authentication(client: CibaClient, name: str, variant: FapiVariant) -> None:
    outcome = client.begin()
    client.check_waiting(outcome)
    client.decide(outcome, "deny")
    checks.token_error(client.poll(outcome), "access_denied")


# --- The life of a request ---


@module(*ciba("multiple-call-to-token-endpoint"))
def test_many_polls(client: CibaClient, name: str, variant: FapiVariant) -> None:
    outcome = client.begin()
    client.check_waiting(outcome)
    for _ in range(20):
        answer = client.poll(outcome)
        if answer.status_code == 503:
            checks.token_error(answer, "temporarily_unavailable", status=503)
            assert int(answer.headers["retry-after"]) > 0
            break
        checks.token_error(answer, *WAITING, "invalid_request")
    client.decide(outcome)
    client.redeem(outcome)


@module(*ciba("auth-req-id-expired"))
def test_expired(client: CibaClient, name: str, variant: FapiVariant) -> None:
    outcome = client.begin(client.request(requested_expiry=10))
    assert outcome.response["expires_in"] == 10
    checks.token_error(client.poll(outcome), *WAITING)
    client.op.clock.pass_by(15)
    checks.token_error(client.poll(outcome), "expired_token")


@module(*ciba("ensure-requested-expiry-as-string-succeeds"))
def test_expiry_as_text(client: CibaClient, name: str, variant: FapiVariant) -> None:
    assert client.run(requested_expiry="30").response["expires_in"] == 30


@module(*ciba("ensure-wrong-auth-req-id-in-token-endpoint-request"))
def test_wrong_auth_req_id(client: CibaClient, other: CibaClient, name: str, variant: FapiVariant) -> None:
    outcome = client.begin()
    wrong = Outcome(outcome.asked, {"auth_req_id": secrets.token_urlsafe(32)}, [])
    checks.token_error(client.poll(wrong), "invalid_grant")
    checks.token_error(other.poll(outcome), "invalid_grant")
    client.decide(outcome)
    checks.token_error(other.poll(outcome), "invalid_grant")
    client.redeem(outcome)


# --- What is asked for ---


@module(*ciba("ensure-authorization-request-with-binding-message-succeeds"))
def test_binding_message(client: CibaClient, name: str, variant: FapiVariant) -> None:
    outcome = client.begin()
    client.check_waiting(outcome)
    assert BINDING_MESSAGE in client.decide_on_page(outcome)
    client.redeem(outcome)


@module(*ciba("ensure-authorization-request-with-potentially-bad-binding-message"))
def test_odd_binding_message(client: CibaClient, name: str, variant: FapiVariant) -> None:
    odd = "1234 \N{THUMBS UP SIGN}\N{EMOJI MODIFIER FITZPATRICK TYPE-6} 品川 "
    checks.token_error(client.ask(client.request(binding_message=odd + "x" * 440)), "invalid_binding_message")
    short = client.begin(client.request(binding_message=odd.strip()))
    assert odd.strip() in client.decide_on_page(short)
    client.redeem(short)


@module(*ciba("ensure-authorization-request-with-multiple-hints-fails"))
def test_two_hints(client: CibaClient, name: str, variant: FapiVariant) -> None:
    asked = client.request(id_token_hint=client.run().tokens["id_token"])
    checks.token_error(client.ask(asked), "invalid_request")


@module(*ciba("ensure-other-scope-order-succeeds"))
def test_other_scope_order(client: CibaClient, name: str, variant: FapiVariant) -> None:
    client.run(scope=" ".join(reversed(client.scope.split())))


# --- Signed requests ---

MINUTE = 60
TIMES = {
    "expired-exp": {"exp": -5 * MINUTE},
    "exp-is-70-minutes-in-future": {"exp": 70 * MINUTE},
    "nbf-is-10-minutes-in-future": {"nbf": 10 * MINUTE},
    "nbf-is-70-minutes-in-past": {"nbf": -70 * MINUTE},
}
"""Claims in seconds from now."""
CLAIMS = {
    **{f"missing-{claim}": {claim: None} for claim in ("aud", "iss", "exp", "iat", "nbf", "jti")},
    "bad-aud": {"aud": "https://other.example"},
    "bad-iss": {"iss": "https://other.example"},
}
ALGORITHM_IS = "ensure-request-object-signature-algorithm-is-{}-fails"


@module(*ciba(*(f"ensure-request-object-{words}-fails" for words in (*TIMES, *CLAIMS))))
def test_object_that_does_not_count(client: CibaClient, name: str, variant: FapiVariant) -> None:
    words = name.removeprefix(f"{CIBA_PREFIX}ensure-request-object-").removesuffix("-fails")
    changes: Mapping[str, Any] = CLAIMS.get(words, {})
    if words in TIMES:
        now = int(client.op.clock.now())
        changes = {claim: now + seconds for claim, seconds in TIMES[words].items()}
    checks.token_error(client.ask(client.request(), **changes), "invalid_request")


@module(*ciba(ALGORITHM_IS.format("none"), ALGORITHM_IS.format("RS256")))
def test_object_of_another_algorithm(client: CibaClient, name: str, variant: FapiVariant) -> None:
    algorithm = "none" if "none" in name else "RS256"
    checks.token_error(client.ask(client.request(), algorithm=algorithm), "invalid_request")


@module(*ciba(ALGORITHM_IS.format("bad")))
def test_object_with_invalid_signature(client: CibaClient, name: str, variant: FapiVariant) -> None:
    asked = client.request()
    body, _, signature = client.request_object(asked, jti=secrets.token_urlsafe(16)).rpartition(".")
    turned = {"request": f"{body}.{''.join(reversed(signature))}"}
    checks.token_error(client.ask(asked, beside=turned), "invalid_request")


@module(*ciba("ensure-request-object-signed-by-other-client-fails"))
def test_object_by_the_key_of_another(
    client: CibaClient, other: CibaClient, name: str, variant: FapiVariant
) -> None:
    checks.token_error(client.ask(client.request(), key=other.key), "invalid_request")


@module(*ciba("ensure-unsigned-backchannel-authorization-request-fails"))
def test_unsigned_request(client: CibaClient, name: str, variant: FapiVariant) -> None:
    checks.token_error(client.post(BACKCHANNEL, client.request()), "invalid_request")


# --- Which client it is ---


@module(*ciba("ensure-different-client-id-and-issuer-in-backchannel-authorization-request"))
def test_client_id_of_another_beside_the_object(
    client: CibaClient, other: CibaClient, name: str, variant: FapiVariant
) -> None:
    answer = client.ask(client.request(), beside={"client_id": other.client_id})
    checks.token_error(answer, *INVALID, status=401)


@module(*ciba("ensure-wrong-client-id-in-backchannel-authorization-request"))
def test_client_id_of_another(client: CibaClient, other: CibaClient, name: str, variant: FapiVariant) -> None:
    answer = client.ask(other.request(), iss=other.client_id, beside={"client_id": other.client_id})
    checks.refused_client(answer, "access_denied", *INVALID)


@module(*ciba("ensure-wrong-client-id-in-token-endpoint-request"))
def test_client_id_of_another_at_the_token_endpoint(
    client: CibaClient, other: CibaClient, name: str, variant: FapiVariant
) -> None:
    outcome = client.authorize()
    form = client.grant_form(outcome, client_id=other.client_id)
    checks.refused_client(client.post(TOKEN, form), "invalid_client")
    client.redeem(outcome)


@module(*ciba("ensure-without-client-assertion-in-backchannel-authorization-request"))
def test_no_assertion(client: CibaClient, name: str, variant: FapiVariant) -> None:
    checks.refused_client(client.ask(client.request(), assertion=None), "access_denied", *INVALID)


@module(*ciba("ensure-without-client-assertion-in-token-endpoint-request"))
def test_no_assertion_at_the_token_endpoint(client: CibaClient, name: str, variant: FapiVariant) -> None:
    outcome = client.authorize()
    checks.refused_client(client.poll(outcome, assertion=None), *INVALID)
    client.redeem(outcome)


@module(
    *ciba(
        *(
            f"ensure-client-assertion-signature-algorithm-in-{place}-request-is-RS256-fails"
            for place in ("backchannel-authorization", "token-endpoint")
        )
    )
)
def test_assertion_of_another_algorithm(client: CibaClient, name: str, variant: FapiVariant) -> None:
    assertion = client.assertion(algorithm="RS256")
    if "backchannel" in name:
        answer = client.ask(client.request(), assertion=assertion)
    else:
        answer = client.poll(client.authorize(), assertion=assertion)
    checks.refused_client(answer, "invalid_client")


@module(*ciba("ensure-client-assertion-with-iss-aud-to-token-endpoint-succeeds"))
def test_assertion_for_the_issuer(client: CibaClient, name: str, variant: FapiVariant) -> None:
    outcome = client.begin()
    assertion = client.assertion(aud=client.op.issuer)
    checks.token_error(client.poll(outcome, assertion=assertion), *WAITING)


# --- Notifications ---

REPLIES = {
    "response-has-body": Reply.json({"taken": True}),
    "response-401": Reply(401),
    "response-403": Reply(403),
}


@module(*ciba(*(f"ping-backchannel-notification-endpoint-{words}" for words in REPLIES)))
def test_odd_answer_to_a_notification(client: CibaClient, name: str, variant: FapiVariant) -> None:
    reply = next(reply for words, reply in REPLIES.items() if name.endswith(words))
    client.answer_notifications(reply, Reply(204))
    client.run()


@module(*ciba("ping-backchannel-notification-endpoint-return-redirect-request"))
def test_redirect_of_a_notification(client: CibaClient, name: str, variant: FapiVariant) -> None:
    elsewhere = client.suite.listen("elsewhere")
    client.answer_notifications(Reply(301, {"Location": elsewhere}), Reply(204))
    client.run()
    client.run()
    assert client.suite.heard(elsewhere) == []


@module(*ciba("ping-with-mtls-ciba-notification-endpoint-response-401-and-require-server-does-not-retry"))
@pytest.mark.parametrize("decision", ["allow", "deny"])
def test_refused_notification_is_not_sent_again(
    client: CibaClient, name: str, variant: FapiVariant, decision: str
) -> None:
    client.answer_notifications(Reply(401), Reply(204))
    outcome = client.begin()
    client.check_waiting(outcome)
    client.decide(outcome, decision)
    client.op.clock.pass_by(60)
    client.run()
    assert len(client.heard(outcome)) == 1


# --- Tokens ---


@module(*ciba("refresh-token"))
def test_refresh_token(client: CibaClient, other: CibaClient, name: str, variant: FapiVariant) -> None:
    first = client.run()
    form = {"grant_type": "refresh_token", "refresh_token": first.tokens["refresh_token"]}
    checks.bearer_token(form["refresh_token"])
    client.op.clock.pass_by(1)
    refreshed = client.token_response(client.post(TOKEN, form))
    assert refreshed["access_token"] != first.access_token
    client.check_served(client.call(refreshed["access_token"]))
    claims = client.op.verified(refreshed["id_token"])
    for member in ("iss", "sub", "aud", "auth_time"):
        assert claims.get(member) == first.id_token.get(member), member
    assert claims["iat"] > first.id_token["iat"]
    checks.token_error(other.post(TOKEN, form), "invalid_grant")


@module(*ciba("ensure-mtls-holder-of-key-required"))
def test_holder_of_key_required(client: CibaClient, name: str, variant: FapiVariant) -> None:
    outcome = client.authorize()
    checks.refused_client(client.poll(outcome, bare=True), *INVALID, "invalid_grant")
    client.redeem(outcome)
