"""Settings for running the OpenID Foundation's certification plans against `portula serve`; see docs/certification.md.

Everything that is not said here has its default. The folder with the certificates is CERTIFICATION_DIR.
"""

import os
from pathlib import Path

FOLDER = Path(os.environ.get("CERTIFICATION_DIR", "certification"))

OAUTH2_PROVIDER = {
    "OIDC_ENABLED": True,
    # The suite's clients are confidential and send no PKCE but in one module; public clients need it all the same.
    "PKCE_REQUIRED": "public",
    # For the plans implicit, hybrid and dynamic: access tokens in redirects, which RFC 9700 §2.1.2 advises against.
    "IMPLICIT_GRANT_ENABLED": True,
    # For the plan dynamic: request objects that this server fetches from where a client says.
    "REQUEST_URI_ENABLED": True,
    # For the modules about request objects without a signature, which are skipped where `none` is not advertised.
    "UNSIGNED_REQUEST_OBJECTS_ALLOWED": True,
    # For the plan dynamic: private_key_jwt as OpenID Connect Core §9 has it, made for the token endpoint.
    "CLIENT_ASSERTION_ACCEPTED_AUDIENCES": ("issuer", "token_endpoint"),
    # For the plans of logout.
    "OIDC_RP_INITIATED_LOGOUT_ENABLED": True,
    "OIDC_FRONTCHANNEL_LOGOUT_ENABLED": True,
    "OIDC_SESSION_MANAGEMENT_ENABLED": True,
    # For the plans dynamic and 3rdparty-init-login: anybody may register as many clients as the modules do.
    "DCR_ENABLED": True,
    "DCR_REGISTRATION_MODE": "open",
    "DCR_MAX_CLIENTS_PER_ADDRESS_PER_HOUR": None,
    "DCR_MAX_CLIENTS_PER_HOUR": None,
    # The suite's own server is on this machine, with a certificate of its own.
    "FETCH_ALLOWED_PRIVATE_HOSTS": ("localhost", "127.0.0.1", "localhost.emobix.co.uk"),
    "FETCH_CA_BUNDLE": str(FOLDER / "suite.pem"),
}
