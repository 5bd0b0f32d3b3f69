"""FAPI 2.0: Security Profile and Message Signing (both Final, of 2025)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from portula.plugin import Floor, Profile, RequiredSetting
from portula_profiles.clients import METHODS, fapi2_client
from portula_profiles.values import ALGORITHMS, REQUIRED_CLAIMS

CODE_SECONDS = 60
REQUEST_URI_SECONDS = 599
OBJECT_SECONDS = 3600
AHEAD_LEAST, AHEAD_MOST = 10, 60
"""Seconds by which the time of a JWT may lie ahead: so much is taken at least, and more is refused (§5.3.2.1)."""


def methods_in_use(value: Callable[[str], Any]) -> tuple[str, ...]:
    """Return the client authentication methods that plugins contribute by these settings, of those allowed."""
    certificates = bool(value("MTLS_ENABLED"))
    conditions = {
        "private_key_jwt": value("CLIENT_ASSERTION_PRIVATE_KEY_JWT_ALGS"),
        "tls_client_auth": certificates and value("MTLS_TRUSTED_CAS"),
        "self_signed_tls_client_auth": certificates,
    }
    return tuple(name for name in METHODS if conditions[name])


def signature_floors(algorithms: tuple[str, ...]) -> tuple[Floor, ...]:
    """Return floors of what is signed by clients, by issuers that are trusted, and by the server."""
    by_one_name = tuple(name for name in algorithms if name != "Ed25519")  # which not every setting has
    return (
        Floor.among("CLIENT_ASSERTION_PRIVATE_KEY_JWT_ALGS", algorithms),
        Floor.exactly("CLIENT_ASSERTION_CLIENT_SECRET_JWT_ALGS", ()),
        Floor.among("DPOP_SIGNING_ALGS", algorithms),
        Floor.among("REQUEST_OBJECT_SIGNING_ALGS", by_one_name),
        Floor.among("CIBA_REQUEST_SIGNING_ALGS", by_one_name),
        Floor.among("JWT_BEARER_ALGORITHMS", algorithms),
        Floor.among("RESOURCE_SERVER_JWT_ALGS", algorithms),
        Floor.exactly("UNSIGNED_REQUEST_OBJECTS_ALLOWED", False),
        Floor.among("SIGNING_ALGORITHMS", by_one_name),
        Floor.exactly("SIGNING_WITH_CLIENT_SECRETS", False),
    )


SECURITY_FLOORS = (
    Floor.exactly("REQUIRE_PUSHED_AUTHORIZATION_REQUESTS", True),
    Floor.exactly("PAR_REDIRECT_URI_REQUIRED", True),
    Floor.at_most("PAR_REQUEST_URI_LIFETIME_SECONDS", REQUEST_URI_SECONDS, 60),
    Floor.exactly("OIDC_RESPONSE_TYPES_SUPPORTED", ("code",)),
    Floor.exactly("IMPLICIT_GRANT_ENABLED", False),
    Floor.exactly("PASSWORD_GRANT_ENABLED", False),
    Floor.exactly("PKCE_REQUIRED", True),
    Floor.exactly("CODE_CHALLENGE_METHODS", ("S256",)),
    Floor.at_most("AUTHORIZATION_CODE_EXPIRE_SECONDS", CODE_SECONDS, CODE_SECONDS),
    Floor.exactly("ROTATE_REFRESH_TOKEN", False),
    Floor.exactly("TOKENS_IN_FORMS", False),
    Floor.exactly("SENDER_CONSTRAINED_TOKENS_REQUIRED", True),
    Floor.among("OIDC_TOKEN_ENDPOINT_AUTH_METHODS_SUPPORTED", METHODS, methods_in_use),
    Floor.exactly("CLIENT_ASSERTION_ACCEPTED_AUDIENCES", ("issuer",)),
    Floor.exactly("CLIENT_ASSERTION_AUDIENCE_LISTS", False),
    Floor.between("CLIENT_ASSERTION_LEEWAY", AHEAD_LEAST, AHEAD_MOST, AHEAD_MOST),
    Floor.between("DPOP_CLOCK_SKEW_SECONDS", AHEAD_LEAST, AHEAD_MOST, AHEAD_MOST),
    Floor.between("JWT_BEARER_CLOCK_SKEW_SECONDS", AHEAD_LEAST, AHEAD_MOST, AHEAD_MOST),
    *signature_floors(ALGORITHMS),
)

BY_KEY = RequiredSetting(
    text="clients that authenticate by a key or a certificate",
    settings=("CLIENT_ASSERTION_PRIVATE_KEY_JWT_ALGS", "MTLS_ENABLED"),
)
BOUND = RequiredSetting(
    text="access tokens that are bound to their client", settings=("DPOP_ENABLED", "MTLS_ENABLED")
)
SIGNS = RequiredSetting(text="keys and JWTs", settings=("SIGNING_ALGORITHMS",))

_SECURITY_NEEDS = (
    RequiredSetting(text="pushed authorization requests (RFC 9126)", settings=("PAR_ENABLED",)),
    BY_KEY,
    BOUND,
    SIGNS,
)

FAPI2 = Profile(name="fapi2", floors=SECURITY_FLOORS, needs=_SECURITY_NEEDS, client=fapi2_client)

FAPI2_MESSAGE_SIGNING = Profile(
    name="fapi2-message-signing",
    floors=(
        *SECURITY_FLOORS,
        Floor.exactly("REQUIRE_SIGNED_REQUEST_OBJECT", True),
        Floor(
            setting="REQUEST_OBJECT_REQUIRED_CLAIMS",
            allows=lambda found: set(found).issuperset(REQUIRED_CLAIMS),
            allowed=f"at least {', '.join(REQUIRED_CLAIMS)}",
            default=REQUIRED_CLAIMS,
        ),
        Floor.at_most("REQUEST_OBJECT_MAX_LIFETIME_SECONDS", OBJECT_SECONDS, OBJECT_SECONDS),
        Floor(
            setting="RESPONSE_MODES_SUPPORTED",
            allows=lambda found: found is not None and all(name.endswith("jwt") for name in found),
            allowed="only jwt and modes that end in .jwt",
            default=("jwt", "query.jwt", "fragment.jwt", "form_post.jwt"),
        ),
        Floor.exactly("JWT_INTROSPECTION_REQUIRED", True),
    ),
    needs=(
        *_SECURITY_NEEDS,
        RequiredSetting(text="request objects (RFC 9101)", settings=("REQUEST_OBJECTS_ENABLED",)),
        RequiredSetting(text="signed authorization responses (JARM)", settings=("JARM_LIFETIME_SECONDS",)),
    ),
    client=fapi2_client,
)
