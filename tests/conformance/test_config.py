"""The modules that read what the provider publishes about itself."""

import json
import re
from urllib.parse import urlsplit

from conformance.plans import DISCOVERY, ENTRIES, module
from conformance.suite import checks
from conformance.suite.flows import Variant
from conformance.suite.lab import MANUAL, ROOT, Lab

KNOWN_MEMBERS = {
    # RFC 8414 §2
    *("issuer", "authorization_endpoint", "token_endpoint", "jwks_uri", "registration_endpoint"),
    *("scopes_supported", "response_types_supported", "response_modes_supported", "grant_types_supported"),
    *("token_endpoint_auth_methods_supported", "token_endpoint_auth_signing_alg_values_supported"),
    *("service_documentation", "ui_locales_supported", "op_policy_uri", "op_tos_uri"),
    *("revocation_endpoint", "revocation_endpoint_auth_methods_supported"),
    "revocation_endpoint_auth_signing_alg_values_supported",
    *("introspection_endpoint", "introspection_endpoint_auth_methods_supported"),
    "introspection_endpoint_auth_signing_alg_values_supported",
    *("code_challenge_methods_supported", "signed_metadata"),
    # OpenID Connect Discovery §3
    *("userinfo_endpoint", "acr_values_supported", "subject_types_supported"),
    *("id_token_signing_alg_values_supported", "userinfo_signing_alg_values_supported"),
    *("request_object_signing_alg_values_supported", "display_values_supported", "claim_types_supported"),
    *("claims_supported", "claims_locales_supported", "claims_parameter_supported"),
    *("request_parameter_supported", "request_uri_parameter_supported", "require_request_uri_registration"),
    # RFC 9701 §7
    *("introspection_signing_alg_values_supported", "introspection_encryption_alg_values_supported"),
    "introspection_encryption_enc_values_supported",
    # RFC 9126 §5, RFC 9101 §10.5, JARM §4
    *("pushed_authorization_request_endpoint", "require_pushed_authorization_requests"),
    *("require_signed_request_object", "authorization_signing_alg_values_supported"),
    *("id_token_encryption_alg_values_supported", "id_token_encryption_enc_values_supported"),
    *("userinfo_encryption_alg_values_supported", "userinfo_encryption_enc_values_supported"),
    *("request_object_encryption_alg_values_supported", "request_object_encryption_enc_values_supported"),
    *("authorization_encryption_alg_values_supported", "authorization_encryption_enc_values_supported"),
    # RFC 8628 §4
    "device_authorization_endpoint",
    # CIBA Core §4
    *("backchannel_authentication_endpoint", "backchannel_token_delivery_modes_supported"),
    "backchannel_authentication_request_signing_alg_values_supported",
    "backchannel_user_code_parameter_supported",
    # RFC 9396 §10, RFC 9449 §5.1, RFC 8705 §3.3, §5
    "authorization_details_types_supported",
    *("dpop_signing_alg_values_supported", "tls_client_certificate_bound_access_tokens"),
    "mtls_endpoint_aliases",
    # the logout specifications, RFC 9207, Initiating User Registration
    *("end_session_endpoint", "check_session_iframe", "frontchannel_logout_supported"),
    *("frontchannel_logout_session_supported", "backchannel_logout_supported"),
    "backchannel_logout_session_supported",
    *("authorization_response_iss_parameter_supported", "prompt_values_supported"),
}
"""Members that the IANA registry has; the suite warns of others."""


def _endpoint(url: object) -> None:
    assert isinstance(url, str)
    parts = urlsplit(url)
    assert (parts.scheme, parts.fragment) == ("https", "")
    assert parts.hostname


