"""FAPI-CIBA (Implementer's Draft 1): people who are asked elsewhere, by clients that prove who they are."""

from __future__ import annotations

from portula.plugin import Floor, Need, Profile
from portula_profiles.clients import METHODS, fapi2_client
from portula_profiles.fapi2 import methods_in_use
from portula_profiles.values import ALGORITHMS, OBJECT_ALGORITHMS

FAPI_CIBA = Profile(
    name="fapi-ciba",
    floors=(
        Floor.exactly("CIBA_SIGNED_REQUESTS_REQUIRED", True),
        Floor.among("CIBA_REQUEST_SIGNING_ALGS", OBJECT_ALGORITHMS),
        Floor.exactly("SENDER_CONSTRAINED_TOKENS_REQUIRED", True),
        Floor.exactly("TOKENS_IN_FORMS", False),
        Floor.among("OIDC_TOKEN_ENDPOINT_AUTH_METHODS_SUPPORTED", METHODS, methods_in_use),
        Floor.among("CLIENT_ASSERTION_PRIVATE_KEY_JWT_ALGS", ALGORITHMS),
        Floor.exactly("CLIENT_ASSERTION_CLIENT_SECRET_JWT_ALGS", ()),
    ),
    needs=(
        Need(text="backchannel authentication (CIBA)", settings=("CIBA_ENABLED",)),
        Need(
            text="clients that authenticate by a key or a certificate",
            settings=("CLIENT_ASSERTION_PRIVATE_KEY_JWT_ALGS", "MTLS_ENABLED"),
        ),
        Need(text="access tokens that are bound to their client", settings=("DPOP_ENABLED", "MTLS_ENABLED")),
    ),
    client=fapi2_client,
)
"""Whether a request tells its transaction, by a message or by authorization details, nobody can see from here."""
