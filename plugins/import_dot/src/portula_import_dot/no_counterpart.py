"""Settings of django-oauth-toolkit that nothing here is called after, each with what does its work.

Only asked for names that no installed plugin has: once one has it, that one is right.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

GONE: dict[str, str] = {
    "ALLOW_URI_WILDCARDS": "Redirect URIs are compared exactly (RFC 9700 §2.1); register each.",
    "CIMD_FETCH_TIMEOUT_SECONDS": "FETCH_TIMEOUT_SECONDS is for all fetches.",
    "CLIENT_ASSERTION_JWKS_CACHE_TIMEOUT": "CLIENT_JWKS_CACHE_SECONDS says how long keys of clients are kept.",
    "CLIENT_ASSERTION_JWKS_FAILURE_BACKOFF_SECONDS": "FETCH_FAILURE_BACKOFF_SECONDS is for all fetches.",
    "CLIENT_ASSERTION_JWKS_FETCHER": "Write a plugin that answers the slot fetcher.",
    "CLIENT_ASSERTION_JWKS_FETCH_TIMEOUT_SECONDS": "FETCH_TIMEOUT_SECONDS is for all fetches.",
    "CLIENT_ASSERTION_JWKS_MAX_SIZE": "CLIENT_JWKS_MAX_BYTES says how long a set of keys may be.",
    "CLIENT_ASSERTION_JWKS_REFETCH_INTERVAL_SECONDS": "CLIENT_JWKS_REFETCH_SECONDS says how often they are fetched.",
    "CLIENT_SECRET_HASHER": "Generated secrets are kept as keyed digests, chosen ones by argon2id; replace it by the "
    "hook portula_secret_hasher. CLIENT_SECRET_HASH_PROFILE sets its cost.",
    "COMPLIANT_BCP_RFC9700_ACCESS_TOKEN_TRANSPORT": "Always so: tokens are read from the Authorization header alone.",
    "COMPLIANT_BCP_RFC9700_AUTHZ_RESPONSE_ISS": "Always so: every authorization response has iss (RFC 9207).",
    "COMPLIANT_BCP_RFC9700_IMPLICIT_GRANT": "So by default; IMPLICIT_GRANT_ENABLED = True allows access tokens in "
    "redirects.",
    "COMPLIANT_BCP_RFC9700_PASSWORD_GRANT": "So by default; PASSWORD_GRANT_ENABLED = True allows the password grant.",
    "COMPLIANT_BCP_RFC9700_PKCE_METHOD": "So by default; CODE_CHALLENGE_METHODS lists what is allowed.",
    "COMPLIANT_BCP_RFC9700_PKCE_REQUIRED": "So by default; see PKCE_REQUIRED.",
    "COMPLIANT_BCP_RFC9700_REDIRECT_URI_MATCHING": "Always so: redirect URIs are compared exactly.",
    "COMPLIANT_BCP_RFC9700_REDIRECT_URI_SCHEME": "Always so; ALLOWED_REDIRECT_URI_SCHEMES adds schemes.",
    "COMPLIANT_BCP_RFC9700_REFRESH_TOKEN": "So by default; see ROTATE_REFRESH_TOKEN.",
    "COMPLIANT_BCP_RFC9700_TOKEN_STORAGE": "Always so: codes, tokens and secrets are stored as digests.",
    "DCR_REGISTRATION_PERMISSION_CLASSES": "DCR_REGISTRATION_MODE says who may register; further rules are "
    "plugins with the hook portula_validate_dynamic_registration.",
    "DCR_REGISTRATION_SCOPE": "Initial access tokens are made with `portula initial-access-tokens create`.",
    "OAUTH2_GRANT_TYPES_SUPPORTED": "The metadata lists what is installed.",
    "OAUTH2_RESPONSE_TYPES_SUPPORTED": "OIDC_RESPONSE_TYPES_SUPPORTED says it for OAuth too.",
    "OAUTH2_TOKEN_ENDPOINT_AUTH_METHODS_SUPPORTED": "OIDC_TOKEN_ENDPOINT_AUTH_METHODS_SUPPORTED says it for OAuth too.",
    "OIDC_ACR_VALUES_SUPPORTED": "ACR_VALUES says for each class which methods reach it.",
    "OIDC_BACKCHANNEL_LOGOUT_HANDLER": "Deliveries are written down and tried again; a plugin hears of them by "
    "portula_record_session_end.",
    "OIDC_COMPLIANT_SCOPE_CLAIMS": "ID_TOKEN_WITH_SCOPE_CLAIMS says whether ID tokens have the claims of scopes.",
    "OIDC_REQUEST_OBJECTS_ENABLED": "REQUEST_OBJECTS_ENABLED of the room jar.",
    "OIDC_REQUEST_OBJECT_SIGNING_ALGS": "REQUEST_OBJECT_SIGNING_ALGS of the room jar; unsigned ones are "
    "UNSIGNED_REQUEST_OBJECTS_ALLOWED.",
    "OIDC_REQUEST_OBJECT_STORE_LIFETIME_SECONDS": "Not needed: see INTERACTION_EXPIRE_SECONDS.",
    "OIDC_REQUEST_URI_FETCHER": "Write a plugin that answers the slot fetcher.",
    "OIDC_REQUEST_URI_FETCH_TIMEOUT_SECONDS": "FETCH_TIMEOUT_SECONDS is for all fetches.",
    "OIDC_REQUEST_URI_MAX_CONCURRENT_FETCHES": "FETCH_MAX_CONCURRENT is for all fetches.",
    "OIDC_REQUEST_URI_FAILURE_BACKOFF_SECONDS": "FETCH_FAILURE_BACKOFF_SECONDS is for all fetches.",
    "OIDC_REQUEST_URI_MAX_SIZE": "Not set: a request object may be as long as a request that waits for somebody.",
    "PAR_REQUEST_MODEL": "Requests that were pushed are kept as artifacts, which no model replaces.",
    "STORED_AUTHORIZATION_REQUEST_MODEL": "Requests that wait are kept as artifacts, which no model replaces.",
    "OIDC_USERINFO_JWT_EXPIRE_SECONDS": "Not set: userinfo as a JWT has no exp.",
    "OIDC_USERINFO_CORS_ENABLED": "Always so: pages of any origin may ask, without cookies.",
    "REFRESH_TOKEN_REUSE_PROTECTION": "Always on: a superseded refresh token that comes back ends its family.",
    "REQUIRE_FORM_ENCODED_REQUEST_BODY": "Always so (RFC 6749 §3.2).",
    "REDIRECT_URI_VALIDATOR": "Write a plugin with the hook portula_validate_client_registration.",
    "ALLOWED_ORIGIN_VALIDATOR": "Write a plugin with the hook portula_validate_client_registration.",
}
"""Name to the sentence that says what to do."""

_PERMISSIONS = (".AllowAllCIMDPermission", ".HostAllowlistCIMDPermission")

THEIR_DEFAULTS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "CLIENT_ASSERTION_ACCEPTED_AUDIENCES": (
        lambda value: value is None,
        "None lets clients name the URL that is asked too; here it is the issuer alone (CVE-2025-27370).",
    ),
    "CIMD_REGISTRATION_PERMISSION_CLASSES": (
        lambda value: (
            isinstance(value, list | tuple)
            and value != []
            and all(str(name).endswith(_PERMISSIONS) for name in value)
        ),
        "CIMD_ALLOWED_HOSTS limits the hosts without a class; empty it allows all.",
    ),
}
"""Name to what recognizes values there that cannot be written here, and what is said of them."""

BY_PREFIX: dict[str, str] = {
    "CIMD_": "No installed plugin has this part of client ID metadata documents.",
    "CLIENT_ASSERTION_": "No installed plugin has this part of client assertions (RFC 7523).",
    "COMPLIANT_BCP_": "`portula check` says what is less strict than RFC 9700 asks for.",
    "DCR_": "No installed plugin has this part of client registration (RFC 7591).",
    "DEVICE_": "No installed plugin has this part of the device grant (RFC 8628).",
    "OAUTH2_PROTECTED_RESOURCE_": "No installed plugin has this part of resource metadata (RFC 9728).",
    "OAUTH_DEVICE_": "No installed plugin has this part of the device grant (RFC 8628).",
    "OIDC_": "No installed plugin has this part of OpenID Connect.",
    "PAR_": "No installed plugin has this part of pushed authorization requests (RFC 9126).",
    "REQUIRE_PUSHED_": "No installed plugin has this part of pushed authorization requests (RFC 9126).",
    "ID_TOKEN_": "No installed plugin has this part of OpenID Connect.",
}
"""Beginnings of names to the same, for whole features."""


def reason(name: str) -> str | None:
    """Say why a setting has no counterpart; None when it is none of django-oauth-toolkit's."""
    begun = next((text for prefix, text in BY_PREFIX.items() if name.startswith(prefix)), None)
    if begun is None and name.endswith(("_MODEL", "_ADMIN_CLASS")):
        begun = "No installed plugin lets this class be replaced."
    return GONE.get(name, begun)