@module(DISCOVERY)
def test_oidcc_discovery_endpoint_verification(lab: Lab, name: str, variant: Variant) -> None:
    metadata = lab.op.metadata
    assert metadata["issuer"] == lab.op.issuer
    assert set(metadata) <= KNOWN_MEMBERS
    assert None not in metadata.values()
    assert [] not in metadata.values()
    for member, value in metadata.items():
        if member.endswith("_endpoint") or member in ("jwks_uri", "check_session_iframe"):
            _endpoint(value)
        if member.endswith("_supported") and isinstance(value, list):
            assert all(isinstance(one, str) for one in value)
            assert len(set(value)) == len(value)
    assert {"authorization_endpoint", "token_endpoint", "userinfo_endpoint"} <= set(metadata)
    checks.public_keys(lab.op.keys)
    assert set(metadata["subject_types_supported"]) <= {"public", "pairwise"}
    assert "RS256" in metadata["id_token_signing_alg_values_supported"]
    assert "none" not in metadata["userinfo_signing_alg_values_supported"]
    assert "RS256" in metadata["request_object_signing_alg_values_supported"]
    assert {"sub", "iss", "auth_time", "acr", "name", "email"} <= set(metadata["claims_supported"])
    assert "openid" in metadata["scopes_supported"]
    for scope in metadata["scopes_supported"]:
        assert re.fullmatch(r"[\x21\x23-\x5b\x5d-\x7e]+", scope)
    for locale in (*metadata.get("ui_locales_supported", ()), *metadata.get("claims_locales_supported", ())):
        assert re.fullmatch(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-[A-Z]{2})?", locale)
    assert metadata["code_challenge_methods_supported"] == ["S256"]
    response_types = {" ".join(sorted(one.split())) for one in metadata["response_types_supported"]}
    assert {"code", "id_token", "id_token token"} <= response_types
    assert {"authorization_code", "implicit"} <= set(metadata["grant_types_supported"])
    if variant.dynamic:
        assert "registration_endpoint" in metadata


@module("oidcc-rp-initiated-logout-discovery-endpoint-verification")
def test_oidcc_rp_initiated_logout_discovery(lab: Lab, name: str, variant: Variant) -> None:
    _endpoint(lab.op.metadata["end_session_endpoint"])


@module("oidcc-backchannel-logout-discovery-endpoint-verification")
def test_oidcc_backchannel_logout_discovery(lab: Lab, name: str, variant: Variant) -> None:
    _endpoint(lab.op.metadata["end_session_endpoint"])
    assert lab.op.metadata["backchannel_logout_supported"] is True
    assert lab.op.metadata["backchannel_logout_session_supported"] is True


@module("oidcc-frontchannel-logout-discovery-endpoint-verification")
def test_oidcc_frontchannel_logout_discovery(lab: Lab, name: str, variant: Variant) -> None:
    _endpoint(lab.op.metadata["end_session_endpoint"])
    assert lab.op.metadata["frontchannel_logout_supported"] is True
    assert lab.op.metadata["frontchannel_logout_session_supported"] is True


@module("oidcc-session-management-discovery-endpoint-verification")
def test_oidcc_session_management_discovery(lab: Lab, name: str, variant: Variant) -> None:
    _endpoint(lab.op.metadata["end_session_endpoint"])
    _endpoint(lab.op.metadata["check_session_iframe"])
    frame = lab.op.http.get(lab.op.metadata["check_session_iframe"])
    assert frame.status_code == 200
    assert "frame-ancestors 'none'" not in frame.headers.get("content-security-policy", "")
    assert "x-frame-options" not in frame.headers


def test_every_module_of_the_plans_has_a_test() -> None:
    import conformance.test_basic
    import conformance.test_dynamic
    import conformance.test_logout  # noqa: F401 - importing them is what writes them down

    assert module.unwritten() == set()


def test_the_configuration_for_the_official_suite_is_about_the_documented_provider() -> None:
    document = json.loads((ROOT / "examples" / "certification" / "suite.json").read_text())
    manual = MANUAL.read_text()
    issuer = document["server"]["discoveryUrl"].removesuffix("/.well-known/openid-configuration")
    assert f"--issuer {issuer}" in manual
    assert f"/test/a/{document['alias']}/callback" in manual
    modules = {name for entry in ENTRIES for name in entry.modules}
    assert set(document["override"]) <= modules
    for plan in {entry.plan for entry in ENTRIES}:
        assert f"oidcc-{plan}-certification-test-plan" in manual
