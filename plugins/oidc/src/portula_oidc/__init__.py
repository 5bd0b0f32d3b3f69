"""OpenID Connect: ID tokens, userinfo, discovery, and what authentication requests may ask for.

Sources: OpenID Connect Core 1.0, Discovery 1.0, Dynamic Client Registration 1.0 §2, Multiple Response Types 1.0.
It never signs by itself, never tells a claim that was not asked for, and never lets a parameter make a request laxer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from portula import hookimpl
from portula.plugin import HookDeclarations, ResponseType
from portula_oidc.checks import portula_checks
from portula_oidc.claims import SCOPES, ClaimQuestions
from portula_oidc.contents import portula_authorization_contents
from portula_oidc.demands import portula_interaction_demands, portula_validate_authorization_request
from portula_oidc.endpoint import portula_endpoints
from portula_oidc.hooks import IDTokenClaims, OIDCHooks, UserInfoClaims
from portula_oidc.id_token import IDTokenQuestions, portula_introspection_response
from portula_oidc.metadata import portula_metadata
from portula_oidc.pairwise import PairwiseQuestions
from portula_oidc.registration import portula_client_metadata, portula_validate_client_registration
from portula_oidc.settings import OIDCSettings, is_on

if TYPE_CHECKING:
    from portula import OAuth2Validator, Provider
    from portula.plugin import ResponseTypeFactory

__all__ = [
    "IDTokenClaims",
    "UserInfoClaims",
    "portula_authorization_contents",
    "portula_checks",
    "portula_client_metadata",
    "portula_endpoints",
    "portula_interaction_demands",
    "portula_introspection_response",
    "portula_metadata",
    "portula_validate_authorization_request",
    "portula_validate_client_registration",
]
__version__ = "0.1.0"

RESPONSE_TYPES = ("id_token", "id_token token", "code token", "code id_token", "code id_token token")


@hookimpl
def portula_declarations(provider: Provider) -> list[type[HookDeclarations]]:
    return [OIDCHooks]


@hookimpl
def portula_settings(provider: Provider) -> list[type[OIDCSettings]]:
    return [OIDCSettings]


@hookimpl
def portula_scopes(provider: Provider) -> dict[str, str]:
    return dict(SCOPES) if is_on(provider) else {}


@hookimpl
def portula_validator_mixins(provider: Provider) -> list[type[OAuth2Validator]]:
    return [ClaimQuestions, IDTokenQuestions, PairwiseQuestions] if is_on(provider) else []


@hookimpl
def portula_response_types(provider: Provider) -> dict[str, ResponseTypeFactory]:
    return dict.fromkeys(RESPONSE_TYPES, ResponseType) if is_on(provider) else {}
