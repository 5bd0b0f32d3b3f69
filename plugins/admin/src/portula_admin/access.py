"""Access: who may enter, by default the administrators whom the login names, and what plugins deny them inside."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portula import Plugin, hookimpl
from portula.errors import OAuth2Error
from portula.plugin import AccountLink, AuthenticatedUser
from portula_admin.hooks import AdminAccess, AdminHooks, AdminRequest

if TYPE_CHECKING:
    from portula import Provider


def default_access(provider: Provider) -> AdminAccess:
    """Return the default rule: an active person of whom the login says that they are an administrator may enter."""

    def enters(person: AuthenticatedUser) -> bool:
        user = provider.hooks.ask(Plugin.portula_login).find(person.subject)
        return user is not None and user.active and user.is_admin

    return enters


def may_enter(provider: Provider, person: AuthenticatedUser) -> bool:
    """Ask whoever answers the slot; only a clear yes lets in, and a failure passes on as what it is."""
    access = provider.hooks.ruling(AdminHooks.portula_admin_access).answer
    return access is not None and access(person) is True


def permits(request: AdminRequest) -> bool:
    """Say whether no plugin denies something; one that fails denies it, and the log says why."""
    try:
        request.provider.hooks.hear(AdminHooks.portula_validate_admin_request, request)
    except OAuth2Error:
        return False
    return True


@hookimpl
def portula_account_links(provider: Provider) -> list[AccountLink]:
    """Return the way to the admin, which those see who may enter."""

    def enters(person: AuthenticatedUser) -> bool:
        return may_enter(provider, person)

    return [AccountLink("Administration", "admin.overview", shown_to=enters)] if provider.stores else []
