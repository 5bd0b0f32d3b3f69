"""FAPI-CIBA (Implementer's Draft 1): people who are asked elsewhere, by clients that prove who they are."""

from __future__ import annotations

from portula.plugin import Floor, Profile, RequiredSetting
from portula_profiles.clients import METHODS, fapi_client
from portula_profiles.fapi2 import BOUND, BY_KEY, SIGNS, methods_in_use, signature_floors
from portula_profiles.values import FAPI1_ALGORITHMS

FAPI_CIBA = Profile(
    name="fapi-ciba",
    floors=(
        Floor.exactly("CIBA_SIGNED_REQUESTS_REQUIRED", True),
        Floor.exactly("SENDER_CONSTRAINED_TOKENS_REQUIRED", True),
        Floor.exactly("TOKENS_IN_FORMS", False),
        Floor.among("OIDC_TOKEN_ENDPOINT_AUTH_METHODS_SUPPORTED", METHODS, methods_in_use),
        # §7.6 takes over FAPI 1.0 Part 2 §8.6. The audience of assertions is left: CIBA Core §7.1 has those for the
        # token endpoint and the backchannel endpoint count too.
        *signature_floors(FAPI1_ALGORITHMS),
    ),
    needs=(
        RequiredSetting(text="backchannel authentication (CIBA)", settings=("CIBA_ENABLED",)),
        BY_KEY,
        BOUND,
        SIGNS,
    ),
    client=lambda application: fapi_client(application, FAPI1_ALGORITHMS),
)
"""Whether a request tells its transaction, by a message or by authorization details, nobody can see from here."""
