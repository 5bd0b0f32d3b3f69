"""Server metadata of OpenID Connect (OpenID Connect Discovery §3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portula import hookimpl
from portula_oidc.claims import PROTOCOL_CLAIMS
from portula_oidc.endpoint import JWKS_PATH, USERINFO_PATH
from portula_oidc.registration import ID_TOKEN, USERINFO, id_token_algorithms, subject_types
from portula_oidc.requested_claims import PROMPTS
from portula_oidc.settings import OIDCSettings, is_on

if TYPE_CHECKING:
    from portula import Provider

BY_REFERENCE = {"request_uri": "https://client.example/request"}
"""A request by reference (OpenID Connect Core §6.2); who reads such ones says so."""


@hookimpl
def portula_metadata(provider: Provider) -> dict[str, Any]:
    """Return the members of the server metadata, none when OpenID Connect is off."""
    if not is_on(provider):
        return {}
    settings = provider.settings(OIDCSettings)
    signing = id_token_algorithms(provider)
    scope_claims: Any = provider.validator
    return {
        "userinfo_endpoint": settings.OIDC_USERINFO_ENDPOINT or USERINFO_PATH,
        "jwks_uri": JWKS_PATH,
        "subject_types_supported": subject_types(settings),
        "id_token_signing_alg_values_supported": signing,
        "userinfo_signing_alg_values_supported": signing,
        **ID_TOKEN.metadata(provider),
        **USERINFO.metadata(provider),
        "claims_supported": [
            *dict.fromkeys(
                (
                    *PROTOCOL_CLAIMS,
                    *scope_claims.scope_of_claims,
                    *(scope_claims.claims_without_request or ()),
                )
            )
        ],
        "claim_types_supported": ["normal"],
        "claims_parameter_supported": True,
        "acr_values_supported": list(settings.ACR_VALUES),
        "display_values_supported": ["page"],
        "prompt_values_supported": PROMPTS,
        "ui_locales_supported": ["en"],
        **_no_references(provider),
    }


def _no_references(provider: Provider) -> dict[str, Any]:
    """Say that nobody reads requests by reference, where nobody does: what is not said means yes (Discovery §3)."""
    known = any(resolver.presented(BY_REFERENCE) for resolver in provider.request_resolvers)
    return {} if known else {"request_uri_parameter_supported": False}
