"""Settings for the FAPI plans of the OpenID Foundation's suite against `portula serve`; see docs/certification.md.

CERTIFICATION_PLAN says which plan: `fapi2-security-profile`, `fapi2-message-signing` or `fapi1-advanced`. The folder
with the certificates is CERTIFICATION_DIR. What is not said here has its default.
"""

import os
from pathlib import Path

FOLDER = Path(os.environ.get("CERTIFICATION_DIR", "certification"))
PLAN = os.environ.get("CERTIFICATION_PLAN", "fapi2-security-profile")

ALGORITHMS = ("PS256", "ES256", "EdDSA")

ALL_PLANS = {
    "OIDC_ENABLED": True,
    # Clients show certificates in the server's own TLS: `portula serve --tls-client-ca`.
    "MTLS_ENABLED": True,
    "MTLS_TRUSTED_CAS": str(FOLDER / "clients.pem"),
    # What clients sign with (FAPI 2.0 Security Profile §5.4.1, FAPI 1.0 Part 2 §8.6).
    "CLIENT_ASSERTION_PRIVATE_KEY_JWT_ALGS": ALGORITHMS,
    "CLIENT_ASSERTION_CLIENT_SECRET_JWT_ALGS": (),
    "DPOP_SIGNING_ALGS": ALGORITHMS,
    # Refresh tokens are not rotated, since a client that loses the answer would lose access (FAPI 2.0 §5.3.2.1).
    "ROTATE_REFRESH_TOKEN": False,
    # The API that the suite calls with its access tokens: /orders.
    "PLUGINS_DIR": str(Path(__file__).parent / "certification" / "plugins"),
}
SIGNED_REQUESTS = {
    "REQUIRE_SIGNED_REQUEST_OBJECT": True,
    "REQUEST_OBJECT_REQUIRED_CLAIMS": ("aud", "exp", "nbf", "redirect_uri"),
    "REQUEST_OBJECT_MAX_LIFETIME_SECONDS": 3600,
}
FAPI2 = {"REQUIRE_PUSHED_AUTHORIZATION_REQUESTS": True, "OIDC_RESPONSE_TYPES_SUPPORTED": ("code",)}
PLANS = {
    "fapi2-security-profile": FAPI2,
    "fapi2-message-signing": {**FAPI2, **SIGNED_REQUESTS},
    "fapi1-advanced": {
        **SIGNED_REQUESTS,
        # All its clients ask for `openid`, and then for a nonce in the ID token (FAPI 1.0 Part 1 §5.2.2.2).
        "REQUEST_OBJECT_REQUIRED_CLAIMS": ("aud", "exp", "nbf", "redirect_uri", "scope", "nonce"),
        # Audiences of assertions that this older profile's plan demands, and that FAPI 2.0 forbids.
        "CLIENT_ASSERTION_ACCEPTED_AUDIENCES": ("issuer", "token_endpoint", "endpoint"),
        "CLIENT_ASSERTION_AUDIENCE_LISTS": True,
    },
}

OAUTH2_PROVIDER = {**ALL_PLANS, **PLANS[PLAN]}
