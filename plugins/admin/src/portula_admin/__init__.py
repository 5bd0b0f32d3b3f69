"""Pages for those who run the provider: clients and their secrets, tokens, codes, plugins, settings.

Sources: RFC 6749 §2 for clients, RFC 7009 for revocation, RFC 9700 §4.14; the shape is that of Django's ModelAdmin.
It never shows a token, a digest or a stored secret, never deletes a token, and lets in nobody but administrators.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from portula import hookimpl
from portula.plugin import HookDeclarations
from portula_admin.access import default_access, portula_account_links
from portula_admin.clients import ApplicationAdmin
from portula_admin.demo import portula_demo
from portula_admin.endpoint import make_mount
from portula_admin.hooks import AdminHooks
from portula_admin.settings import AdminSettings
from portula_admin.site import DEFAULTS, Site

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import ClientAuthenticated, Mount
    from portula_admin.hooks import AdminAccess
    from portula_admin.options import RecordAdmin

__all__ = ["portula_account_links", "portula_demo"]
__version__ = "0.1.0"


@hookimpl
def portula_declarations(provider: Provider) -> list[type[HookDeclarations]]:
    return [AdminHooks]


@hookimpl
def portula_settings(provider: Provider) -> list[type[AdminSettings]]:
    return [AdminSettings]


@hookimpl
def portula_admin_access(provider: Provider) -> AdminAccess:
    return default_access(provider)


@hookimpl
def portula_application_admin_class(provider: Provider) -> type[ApplicationAdmin]:
    return ApplicationAdmin


@hookimpl
def portula_access_token_admin_class(provider: Provider) -> type[RecordAdmin]:
    return DEFAULTS["access_token"]


@hookimpl
def portula_refresh_token_admin_class(provider: Provider) -> type[RecordAdmin]:
    return DEFAULTS["refresh_token"]


@hookimpl
def portula_grant_admin_class(provider: Provider) -> type[RecordAdmin]:
    return DEFAULTS["grant"]


@hookimpl
def portula_id_token_admin_class(provider: Provider) -> type[RecordAdmin]:
    return DEFAULTS["id_token"]


@hookimpl
def portula_blueprints(provider: Provider) -> list[Mount]:
    return [make_mount(provider)] if provider.stores else []


@hookimpl
def portula_client_authenticated(event: ClientAuthenticated) -> None:
    site = Site.of(event.provider)
    if site is not None:
        site.uses.note(event)
