"""OAuth 2.0: authorize, token and revoke; code with PKCE, client credentials, refresh, and password where allowed.

Sources: RFC 6749, RFC 6750, RFC 7009, RFC 7636, RFC 8252, RFC 9207, RFC 9700.
It never redirects to a URI that was not registered, and never issues anything twice for one code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from portula import hookimpl
from portula.plugin import Backend, Server
from portula_oauth2 import grant
from portula_oauth2.administering import portula_admin_records
from portula_oauth2.authorize import portula_blueprints
from portula_oauth2.checks import portula_checks
from portula_oauth2.client_auth import portula_client_auth_methods
from portula_oauth2.client_metadata import portula_client_metadata
from portula_oauth2.commands import portula_commands
from portula_oauth2.demo import portula_demo
from portula_oauth2.endpoint import portula_endpoints
from portula_oauth2.form_post import portula_response_modes
from portula_oauth2.metadata import portula_metadata, portula_scopes
from portula_oauth2.questions import portula_validator_class, portula_validator_mixins
from portula_oauth2.registration import portula_validate_client_registration
from portula_oauth2.settings import OAuth2Settings
from portula_oauth2.strictness import portula_validate_authorization_request, portula_validate_token_request
from portula_oauth2.trials import portula_grant_trials

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import GrantFactory, ResponseTypeFactory

__all__ = [
    "portula_admin_records",
    "portula_blueprints",
    "portula_checks",
    "portula_client_auth_methods",
    "portula_client_metadata",
    "portula_commands",
    "portula_demo",
    "portula_endpoints",
    "portula_grant_trials",
    "portula_metadata",
    "portula_response_modes",
    "portula_scopes",
    "portula_validate_authorization_request",
    "portula_validate_client_registration",
    "portula_validate_token_request",
    "portula_validator_class",
    "portula_validator_mixins",
]
__version__ = "0.1.0"


@hookimpl
def portula_settings(provider: Provider) -> list[type[OAuth2Settings]]:
    return [OAuth2Settings]


@hookimpl
def portula_grant_types(provider: Provider) -> dict[str, GrantFactory]:
    return grant.grant_types(provider.settings(OAuth2Settings))


@hookimpl
def portula_response_types(provider: Provider) -> dict[str, ResponseTypeFactory]:
    return dict(grant.RESPONSE_TYPES)


@hookimpl
def portula_server_class(provider: Provider) -> type[Server]:
    return Server


@hookimpl
def portula_backend_class(provider: Provider) -> type[Backend]:
    return Backend
