"""OAuth 2.0: authorize, token and revoke; code with PKCE, client credentials, refresh, and password where allowed.

Sources: RFC 6749, RFC 6750, RFC 7009, RFC 7636, RFC 8252, RFC 9207, RFC 9700.
It never redirects to a URI that was not registered, and never issues anything twice for one code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portula import hookimpl
from portula_oauth2 import authorize, client_auth, commands, demo, endpoint, grant, metadata, questions, registration
from portula_oauth2.settings import OAuth2Settings

if TYPE_CHECKING:
    import click

    from portula import Provider
    from portula.blueprints import Mount
    from portula.client_auth import ClientAuthMethod
    from portula.endpoints import Endpoint
    from portula.engine.backend import Backend
    from portula.engine.grants import GrantFactory
    from portula.engine.server import Server
    from portula.engine.validator import OAuth2Validator
    from portula.records import Application


@hookimpl
def portula_settings() -> list[type[OAuth2Settings]]:
    return [OAuth2Settings]


@hookimpl
def portula_scopes(provider: Provider) -> dict[str, str]:  # noqa: ARG001 - the hook's signature
    return {"offline_access": "Keep access while you are away"}


@hookimpl
def portula_validator_mixins(provider: Provider) -> list[type[OAuth2Validator]]:  # noqa: ARG001 - the hook's signature
    return list(questions.MIXINS)


@hookimpl
def portula_client_auth_methods(provider: Provider) -> list[ClientAuthMethod]:
    return client_auth.methods(provider)


@hookimpl
def portula_grant_types(provider: Provider) -> dict[str, GrantFactory]:
    return grant.grant_types(provider.settings(OAuth2Settings))


@hookimpl
def portula_response_types(provider: Provider) -> dict[str, GrantFactory]:
    return grant.response_types(provider.settings(OAuth2Settings))


@hookimpl
def portula_server_class(provider: Provider) -> type[Server]:  # noqa: ARG001 - the hook's signature
    return grant.Server


@hookimpl
def portula_backend_class(provider: Provider) -> type[Backend]:  # noqa: ARG001 - the hook's signature
    return grant.Backend


@hookimpl
def portula_endpoints(provider: Provider) -> list[Endpoint]:
    return endpoint.endpoints(provider)


@hookimpl
def portula_blueprints(provider: Provider) -> list[Mount]:
    return [authorize.mount(provider)]


@hookimpl
def portula_metadata(provider: Provider) -> dict[str, Any]:
    return metadata.members(provider)


@hookimpl
def portula_commands(provider: Provider) -> list[click.Command]:
    return commands.make(provider)


@hookimpl
def portula_demo(provider: Provider) -> dict[str, str]:
    return demo.prepare(provider)


@hookimpl
def portula_validate_client_registration(provider: Provider, application: Application) -> None:
    registration.check(provider, application)
