"""Settings for the FAPI plans of the OpenID Foundation's suite against `portula serve`; see docs/certification.md.

CERTIFICATION_PLAN says which plan: `fapi2-security-profile`, `fapi2-message-signing`, `fapi1-advanced` or `fapi-ciba`.
The folder with the certificates is CERTIFICATION_DIR. What is not said here has its default.
"""

import os
from pathlib import Path

FOLDER = Path(os.environ.get("CERTIFICATION_DIR", "certification"))
PLAN = os.environ.get("CERTIFICATION_PLAN", "fapi2-security-profile")

ALGORITHMS = ("PS256", "ES256", "EdDSA")

# The profiles of the room `profiles` say all that FAPI 2.0 asks for.
FAPI2 = {"PROFILE": "fapi2"}
MESSAGE_SIGNING = {"PROFILE": "fapi2-message-signing"}

# FAPI 1.0 has no profile.
FAPI1 = {
    # What is signed, and how (Part 2 §8.6).
    "CLIENT_ASSERTION_PRIVATE_KEY_JWT_ALGS": ALGORITHMS,
    "CLIENT_ASSERTION_CLIENT_SECRET_JWT_ALGS": (),
    "REQUEST_OBJECT_SIGNING_ALGS": ALGORITHMS,
    # Requests are signed objects, with all in them that counts, and of an hour at most (Part 2 §5.2.2). The clients of
    # the plan ask for `openid`, and so for a nonce in the ID token (Part 1 §5.2.2.2).
    "REQUIRE_SIGNED_REQUEST_OBJECT": True,
    "REQUEST_OBJECT_REQUIRED_CLAIMS": ("aud", "exp", "nbf", "redirect_uri", "scope", "nonce"),
    "REQUEST_OBJECT_MAX_LIFETIME_SECONDS": 3600,
    # Audiences of assertions that this older profile's plan demands, and that FAPI 2.0 forbids.
    "CLIENT_ASSERTION_ACCEPTED_AUDIENCES": ("issuer", "token_endpoint", "endpoint"),
    "CLIENT_ASSERTION_AUDIENCE_LISTS": True,
    # A client that loses the answer to a refresh keeps its access: its tokens are bound anyhow.
    "ROTATE_REFRESH_TOKEN": False,
}

# FAPI-CIBA has no profile either.
CIBA = {
    # What is signed, and how (FAPI-CIBA §5.2.2, which takes over Part 2 §8.6).
    "CLIENT_ASSERTION_PRIVATE_KEY_JWT_ALGS": ("PS256", "ES256"),
    "CLIENT_ASSERTION_CLIENT_SECRET_JWT_ALGS": (),
    "CIBA_REQUEST_SIGNING_ALGS": ("PS256", "ES256"),
    "CIBA_SIGNED_REQUESTS_REQUIRED": True,
    # CIBA Core §7.1 has assertions for the issuer, the token endpoint and the backchannel endpoint count.
    "CLIENT_ASSERTION_ACCEPTED_AUDIENCES": ("issuer", "token_endpoint", "endpoint"),
    # Modules leave requests unanswered, or deny them; both count until their time is over, and all are for one person.
    "CIBA_MAX_REQUESTS_PER_USER": 64,
    "ROTATE_REFRESH_TOKEN": False,
    # Clients in ping mode are told at the suite's own server, which is on this machine.
    "FETCH_ALLOWED_PRIVATE_HOSTS": ("localhost", "127.0.0.1", "localhost.emobix.co.uk"),
    "FETCH_CA_BUNDLE": str(FOLDER / "suite.pem"),
}

PLANS = {
    "fapi2-security-profile": FAPI2,
    "fapi2-message-signing": MESSAGE_SIGNING,
    "fapi1-advanced": FAPI1,
    "fapi-ciba": CIBA,
}

OAUTH2_PROVIDER = {
    **PLANS[PLAN],
    "OIDC_ENABLED": True,
    # Clients show certificates in the server's own TLS: `portula serve --tls-client-ca`.
    "MTLS_ENABLED": True,
    "MTLS_TRUSTED_CAS": str(FOLDER / "clients.pem"),
    # The API that the suite calls with its access tokens: /orders.
    "PLUGINS_DIR": str(Path(__file__).parent / "certification" / "plugins"),
}
