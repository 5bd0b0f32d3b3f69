"""Everything that can be switched on is on at once: rooms do not stand in each other's way."""

import pytest
from support.details import BANK, TYPES
from support.exchanges import Policy

from portula_testing.provider import installed_rooms, make_provider

ALL_ON = {
    "OIDC_ENABLED": True,
    "OIDC_ISS_ENDPOINT": "https://id.example/o",
    "OIDC_RP_INITIATED_LOGOUT_ENABLED": True,
    "DCR_ENABLED": True,
    "DPOP_ENABLED": True,
    "MTLS_ENABLED": True,
    "PAR_ENABLED": True,
    "REQUEST_OBJECTS_ENABLED": True,
    "AUTHORIZATION_DETAILS_TYPES": TYPES,
    "PROTECTED_RESOURCES": {BANK: {}},
    "TOKEN_EXCHANGE_POLICY": Policy(),
    "JWT_BEARER_GRANT_ENABLED": True,
    "JWT_BEARER_TRUSTED_ISSUERS": {"https://ci.example": {"jwks_uri": "https://ci.example/jwks"}},
    "JWT_BEARER_SUBJECT_RESOLVER": lambda claims, application, request: None,
    "ACCESS_TOKEN_FORMAT": "jwt",
    "JWT_INTROSPECTION_REQUIRED": True,
    "CIMD_ENABLED": True,
    "ATTESTATION_TRUSTED_ATTESTERS": {
        "https://attester.example": {"jwks_uri": "https://attester.example/jwks"}
    },
    "ATTESTATION_CHALLENGE_REQUIRED": True,
}
PROFILES = [None, "oauth2.1", "mcp", "fapi2", "fapi2-message-signing"]


@pytest.mark.parametrize("profile", PROFILES)
def test_a_provider_of_all_rooms_starts_with_everything_on(profile):
    provider = make_provider(*installed_rooms(), settings={**ALL_ON, "PROFILE": profile})
    metadata = provider.app.test_client().get(
        "/o/.well-known/openid-configuration", base_url="https://id.example"
    )
    assert metadata.status_code == 200
    offered = {name.removesuffix("_endpoint") for name in metadata.json if name.endswith("_endpoint")}
    assert {"token", "device_authorization", "pushed_authorization_request", "registration"} <= offered
    assert metadata.json["authorization_details_types_supported"] == sorted(TYPES)
